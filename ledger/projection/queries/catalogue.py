"""Search of the catalogue: what matches, in which order, and how many of each facet.

Rules kept here:
1. A page begins after the last entry of the page before, so what comes in between moves nothing.
2. A facet counts what all other filters leave: choosing a value never empties its own list.
3. Relevance is the same on every database: titles that hold the words as they were typed, titles
   that hold the words, everything else; the newest first in each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from ledger.domain.facets import FACETS, EntryKind
from ledger.domain.search_words import Part
from ledger.projection.entry_sets import common, contains, selected, stored, union
from ledger.projection.queries.base import one
from ledger.projection.tables import (
    catalogue_entries,
    catalogue_texts,
    catalogue_values,
    harvested_datasets,
)
from ledger.projection.text_index import matching


class Sort(IntEnum):
    """Orders of a search."""

    RELEVANCE = 1
    NEWEST = 2
    TITLE_ZH = 3
    TITLE_EN = 4


@dataclass(frozen=True, slots=True)
class Search:
    """A search.

    Attributes:
        parts: what must be found; none for everything.
        chosen: numbers by facet; an entry needs one of each facet that is named.
        price_max_micro_yuan: only entries whose use begins at no higher price.
        after: the sort values and the id of the last entry seen.
    """

    parts: tuple[Part, ...] = ()
    chosen: Mapping[str, frozenset[int]] = field(default_factory=dict)
    price_max_micro_yuan: int | None = None
    sort: Sort = Sort.NEWEST
    limit: int = 20
    after: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One result; `score` and keys are what it was sorted by."""

    entry_id: UUID
    kind: int
    facets: int
    price_micro_yuan: int | None
    issued_at: int
    title_zh_key: str
    title_en_key: str
    title_zh: str
    title_en: str
    summary_zh: str
    summary_en: str
    provider: str
    source: str
    score: int

    def place(self, sort: Sort) -> tuple[Any, ...]:
        """Return where the next page begins."""
        keys: dict[Sort, tuple[Any, ...]] = {
            Sort.RELEVANCE: (self.score, self.issued_at),
            Sort.NEWEST: (self.issued_at,),
            Sort.TITLE_ZH: (self.title_zh_key,),
            Sort.TITLE_EN: (self.title_en_key,),
        }
        return (*keys[sort], str(self.entry_id))


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of results, how many there are, and the counts of each facet by number."""

    items: tuple[EntryRow, ...]
    total: int
    counts: Mapping[str, Mapping[int, int]]
    is_last: bool


@dataclass(frozen=True, slots=True)
class HarvestedRow:
    """A dataset of another catalogue."""

    entry_id: UUID
    source: str
    uri: str
    record: dict[str, Any]
    record_digest: bytes
    harvested_at: int


def search(connection: Connection, wanted: Search) -> SearchPage:
    """Return one page of what is wanted, with the counts over all pages."""
    values = _values(connection)
    kept = {key: union(values[key][it] for it in chosen) for key, chosen in wanted.chosen.items()}
    found = _found(connection, wanted, union(values["kind"].values()))
    counts = {}
    for key, facet in FACETS.items():
        others = common(found, *(kept[other] for other in kept if other != key))
        counted = {it: (values[key][it] & others).bit_count() for it in facet.names.values()}
        counts[key] = {number: count for number, count in counted.items() if count}
    passing = common(found, *kept.values())
    items = _page(connection, wanted, passing)
    is_last = len(items) <= wanted.limit
    return SearchPage(tuple(items[: wanted.limit]), passing.bit_count(), counts, is_last)


def harvested(connection: Connection, entry_id: UUID) -> HarvestedRow:
    """Return a dataset of another catalogue.

    Raises:
        NotFoundError: there is none of this id.
    """
    query = select(harvested_datasets).where(harvested_datasets.c.entry_id == entry_id)
    return one(connection, query, HarvestedRow, "entry", entry_id)


def kind_of_entry(connection: Connection, entry_id: UUID) -> EntryKind | None:
    """Return what an entry is, None when there is none of this id."""
    query = select(catalogue_entries.c.kind).where(catalogue_entries.c.entry_id == entry_id)
    number = connection.execute(query).scalar_one_or_none()
    return None if number is None else EntryKind(number)


def _values(connection: Connection) -> dict[str, defaultdict[int, int]]:
    """Return the entries of each facet's values."""
    found: dict[str, defaultdict[int, int]] = {key: defaultdict(int) for key in FACETS}
    for row in connection.execute(select(catalogue_values)):
        found[row.facet][row.number] = stored(row.entries)
    return found


def _found(connection: Connection, wanted: Search, entries: int) -> int:
    """Return those of the entries that have the words and the price."""
    if wanted.parts:
        entries &= matching(connection, wanted.parts)
    if wanted.price_max_micro_yuan is not None:
        row = catalogue_entries.c
        priced = select(row.entry_no).where(row.price_micro_yuan <= wanted.price_max_micro_yuan)
        entries &= selected(connection, priced)
    return entries


def _page(connection: Connection, wanted: Search, passing: int) -> list[EntryRow]:
    """Return the results of a page and, where there is one, the first of the next."""
    if wanted.sort is not Sort.RELEVANCE:
        return _rows(connection, wanted, passing, _keys(wanted.sort), wanted.after)
    items: list[EntryRow] = []
    after = wanted.after
    for score, entries in _scored(connection, wanted.parts, passing):
        if after is not None and score > after[0]:
            continue
        start = after[1:] if after is not None and score == after[0] else None
        items += _rows(connection, wanted, entries, _keys(Sort.NEWEST), start, score)
        if len(items) > wanted.limit:
            break
    return items


def _scored(
    connection: Connection, parts: Sequence[Part], passing: int
) -> Iterator[tuple[int, int]]:
    """Yield 2 with the entries whose titles hold the words as typed, 1 with those whose titles
    hold the words, 0 with the rest."""
    if parts:
        for score, whole in ((2, True), (1, False)):
            entries = passing & matching(connection, parts, in_title=True, whole=whole)
            yield score, entries
            passing &= ~entries
    yield 0, passing


Keys = Sequence[tuple[ColumnElement[Any], bool]]
"""What is sorted by, and whether downwards."""


def _rows(
    connection: Connection,
    wanted: Search,
    among: int,
    keys: Keys,
    after: Sequence[Any] | None,
    score: int = 0,
) -> list[EntryRow]:
    if not among:
        return []
    entries, texts = catalogue_entries.c, catalogue_texts.c
    query = select(entries.entry_no).where(contains(among, entries.entry_no))
    if after is not None:
        query = query.where(_after(keys, after))
    order = [key.desc() if is_down else key for key, is_down in keys]
    part = query.order_by(*order).limit(wanted.limit + 1).subquery()
    shown = [
        column for column in (*entries, *texts) if column.name in EntryRow.__dataclass_fields__
    ]
    joined = (
        select(*shown)
        .join(part, part.c.entry_no == entries.entry_no)
        .join(catalogue_texts, texts.entry_no == entries.entry_no)
        .order_by(*order)
    )
    return [EntryRow(**row, score=score) for row in connection.execute(joined).mappings()]


def _keys(sort: Sort) -> Keys:
    entries = catalogue_entries.c
    keys: dict[Sort, tuple[ColumnElement[Any], bool]] = {
        Sort.NEWEST: (entries.issued_at, True),
        Sort.TITLE_ZH: (entries.title_zh_key, False),
        Sort.TITLE_EN: (entries.title_en_key, False),
    }
    return (keys[sort], (entries.entry_id, False))


def _after(keys: Keys, values: Sequence[Any]) -> ColumnElement[bool]:
    """Return the condition that an entry comes after these values in the order of the keys."""
    alternatives = []
    for place, ((key, is_down), value) in enumerate(zip(keys, values, strict=True)):
        equal = [keys[before][0] == values[before] for before in range(place)]
        alternatives.append(and_(*equal, key < value if is_down else key > value))
    return or_(*alternatives)
