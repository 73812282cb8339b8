"""Projections follow from the chain: a new shape is made anew and read again."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from ledger.projection.tables import CHAIN_COPY, METADATA, PROJECTIONS


def columns_of(connection: Connection, table: str) -> set[str]:
    """Return the names of a table's columns."""
    return {column["name"] for column in inspect(connection).get_columns(table)}


def make_anew(connection: Connection) -> None:
    """Drop and make all projections, and empty the copy of the chain, to be read again."""
    present = set(inspect(connection).get_table_names())
    for table in reversed(PROJECTIONS):
        if table.name in present:
            connection.execute(text(f"DROP TABLE {table.name}"))
    METADATA.create_all(connection, tables=list(PROJECTIONS))
    for table in reversed(CHAIN_COPY):
        connection.execute(table.delete())
