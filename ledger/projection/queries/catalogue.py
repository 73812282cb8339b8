"""Search of the catalogue: what matches, in which order, and how many of each facet.

Rules kept here:
1. A page begins after the last entry of the page before it, so what comes in between moves nothing.
2. A facet counts what all other filters leave: choosing a value never empties its own list.
3. Relevance is the same on every database: titles that hold the words as they were typed, titles that
   hold the words, everything else; the newest first in each.
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
    found = _found(connection, wanted)
    total, counts = _count(connection, wanted, found)
    items = _page(connection, wanted, found)
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


def _found(connection: Connection, wanted: Search) -> list[ColumnElement[bool]]:
    """Return the conditions of words and price, those of facets left out."""
    entries = catalogue_entries.c
    conditions = []
    if wanted.parts:
        conditions.append(matches(connection, entries.entry_no, wanted.parts))
    if wanted.price_max_micro_yuan is not None:
        conditions.append(entries.price_micro_yuan <= wanted.price_max_micro_yuan)
    return conditions


def _count(
    connection: Connection, wanted: Search, found: Sequence[ColumnElement[bool]]
) -> tuple[int, dict[str, dict[int, int]]]:
    """Count every facet in one pass over the numbers of what matches."""
    query = select(catalogue_entries.c.facets).where(*found)
    numbers: list[int] = list(connection.execute(query).scalars())
    passing, only_failing = _sifted(numbers, wanted.chosen)
    counts = {}
    for key, facet in FACETS.items():
        counted = passing + only_failing[key] if key in only_failing else passing
        counts[key] = _counts(facet, counted)
    return len(passing), counts


def _sifted(
    numbers: list[int], chosen: Mapping[str, frozenset[int]]
) -> tuple[list[int], dict[str, list[int]]]:
    """Return what passes every filter, and by filter what fails that one alone."""
    alone: dict[str, list[int]] = {key: [] for key in chosen}
    passing = numbers
    for key, values in chosen.items():
        test = _test(FACETS[key], values)
        for other, left in alone.items():
            if other != key:
                alone[other] = [number for number in left if test(number)]
        alone[key] = [number for number in passing if not test(number)]
        passing = [number for number in passing if test(number)]
    return passing, alone


def _test(facet: Facet, values: frozenset[int]) -> Any:
    shift, mask = facet.shift, facet.mask
    if facet.is_set:
        bits = sum(values) << shift
        return lambda number: bool(number & bits)
    return lambda number: (number >> shift) & mask in values


def _counts(facet: Facet, numbers: list[int]) -> dict[int, int]:
    shift, mask = facet.shift, facet.mask
    raw = Counter([(number >> shift) & mask for number in numbers])
    if not facet.is_set:
        return {number: raw[number] for number in facet.names.values() if raw[number]}
    found = {
        bit: sum(count for number, count in raw.items() if number & bit)
        for bit in facet.names.values()
    }
    return {bit: count for bit, count in found.items() if count}


def _page(
    connection: Connection, wanted: Search, found: Sequence[ColumnElement[bool]]
) -> tuple[EntryRow, ...]:
    """Return the results of a page and, where there is one, the first of the next."""
    entries = catalogue_entries.c
    score = _score(connection, wanted).label("score")
    keys = _keys(wanted.sort, score)
    query = select(catalogue_entries, score).where(*found, *_chosen(wanted.chosen))
    if wanted.after is not None:
        query = query.where(_after(keys, wanted.after))
    ordered = query.order_by(*(key.desc() if is_down else key for key, is_down in keys))
    part = ordered.limit(wanted.limit + 1).subquery()
    texts = catalogue_texts.c
    shown = (
        *(part.c[column.name] for column in entries if column.name in _OF_ENTRIES),
        part.c.score,
        *(column for column in texts if column.name != "entry_no"),
    )
    joined = select(*shown).join(catalogue_texts, texts.entry_no == part.c.entry_no)
    rows = [EntryRow(**row) for row in connection.execute(joined).mappings()]
    return tuple(sorted(rows, key=lambda row: _order(row, wanted.sort)))


_OF_ENTRIES = set(EntryRow.__dataclass_fields__) & {column.name for column in catalogue_entries.c}


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
