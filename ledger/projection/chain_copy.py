"""The copy of the chain's events, and how far it goes. The indexer is its only writer.

Rules kept here:
1. A range of blocks is stored in one transaction: blocks, events, what they mean, cursor.
2. The cursor moves only from where the writer believed it to be: of two indexers, one gives way.
3. A rewind deletes by block and replays the rest, so no table can be forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from ledger.projection.database import read, write
from ledger.projection.projector import apply, replay
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import blocks, cursor, events


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A block whose events are stored, or the end of a range; time in Unix seconds."""

    number: int
    hash: str
    time: int


@dataclass(frozen=True, slots=True)
class Position:
    """How far the copy goes: everything up to and including this block."""

    number: int
    hash: str


class ChainCopy:
    """Blocks, events and cursor in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def position(self) -> Position | None:
        """Return how far the copy goes, None before the first block."""
        with read(self._engine) as connection:
            return _position(connection)

    def last_event_nos(self, contracts: Sequence[str]) -> dict[str, int]:
        """Return the number of each contract's last stored event; 0 when there is none."""
        with read(self._engine) as connection:
            return {name: _last_event_no(connection, name) for name in contracts}

    def blocks_before(self, number: int, limit: int) -> list[StoredBlock]:
        """Return stored blocks with a number of at most `number`, newest first."""
        query = (
            select(blocks)
            .where(blocks.c.block_number <= number)
            .order_by(blocks.c.block_number.desc())
            .limit(limit)
        )
        with read(self._engine) as connection:
            return [StoredBlock(*row) for row in connection.execute(query)]

    def store(
        self,
        before: Position | None,
        new_blocks: Sequence[StoredBlock],
        new_events: Sequence[StoredEvent],
    ) -> bool:
        """Store a range whose last block is the last of `new_blocks`.

        Returns:
            False when someone else has moved the cursor meanwhile; then nothing was stored.

        Raises:
            ProjectionError: an event contradicts the events before it; nothing was stored.
        """
        with write(self._engine) as connection:
            if _position(connection) != before:
                return False
            rows = [dict(zip(blocks.c.keys(), _values(b), strict=True)) for b in new_blocks]
            connection.execute(blocks.insert(), rows)
            if new_events:
                connection.execute(events.insert(), [_row(event) for event in new_events])
            for event in new_events:
                apply(connection, event)
            _move(connection, Position(new_blocks[-1].number, new_blocks[-1].hash))
            return True

    def rewind(self, before: Position, fork: StoredBlock | None) -> bool:
        """Forget everything above a block (all of it when None) and replay what is left.

        Returns:
            False when someone else has moved the cursor meanwhile; then nothing changed.
        """
        above = -1 if fork is None else fork.number
        with write(self._engine) as connection:
            if _position(connection) != before:
                return False
            connection.execute(events.delete().where(events.c.block_number > above))
            connection.execute(blocks.delete().where(blocks.c.block_number > above))
            replay(connection)
            _move(connection, None if fork is None else Position(fork.number, fork.hash))
            return True


def position_of(connection: Connection) -> Position | None:
    """Return how far the projections go, for a reader's own transaction."""
    return _position(connection)


def _values(block: StoredBlock) -> tuple[int, str, int]:
    return block.number, block.hash, block.time


def _row(event: StoredEvent) -> dict[str, Any]:
    # Not `asdict`: it would copy the arguments deeply, for half of the indexer's time.
    return {name: getattr(event, name) for name in StoredEvent.__dataclass_fields__}


def _position(connection: Connection) -> Position | None:
    row = connection.execute(select(cursor.c.block_number, cursor.c.block_hash)).one_or_none()
    return None if row is None else Position(*row)


def _last_event_no(connection: Connection, contract: str) -> int:
    query = select(func.max(events.c.event_no)).where(events.c.contract == contract)
    return int(connection.execute(query).scalar_one() or 0)


def _move(connection: Connection, position: Position | None) -> None:
    connection.execute(cursor.delete())
    if position is not None:
        values = {"block_number": position.number, "block_hash": position.hash}
        connection.execute(cursor.insert(), {"cursor_id": 1} | values)
