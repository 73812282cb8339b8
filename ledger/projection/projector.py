"""From events to tables, and back to nothing and up again.

Rules kept here:
1. Only the indexer calls `apply`, inside the transaction that stores the event.
2. Projections follow from the stored events alone: `rebuild` empties and replays them, and every
   row comes back as it was (`projection_digest` compares them byte for byte).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, Table, select

from ledger.projection.database import write
from ledger.projection.errors import UnknownEventError
from ledger.projection.handlers import HANDLERS
from ledger.projection.stored import StoredEvent, plain
from ledger.projection.tables import CHAIN_COPY, PROJECTIONS, events
from ledger.projection.types import json_text

_FETCH = 1_000


def apply(connection: Connection, event: StoredEvent) -> None:
    """Write what one event means.

    Raises:
        UnknownEventError: no handler knows the event.
        EventContradictsError: it does not fit the events before it.
    """
    handler = HANDLERS.get(event.name)
    if handler is None:
        raise UnknownEventError(
            f"no handler for {event.contract}.{event.name}", field="event", got=event.name
        )
    handler(connection, event)


def replay(connection: Connection) -> int:
    """Empty the projections and fill them from the stored events; return how many there were."""
    for table in reversed(PROJECTIONS):
        connection.execute(table.delete())
    count = 0
    for event in stored_events(connection):
        apply(connection, event)
        count += 1
    return count


def rebuild(engine: Engine) -> int:
    """Replay in one transaction: readers see the old tables until the new ones are there."""
    with write(engine) as connection:
        return replay(connection)


def forget_chain(engine: Engine) -> None:
    """Drop all projections and the copy of the chain, so that the indexer starts anew."""
    with write(engine) as connection:
        for table in (*reversed(PROJECTIONS), *reversed(CHAIN_COPY)):
            connection.execute(table.delete())


def stored_events(connection: Connection) -> Iterator[StoredEvent]:
    """Yield all stored events in the order of the chain."""
    columns = [events.c[name] for name in StoredEvent.__dataclass_fields__]
    query = select(*columns).order_by(events.c.block_number, events.c.log_index)
    # All at once would be memory; a server-side cursor would not survive the writes between.
    offset_block, offset_log = -1, -1
    while True:
        after = (events.c.block_number > offset_block) | (
            (events.c.block_number == offset_block) & (events.c.log_index > offset_log)
        )
        rows = connection.execute(query.where(after).limit(_FETCH)).all()
        for row in rows:
            yield StoredEvent(**row._mapping)
        if len(rows) < _FETCH:
            return
        offset_block, offset_log = rows[-1].block_number, rows[-1].log_index


def projection_digest(connection: Connection) -> str:
    """Return the SHA-256 (hex) over all rows of all projections, equal on every database."""
    digest = hashlib.sha256()
    for table in sorted(PROJECTIONS, key=lambda item: item.name):
        digest.update(f"{table.name}\n".encode())
        for line in table_lines(connection, table):
            digest.update(line.encode())
    return digest.hexdigest()


def table_lines(connection: Connection, table: Table) -> Iterator[str]:
    """Yield the rows of a table as canonical JSON lines, sorted as text."""
    rows: list[Any] = list(connection.execute(select(table)).mappings())
    yield from sorted(json_text(plain(dict(row))) + "\n" for row in rows)
