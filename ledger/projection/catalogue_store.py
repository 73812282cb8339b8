"""Stores catalogue entries: facets, texts, the full-text index, and who has which value."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from ledger.domain.facets import FACETS, pack
from ledger.projection.catalogue_entries import Entry
from ledger.projection.entry_sets import as_bytes, set_of
from ledger.projection.stored import plain
from ledger.projection.tables import (
    CATALOGUE,
    catalogue_entries,
    catalogue_texts,
    catalogue_values,
)
from ledger.projection.text_index import add_to_index, empty_index, remove_from_index
from ledger.projection.types import json_text

_CHUNK = 500


def empty(connection: Connection) -> None:
    """Forget every entry; the next refresh makes them anew."""
    empty_index(connection)
    for table in CATALOGUE:
        connection.execute(table.delete())


def catalogue_digest(connection: Connection) -> str:
    """Return the SHA-256 (hex) over all entries; their numbers, which mean nothing, left out."""
    joined = catalogue_entries.join(
        catalogue_texts, catalogue_texts.c.entry_no == catalogue_entries.c.entry_no
    )
    shown = [it for it in (*catalogue_entries.c, *catalogue_texts.c) if it.name != "entry_no"]
    digest = hashlib.sha256()
    rows = connection.execute(select(*shown).select_from(joined)).mappings()
    for line in sorted(json_text(plain(dict(row))) for row in rows):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def remove(connection: Connection, numbers: Sequence[int]) -> None:
    """Forget entries by their numbers."""
    remove_from_index(connection, numbers)
    for table in (catalogue_texts, catalogue_entries):
        for start in range(0, len(numbers), _CHUNK):
            part = numbers[start : start + _CHUNK]
            connection.execute(table.delete().where(table.c.entry_no.in_(part)))


def write(connection: Connection, found: Sequence[Entry]) -> None:
    """Store entries under the numbers that they have, or under new ones."""
    if not found:
        return
    entries = catalogue_entries.c
    ids = [entry.entry_id for entry in found]
    query = select(entries.entry_id, entries.entry_no).where(entries.entry_id.in_(ids))
    numbers = {row.entry_id: row.entry_no for row in connection.execute(query)}
    remove(connection, list(numbers.values()))
    last = connection.execute(select(func.max(entries.entry_no))).scalar_one() or 0
    last = max([last, *numbers.values()])
    rows, texts, tokens = [], [], []
    for entry in found:
        if entry.entry_id not in numbers:
            last += 1
            numbers[entry.entry_id] = last
        number = numbers[entry.entry_id]
        rows.append(_row(number, entry))
        texts.append(_texts(number, entry))
        tokens.append((number, *entry.tokens()))
    connection.execute(catalogue_entries.insert(), rows)
    connection.execute(catalogue_texts.insert(), texts)
    add_to_index(connection, tokens)


def write_values(connection: Connection) -> None:
    """Store which entries have each value of each facet, as the entries are now."""
    entries = catalogue_entries.c
    numbers: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
    for entry_no, facets in connection.execute(select(entries.entry_no, entries.facets)):
        for key, facet in FACETS.items():
            for value in facet.values_of(facets):
                numbers[key, value].append(entry_no)
    connection.execute(catalogue_values.delete())
    rows = [
        {"facet": key, "number": value, "entries": as_bytes(set_of(found))}
        for (key, value), found in numbers.items()
    ]
    if rows:
        connection.execute(catalogue_values.insert(), rows)


def _row(number: int, entry: Entry) -> dict[str, Any]:
    by_sound, by_letter = entry.title_keys()
    return {
        "entry_no": number,
        "entry_id": entry.entry_id,
        "kind": entry.kind,
        "facets": pack(entry.facets),
        "price_micro_yuan": entry.price_micro_yuan,
        "issued_at": entry.issued_at,
        "title_zh_key": by_sound,
        "title_en_key": by_letter,
        "record_digest": entry.record_digest,
        "tariff_no": entry.tariff_no,
    }


def _texts(number: int, entry: Entry) -> dict[str, Any]:
    return {
        "entry_no": number,
        "title_zh": entry.title[0],
        "title_en": entry.title[1],
        "summary_zh": entry.summary[0],
        "summary_en": entry.summary[1],
        "provider": entry.provider,
        "source": entry.source,
    }
