"""Search of the catalogue: what matches, in which order, and how many of each facet.

Rules kept here:
1. A page begins after the last entry of the page before, so what comes in between moves nothing.
2. A facet counts what all other filters leave: choosing a value never empties its own list.
3. Relevance is the same on every database: titles that hold the words as they were typed, titles
   that hold the words, everything else; the newest first in each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, literal, or_, select

from ledger.domain.facets import FACETS, EntryKind, Facet
from ledger.domain.search_words import Part
from ledger.projection.queries.base import one
from ledger.projection.tables import catalogue_entries, catalogue_texts, harvested_datasets
from ledger.projection.text_index import matches


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
    total, counts = _count(connection, wanted)
    items = _page(connection, wanted)
    return SearchPage(items[: wanted.limit], total, counts, len(items) <= wanted.limit)


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


def _found(
    connection: Connection, wanted: Search, entry_no: ColumnElement[int]
) -> list[ColumnElement[bool]]:
    """Return the conditions of words and price, those of facets left out."""
    conditions = []
    if wanted.parts:
        conditions.append(matches(connection, entry_no, wanted.parts))
    if wanted.price_max_micro_yuan is not None:
        price = catalogue_entries.c.price_micro_yuan
        conditions.append(price <= wanted.price_max_micro_yuan)
    return conditions


def _count(connection: Connection, wanted: Search) -> tuple[int, dict[str, dict[int, int]]]:
    """Count every facet in one pass over the numbers of what matches."""
    entries = catalogue_entries.c
    query = select(entries.facets).where(*_found(connection, wanted, entries.entry_no))
    numbers: Sequence[int] = connection.execute(query).scalars().all()
    passing, only_failing = _sifted(numbers, wanted.chosen)
    counts = {}
    for low, high in _WORDS:
        mask = (1 << high) - (1 << low)
        words = Counter([number & mask for number in passing])
        for key, facet in FACETS.items():
            if low <= facet.shift < high and key not in only_failing:
                counts[key] = _counts(facet, words)
    for key, more in only_failing.items():
        own = FACETS[key].mask << FACETS[key].shift
        words = Counter([number & own for number in passing])
        counts[key] = _counts(FACETS[key], words + Counter([number & own for number in more]))
    return len(passing), counts


_WORDS = ((0, 28), (28, 39), (39, 46), (46, 63))
"""Bits of facets that are counted together first, because few combinations of them occur."""


def _sifted(
    numbers: Sequence[int], chosen: Mapping[str, frozenset[int]]
) -> tuple[Sequence[int], dict[str, list[int]]]:
    """Return what passes every filter, and by filter what fails that one alone."""
    alone: dict[str, list[int]] = {}
    for key, values in chosen.items():
        facet = FACETS[key]
        for other, failing in alone.items():
            alone[other] = _passing(failing, facet, values)
        alone[key] = _passing(numbers, facet, values, is_wanted=False)
        numbers = _passing(numbers, facet, values)
    return numbers, alone


def _passing(
    numbers: Sequence[int], facet: Facet, values: frozenset[int], *, is_wanted: bool = True
) -> list[int]:
    own = facet.mask << facet.shift
    if facet.is_set:
        bits = sum(values) << facet.shift
        return [number for number in numbers if bool(number & bits) is is_wanted]
    shifted = {value << facet.shift for value in values}
    return [number for number in numbers if (number & own in shifted) is is_wanted]


def _counts(facet: Facet, words: Mapping[int, int]) -> dict[int, int]:
    found: Counter[int] = Counter()
    for word, count in words.items():
        found[(word >> facet.shift) & facet.mask] += count
    if facet.is_set:
        sets, found = found, Counter()
        for bit in facet.names.values():
            found[bit] = sum(count for number, count in sets.items() if number & bit)
    return {number: found[number] for number in facet.names.values() if found[number]}


def _page(connection: Connection, wanted: Search) -> tuple[EntryRow, ...]:
    """Return the results of a page and, where there is one, the first of the next."""
    entries, texts = catalogue_entries.c, catalogue_texts.c
    score = _score(connection, wanted).label("score")
    keys = _keys(wanted.sort, score)
    # As an expression: entries are then walked in the order of the page, and no further than it.
    conditions = _found(connection, wanted, entries.entry_no + 0)
    query = select(entries.entry_no, score).where(*conditions, *_chosen(wanted.chosen))
    if wanted.after is not None:
        query = query.where(_after(keys, wanted.after))
    ordered = query.order_by(*(key.desc() if is_down else key for key, is_down in keys))
    part = ordered.limit(wanted.limit + 1).subquery()
    shown = (
        *(column for column in entries if column.name in EntryRow.__dataclass_fields__),
        *(column for column in texts if column.name in EntryRow.__dataclass_fields__),
        part.c.score,
    )
    joined = (
        select(*shown)
        .join(part, part.c.entry_no == entries.entry_no)
        .join(catalogue_texts, texts.entry_no == entries.entry_no)
    )
    rows = [EntryRow(**row) for row in connection.execute(joined).mappings()]
    return tuple(sorted(rows, key=lambda row: _order(row, wanted.sort)))


def _score(connection: Connection, wanted: Search) -> ColumnElement[int]:
    """Return 2 for titles with the words as typed, 1 for titles with the words, else 0."""
    if wanted.sort is not Sort.RELEVANCE or not wanted.parts:
        return literal(0)
    number, parts = catalogue_entries.c.entry_no, wanted.parts
    return case(
        (matches(connection, number, parts, in_title=True, whole=True), 2),
        (matches(connection, number, parts, in_title=True), 1),
        else_=0,
    )


def _keys(sort: Sort, score: ColumnElement[int]) -> list[tuple[ColumnElement[Any], bool]]:
    """Return what is sorted by, and whether downwards."""
    entries = catalogue_entries.c
    keys: dict[Sort, list[tuple[ColumnElement[Any], bool]]] = {
        Sort.RELEVANCE: [(score, True), (entries.issued_at, True)],
        Sort.NEWEST: [(entries.issued_at, True)],
        Sort.TITLE_ZH: [(entries.title_zh_key, False)],
        Sort.TITLE_EN: [(entries.title_en_key, False)],
    }
    return [*keys[sort], (entries.entry_id, False)]


def _after(
    keys: Sequence[tuple[ColumnElement[Any], bool]], values: Sequence[Any]
) -> ColumnElement[bool]:
    """Return the condition that an entry comes after these values in the order of the keys."""
    alternatives = []
    for place, ((key, is_down), value) in enumerate(zip(keys, values, strict=True)):
        equal = [keys[before][0] == values[before] for before in range(place)]
        alternatives.append(and_(*equal, key < value if is_down else key > value))
    return or_(*alternatives)


def _order(row: EntryRow, sort: Sort) -> tuple[Any, ...]:
    *values, identity = row.place(sort)
    is_down = sort in (Sort.RELEVANCE, Sort.NEWEST)
    return (*((-value if is_down else value) for value in values), identity)


def _chosen(chosen: Mapping[str, frozenset[int]]) -> list[ColumnElement[bool]]:
    facets = catalogue_entries.c.facets
    conditions: list[ColumnElement[bool]] = []
    for key, values in chosen.items():
        facet = FACETS[key]
        if facet.is_set:
            bits = literal(sum(values) << facet.shift, BigInteger)
            conditions.append(facets.op("&")(bits) != 0)
        else:
            own = facets.op("&")(literal(facet.mask << facet.shift, BigInteger))
            conditions.append(own.in_([value << facet.shift for value in sorted(values)]))
    return conditions
