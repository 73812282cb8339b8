"""What the queries share: rows as records, pages, and "there is no such thing"."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Select, Table, func, select

from ledger.projection.errors import NotFoundError

Record = TypeVar("Record")
PAGE_SIZE_MAX = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[Record]):
    """A part of a list.

    Attributes:
        items: the records of this page.
        total: how many there are on all pages.
        offset: how many come before this page.
    """

    items: tuple[Record, ...]
    total: int
    offset: int


def records(connection: Connection, query: Select[Any], kind: type[Record]) -> list[Record]:
    """Return the rows as records; the columns have the names of the fields."""
    return [kind(**row) for row in connection.execute(query).mappings()]


def one(
    connection: Connection, query: Select[Any], kind: type[Record], what: str, key: object
) -> Record:
    """Return the only row as a record.

    Raises:
        NotFoundError: there is none.
    """
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(
            f"there is no {what} {key}",
            field=f"{what}_id",
            got=str(key),
            expected=f"a known {what}",
        )
    return kind(**row)


def page(
    connection: Connection, query: Select[Any], kind: type[Record], limit: int, offset: int
) -> Page[Record]:
    """Return one page of an ordered query; at most `PAGE_SIZE_MAX` records."""
    total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    part = query.limit(max(1, min(limit, PAGE_SIZE_MAX))).offset(max(0, offset))
    return Page(tuple(records(connection, part, kind)), int(total), offset)


def columns(table: Table, kind: type[Any]) -> list[Any]:
    """Return the columns of a table that a record's fields name."""
    return [table.c[field.name] for field in fields(kind)]


def total_of(connection: Connection, query: Select[Any]) -> int:
    """Return the sum of one column, added up in Python: no database may round it."""
    return sum(int(value) for value in connection.execute(query).scalars())
