"""Facets, totals and pages of an invented region, compared with a plain count over its entries."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, select

from ledger.domain.facets import FACETS
from ledger.domain.search_words import parts_of
from ledger.projection.catalogue import refresh
from ledger.projection.database import open_engine, read, write
from ledger.projection.entry_sets import as_bytes, contains, selected, set_of, stored
from ledger.projection.queries.catalogue import EntryRow, Search, SearchPage, Sort, search
from ledger.projection.tables import catalogue_entries
from scripts.bench.catalogue import Story, store
from tests.unit.databases import KINDS, database_in

pytestmark = pytest.mark.unit

DATASETS = 300
WORDS = ("", "虚构", "气象", "江宁 月报", "report", "weather details", "旅客")


@pytest.fixture(scope="module", params=KINDS)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    story = Story(random.Random(7), DATASETS)
    folder = tmp_path_factory.mktemp(f"counts-{request.param}")
    with database_in(folder, request.param) as url:
        engine = open_engine(url)
        store(engine, list(story.events()))
        with write(engine) as connection:
            assert refresh(connection, story.records.get) > DATASETS
        yield engine
        engine.dispose()


def found(engine: Engine, text: str, **options: Any) -> SearchPage:
    with read(engine) as connection:
        return search(connection, Search(parts_of(text), **options))


def fits(row: EntryRow, key: str, values: frozenset[int]) -> bool:
    return not values.isdisjoint(FACETS[key].values_of(row.facets))


def plain_counts(rows: list[EntryRow], chosen: dict[str, frozenset[int]]) -> dict[str, Any]:
    """Count each facet over the rows that have what is chosen of the others."""
    counts = {}
    for key, facet in FACETS.items():
        others = [it for it in chosen.items() if it[0] != key]
        left = [row for row in rows if all(fits(row, *other) for other in others)]
        counted = Counter(value for row in left for value in facet.values_of(row.facets))
        named = set(facet.names.values())
        counts[key] = {value: count for value, count in counted.items() if value in named}
    return counts


@pytest.mark.parametrize("text", WORDS)
@pytest.mark.parametrize("price_max", [None, 0, 20_000])
def test_search__words_price_and_facets__agrees_with_a_plain_count(
    engine: Engine, text: str, price_max: int | None
) -> None:
    chance = random.Random(text)
    rows = list(found(engine, text, limit=1_000).items)
    if price_max is not None:
        prices = [(row, row.price_micro_yuan) for row in rows]
        rows = [row for row, price in prices if price is not None and price <= price_max]
    for _ in range(12):
        chosen = {
            key: frozenset(chance.sample(sorted(FACETS[key].names.values()), 2))
            for key in chance.sample(sorted(FACETS), chance.randrange(4))
        }
        wanted = [row for row in rows if all(fits(row, *it) for it in chosen.items())]
        page = found(engine, text, chosen=chosen, price_max_micro_yuan=price_max, limit=1_000)
        assert list(page.items) == wanted
        assert (page.total, page.is_last) == (len(wanted), True)
        assert page.counts == plain_counts(rows, chosen)


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("text", ["虚构", "weather"])
def test_search__page_by_page__is_the_whole_in_its_order(
    engine: Engine, text: str, sort: Sort
) -> None:
    whole = list(found(engine, text, sort=sort, limit=1_000).items)
    seen: list[EntryRow] = []
    after, is_last = None, False
    while not is_last:
        page = found(engine, text, sort=sort, limit=7, after=after)
        seen += page.items
        after, is_last = page.items[-1].place(sort), page.is_last
    assert seen == whole
    keys = {
        Sort.RELEVANCE: lambda row: (-row.score, -row.issued_at, str(row.entry_id)),
        Sort.NEWEST: lambda row: (-row.issued_at, str(row.entry_id)),
        Sort.TITLE_ZH: lambda row: (row.title_zh_key, str(row.entry_id)),
        Sort.TITLE_EN: lambda row: (row.title_en_key, str(row.entry_id)),
    }
    assert whole == sorted(whole, key=keys[sort])


@pytest.mark.parametrize("numbers", [[], [0], [1, 2, 64, 1_000], [7, 8, 9]])
def test_set__of_numbers__is_stored_and_asked_for_alike(engine: Engine, numbers: list[int]) -> None:
    entries = set_of(numbers)
    assert stored(as_bytes(entries)) == entries == sum(1 << number for number in numbers)
    row = catalogue_entries.c
    with read(engine) as connection:
        again = selected(connection, select(row.entry_no).where(contains(entries, row.entry_no)))
    assert again == sum(1 << number for number in numbers if 0 < number <= DATASETS)
