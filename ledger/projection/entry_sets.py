"""Sets of catalogue entries as integers: bit n stands for the entry of number n.

A thousand entries are 125 bytes, and "those of both" or "how many" is one step, so that every facet
is counted without looking at an entry.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import reduce
from operator import and_, or_

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    String,
    cast,
    func,
    literal,
    select,
)

_ONE = b"1"


def set_of(numbers: Collection[int]) -> int:
    """Return the set of these numbers."""
    digits = bytearray(b"0") * (max(numbers, default=0) + 1)
    for number in numbers:
        digits[~number] = _ONE[0]
    return int(digits, 2)


def union(sets: Iterable[int]) -> int:
    """Return what is in any of the sets."""
    return reduce(or_, sets, 0)


def common(first: int, *others: int) -> int:
    """Return what is in all of the sets."""
    return reduce(and_, others, first)


def as_bytes(entries: int) -> bytes:
    """Return the bytes that a set is stored as."""
    return entries.to_bytes((entries.bit_length() + 7) // 8, "little")


def stored(content: bytes) -> int:
    """Return the set that was stored as these bytes."""
    return int.from_bytes(content, "little")


def selected(connection: Connection, numbers: Select[tuple[int]]) -> int:
    """Return the set of the numbers that a query selects."""
    # As one text: a row for each would take several times as long.
    column = cast(numbers.subquery().c[0], String)
    text = connection.execute(select(func.aggregate_strings(column, ","))).scalar_one()
    return set_of(list(map(int, text.split(",")))) if text else 0


def contains(entries: int, entry_no: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a set contains an entry."""
    digits = f"{entries:b}"[::-1].encode()
    at = func.substr(literal(digits, LargeBinary), entry_no + 1, 1, type_=LargeBinary)
    return at == _ONE
