"""What the handlers share: a registry by event name, and two statements.

A handler takes the connection of the indexer's transaction and one event, and writes what the event
means. It reads nothing but the tables that earlier events filled, neither clock nor chain.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Table, and_, bindparam
from sqlalchemy.sql.dml import Update

from ledger.projection.errors import EventContradictsError
from ledger.projection.stored import StoredEvent

Handler = Callable[[Connection, StoredEvent], None]
HANDLERS: dict[str, Handler] = {}

_UPDATES: dict[tuple[str, tuple[str, ...]], Update] = {}


def handles(name: str) -> Callable[[Handler], Handler]:
    """Register a function as the handler of an event; names are unique over all contracts."""

    def register(handler: Handler) -> Handler:
        if name in HANDLERS:
            raise ValueError(f"two handlers for {name}")
        HANDLERS[name] = handler
        return handler

    return register


def insert(connection: Connection, table: Table, **values: Any) -> None:
    """Insert one row."""
    connection.execute(table.insert(), values)


def insert_all(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert many rows in one statement; none is fine."""
    if rows:
        connection.execute(table.insert(), rows)


def change(connection: Connection, table: Table, key: dict[str, Any], **values: Any) -> None:
    """Update the one row of a primary key.

    Raises:
        EventContradictsError: there is no such row.
    """
    statement = _update_of(table, tuple(values))
    bound = {f"key_{name}": value for name, value in key.items()} | values
    if connection.execute(statement, bound).rowcount != 1:
        raise EventContradictsError(
            f"no row of {table.name} to change", field=table.name, got=str(key)
        )


def _update_of(table: Table, names: tuple[str, ...]) -> Update:
    cached = _UPDATES.get((table.name, names))
    if cached is None:
        where = [column == bindparam(f"key_{column.name}") for column in table.primary_key]
        cached = table.update().where(and_(*where)).values({n: bindparam(n) for n in names})
        _UPDATES[(table.name, names)] = cached
    return cached
