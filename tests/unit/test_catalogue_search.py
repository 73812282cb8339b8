"""Search of the catalogue on both databases: words, facets, pages, prices, and coming back."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from ledger.domain.search_words import parts_of
from ledger.projection.catalogue import is_current, refresh
from ledger.projection.catalogue_store import catalogue_digest, empty
from ledger.projection.chain_copy import ChainCopy, Position, StoredBlock
from ledger.projection.database import migrate, open_engine, read, write
from ledger.projection.queries.catalogue import Search, Sort, search
from ledger.projection.queries.lineage_graph import dataset_graph, product_graph
from tests.unit import market_story as m
from tests.unit.databases import KINDS, database_in
from tests.unit.test_projection_story import store

pytestmark = pytest.mark.unit

RECORD = {
    "title_zh": "南京市交通流量",
    "title_en": "Traffic flows of Nanjing",
    "summary_zh": "各路口每小时车流",
    "summary_en": "cars an hour at each crossing",
    "keywords": ["路口"],
    "domain": "transport",
    "provider_name": "虚构交通局",
    "fields": [{"name": "hour", "type": "integer"}],
}


def record_of(digest: bytes) -> dict[str, Any]:
    """Datasets and products have titles of their own, told by their digests."""
    number = hashlib.sha256(digest).digest()[0]
    own = RECORD | {"title_en": f"{RECORD['title_en']} {number}"}
    return own | {"metadata": own}


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp(f"catalogue-{request.param}")
    with database_in(folder, request.param) as url:
        engine = open_engine(url)
        migrate(engine)
        store(engine, m.story())
        with write(engine) as connection:
            assert refresh(connection, record_of) == 3
        yield engine
        engine.dispose()


def found(engine: Any, text: str = "", **options: Any) -> Any:
    with read(engine) as connection:
        return search(connection, Search(parts_of(text), **options))


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("", 3),
        ("南京交通", 3),
        ("路口", 3),
        ("流", 3),
        ("traffic", 3),
        ("crossings", 3),
        ("hour 交通局", 2),
        ("旅客", 0),
        ("traffic 旅客", 0),
        ("'); DROP TABLE catalogue_index; --", 0),
        ('" OR title : *', 0),
    ],
)
def test_search__words_of_both_languages__find_their_entries(
    engine: Any, text: str, total: int
) -> None:
    assert found(engine, text, sort=Sort.RELEVANCE).total == total


def test_search__words_in_the_title_as_typed__come_first(engine: Any) -> None:
    typed = found(engine, "交通流量", sort=Sort.RELEVANCE)
    parted = found(engine, "南京交通", sort=Sort.RELEVANCE)
    body = found(engine, "路口", sort=Sort.RELEVANCE)
    assert [{row.score for row in page.items} for page in (typed, parted, body)] == [{2}, {1}, {0}]


def test_facets__chosen_or_not__count_what_the_others_leave(engine: Any) -> None:
    everything = found(engine)
    products = found(engine, chosen={"kind": frozenset([2])})
    assert everything.counts["kind"] == {1: 2, 2: 1} == products.counts["kind"]
    assert (everything.total, products.total) == (3, 1)
    assert sum(products.counts["state"].values()) == 1
    modes = found(engine, chosen={"mode": frozenset([1 << 6])})
    assert modes.total == 0 < sum(modes.counts["mode"].values())


@pytest.mark.parametrize("sort", list(Sort))
def test_pages__one_by_one__give_every_entry_once(engine: Any, sort: Sort) -> None:
    whole = [row.entry_id for row in found(engine, "traffic", sort=sort).items]
    seen, after = [], None
    for _ in range(4):
        page = found(engine, "traffic", sort=sort, limit=1, after=after)
        seen += [row.entry_id for row in page.items]
        if page.is_last:
            break
        after = page.items[-1].place(sort)
    assert seen == whole
    assert len(set(whole)) == 3


def test_prices__of_a_tariff__reach_the_datasets_of_the_product(engine: Any) -> None:
    prices = {row.entry_id: row.price_micro_yuan for row in found(engine).items}
    assert prices == {m.PRODUCT: 20_000, m.DATASET: 20_000, m.CHILD: None}
    assert found(engine, price_max_micro_yuan=19_999).total == 0


def test_lineage__both_ways__from_either_end(engine: Any) -> None:
    with read(engine) as connection:
        down, up = dataset_graph(connection, m.DATASET), product_graph(connection, m.PRODUCT)
        child = dataset_graph(connection, m.CHILD)
    assert str(m.PRODUCT) in down.nodes
    assert {node.subject_id for node in child.nodes.values()} >= {m.CHILD, m.DATASET}
    assert {edge.kind for edge in child.edges.values()} >= {"derived"}
    assert {edge.kind for edge in up.edges.values()} >= {"product"}


def test_refresh__emptied_and_again__same_entries(engine: Any) -> None:
    with write(engine) as connection:
        before = catalogue_digest(connection)
        empty(connection)
        assert refresh(connection, record_of) == 3
        assert catalogue_digest(connection) == before
        assert is_current(connection)
        assert refresh(connection, record_of) == 0


def test_refresh__after_the_chain_went_back__drops_what_is_gone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    story = m.story()
    store(engine, story)
    with write(engine) as connection:
        refresh(connection, record_of)
    listed = next(event for event in story if event.name == "DatasetEvidenced")
    last, fork = story[-1], story[story.index(listed)]
    block = StoredBlock(fork.block_number, fork.block_hash, fork.block_time)
    assert ChainCopy(engine).rewind(Position(last.block_number, last.block_hash), block)
    with write(engine) as connection:
        refresh(connection, record_of)
    left = found(engine, "traffic")
    assert [row.entry_id for row in left.items] == [m.DATASET]
    assert left.counts["kind"] == {1: 1}


def test_refresh__without_documents__entries_without_words(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    store(engine, m.story())
    with write(engine) as connection:
        refresh(connection, lambda digest: None)
    assert found(engine).total == 3
    assert all(row.title_zh.startswith("0x") for row in found(engine).items)
