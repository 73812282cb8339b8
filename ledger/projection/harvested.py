"""Stores what was read from other catalogues: durable, because no chain implies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, text

from ledger.projection.tables import harvested_datasets, harvests

_CHUNK = 500


def replace_source(
    connection: Connection, source: str, rows: Sequence[Mapping[str, Any]], head: Mapping[str, Any]
) -> dict[str, int]:
    """Make a source's datasets those of its newest file; return how many were new or gone."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(4027434)"))
    table = harvested_datasets.c
    query = select(table.entry_id, table.record_digest).where(table.source == source)
    known = {row.entry_id: row.record_digest for row in connection.execute(query)}
    wanted = {row["entry_id"]: row for row in rows}
    added = [key for key in wanted if key not in known]
    changed = [
        key
        for key in wanted
        if known.get(key, wanted[key]["record_digest"]) != wanted[key]["record_digest"]
    ]
    removed = [key for key in known if key not in wanted]
    gone = [*changed, *removed]
    for start in range(0, len(gone), _CHUNK):
        part = gone[start : start + _CHUNK]
        connection.execute(harvested_datasets.delete().where(table.entry_id.in_(part)))
    fresh = [dict(wanted[key]) | {"harvested_at": head["harvested_at"]} for key in added + changed]
    if fresh:
        connection.execute(harvested_datasets.insert(), fresh)
    _remember(connection, source, head)
    return {
        "added": len(added),
        "changed": len(changed),
        "removed": len(removed),
        "unchanged": len(wanted) - len(added) - len(changed),
    }


def _remember(connection: Connection, source: str, head: Mapping[str, Any]) -> None:
    query = select(harvests.c.file_digest).where(harvests.c.source == source)
    if connection.execute(query).scalar_one_or_none() == head["file_digest"]:
        return
    connection.execute(harvests.delete().where(harvests.c.source == source))
    connection.execute(harvests.insert(), {"source": source, **head})
