"""The indexer on an in-memory chain: whatever happens, the tables equal a clean index."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.client import ChainUnreachableError
from ledger.chain.errors import RpcRefusedError
from ledger.chain.events import UndecodableLogError, decode_log
from ledger.chain.rpc_types import RawLog, raw_log
from ledger.indexer.errors import IndexGapError, RangeChangedError, ReorgTooDeepError
from ledger.indexer.indexer import Indexer
from ledger.projection import queries
from ledger.projection.chain_copy import ChainCopy
from ledger.projection.database import migrate, open_engine, read
from ledger.projection.projector import stored_events
from tests.unit.fake_chain import CONTRACTS, DIRECTORY, FakeLogChain, city_log

pytestmark = pytest.mark.unit


@pytest.fixture
def chain() -> FakeLogChain:
    made = FakeLogChain()
    for number in range(1, 11):
        made.mine([1000 + number, 2000 + number])
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    return new_engine(tmp_path / "first.db")


def new_engine(file: Path) -> Any:
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    return engine


def content(engine: Any) -> tuple[str, list[Any], list[int]]:
    """Everything that a clean index would give."""
    with read(engine) as connection:
        events = list(stored_events(connection))
        return queries.projection_digest(connection), events, queries.city_codes(connection)


def clean(chain: FakeLogChain, tmp_path: Path) -> tuple[str, list[Any], list[int]]:
    engine = new_engine(tmp_path / f"clean{chain.salt}.db")
    Indexer(chain, CONTRACTS, engine).catch_up()
    return content(engine)


def test_catch_up__fresh_database__indexes_all_and_then_nothing(
    chain: FakeLogChain, engine: Any
) -> None:
    indexer = Indexer(chain, CONTRACTS, engine)
    first, second = indexer.catch_up(), indexer.catch_up()
    assert (first.events, first.to_block, first.forks) == (20, 10, ())
    assert (second.events, second.to_block) == (0, 10)


def test_catch_up__confirmations__stays_behind_the_head(chain: FakeLogChain, engine: Any) -> None:
    report = Indexer(chain, CONTRACTS, engine, confirmations=3).catch_up()
    assert (report.to_block, report.events) == (7, 14)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("growth", [-1, 0, 1])
def test_catch_up__reorg__equals_a_clean_index(
    chain: FakeLogChain, engine: Any, tmp_path: Path, depth: int, growth: int
) -> None:
    forks: list[int] = []
    indexer = Indexer(chain, CONTRACTS, engine, span_max=2, on_fork=forks.append)
    indexer.catch_up()
    # The last transaction of the old chain is mined again, in another block.
    chain.reorg(depth, [[2010], *([3000 + i] for i in range(depth + growth - 1))])
    report = indexer.catch_up()
    assert content(engine) == clean(chain, tmp_path)
    assert report.forks == tuple(forks)
    assert len(forks) == 1
    assert forks[0] <= 10 - depth


def test_catch_up__head_goes_back__rewinds(
    chain: FakeLogChain, engine: Any, tmp_path: Path
) -> None:
    indexer = Indexer(chain, CONTRACTS, engine, span_max=1)
    indexer.catch_up()
    del chain.chain[8:]
    report = indexer.catch_up()
    assert (report.forks, report.to_block) == ((7,), 7)
    assert content(engine) == clean(chain, tmp_path)


def test_catch_up__another_chain_altogether__starts_anew(
    chain: FakeLogChain, engine: Any, tmp_path: Path
) -> None:
    indexer = Indexer(chain, CONTRACTS, engine)
    indexer.catch_up()
    chain.reorg(11, [[], [7], [8]])
    assert indexer.catch_up().forks == (-1,)
    assert content(engine) == clean(chain, tmp_path)


def test_catch_up__deeper_than_allowed__stops_and_keeps_the_tables(
    chain: FakeLogChain, engine: Any
) -> None:
    indexer = Indexer(chain, CONTRACTS, engine, span_max=1, depth_max=3)
    indexer.catch_up()
    before = content(engine)
    chain.reorg(6, [[1]] * 6)
    with pytest.raises(ReorgTooDeepError):
        indexer.catch_up()
    assert content(engine) == before


@pytest.mark.parametrize("missing", [1, 8, 20])
def test_catch_up__log_missing_in_ranges__is_healed_by_block_hash(
    chain: FakeLogChain, engine: Any, tmp_path: Path, missing: int
) -> None:
    chain.hidden_in_ranges = {missing}
    assert Indexer(chain, CONTRACTS, engine).catch_up().events == 20
    chain.hidden_in_ranges = set()
    assert content(engine) == clean(chain, tmp_path)


@pytest.mark.parametrize("missing", [1, 8, 20])
def test_catch_up__log_withheld_for_good__stops_and_stores_nothing(
    chain: FakeLogChain, engine: Any, missing: int
) -> None:
    chain.hidden = {missing}
    with pytest.raises(IndexGapError) as caught:
        Indexer(chain, CONTRACTS, engine).catch_up()
    assert caught.value.field == "Directory"
    assert content(engine)[1] == []


def test_catch_up__node_late_with_a_log__asked_again_and_complete(
    chain: FakeLogChain, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = chain.logs_of_block
    asked: list[str] = []

    def late(addresses: Sequence[str], block_hash: str) -> list[RawLog]:
        asked.append(block_hash)
        chain.hidden = {8} if len(set(asked)) == len(asked) else set()
        return given(addresses, block_hash)

    chain.hidden = {8}
    monkeypatch.setattr(chain, "logs_of_block", late)
    Indexer(chain, CONTRACTS, engine).catch_up()
    assert len(asked) > len(set(asked))
    chain.hidden = set()
    assert content(engine) == clean(chain, tmp_path)


def test_catch_up__counters_unknown_and_log_withheld__gap_is_seen_at_the_next_event(
    chain: FakeLogChain, engine: Any
) -> None:
    chain.knows_counts, chain.hidden = False, {8}
    with pytest.raises(IndexGapError) as caught:
        Indexer(chain, CONTRACTS, engine).catch_up()
    assert (caught.value.got, caught.value.expected) == (9, 8)


def test_catch_up__every_log_twice__counts_once(chain: FakeLogChain, engine: Any) -> None:
    chain.is_doubled = True
    assert Indexer(chain, CONTRACTS, engine).catch_up().events == 20


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_catch_up__node_limits_ranges__halves_until_it_answers(
    chain: FakeLogChain, engine: Any, limit: int
) -> None:
    chain.span_limit = limit
    assert Indexer(chain, CONTRACTS, engine).catch_up().events == 20
    assert all(last - first < 11 for first, last in chain.log_calls)


def test_catch_up__not_even_one_block__gives_the_nodes_error(
    chain: FakeLogChain, engine: Any
) -> None:
    chain.span_limit = 0
    with pytest.raises(RpcRefusedError):
        Indexer(chain, CONTRACTS, engine).catch_up()


def test_catch_up__chain_changes_while_a_range_is_read__reads_again(
    chain: FakeLogChain, engine: Any, tmp_path: Path
) -> None:
    indexer = Indexer(chain, CONTRACTS, engine, span_max=4)

    def reorg_once() -> None:
        chain.before_logs = lambda: None
        chain.reorg(3, [[4001], [4002], [4003], [4004]])

    chain.before_logs = reorg_once
    indexer.catch_up()
    assert content(engine) == clean(chain, tmp_path)


def test_store__somebody_else_moved_the_cursor__stores_nothing(
    chain: FakeLogChain, engine: Any
) -> None:
    Indexer(chain, CONTRACTS, engine).catch_up()
    assert ChainCopy(engine).store(None, [], []) is False
    assert Indexer(chain, CONTRACTS, engine).catch_up().events == 0


def test_follow__rpc_down_and_up_again__continues(chain: FakeLogChain, engine: Any) -> None:
    indexer = Indexer(chain, CONTRACTS, engine)
    chain.is_down = True
    with pytest.raises(ChainUnreachableError):
        indexer.catch_up()
    stop = threading.Event()
    thread = threading.Thread(target=indexer.follow, args=(stop, 0.001))
    thread.start()
    chain.is_down = False
    while ChainCopy(engine).position() is None:
        stop.wait(0.001)
    stop.set()
    thread.join()
    assert content(engine)[2][0] == 1001


def test_decode_log__unknown_topic_or_topic_count__is_refused(chain: FakeLogChain) -> None:
    log = city_log(chain.head(), 1, 320100, 0)
    for topics in ((b"\x01" * 32,), log.topics[:1], ()):
        with pytest.raises(UndecodableLogError):
            decode_log(with_topics(log, topics), "Directory", 0)


def test_raw_log__removed__is_refused() -> None:
    with pytest.raises(RpcRefusedError):
        raw_log({"removed": True, "blockHash": "0x" + "00" * 32})


def test_catch_up__logs_of_blocks_that_do_not_exist__never_stores(
    chain: FakeLogChain, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lie = RawLog(DIRECTORY, (), b"", 5, "0x" + "ff" * 32, "0x" + "ee" * 32, 0)
    monkeypatch.setattr(chain, "logs", lambda *_: [lie])
    monkeypatch.setattr("ledger.indexer.indexer._PAUSE_SECONDS", 0)
    with pytest.raises(RangeChangedError):
        Indexer(chain, CONTRACTS, engine).catch_up()
    assert content(engine)[1] == []


def with_topics(log: RawLog, topics: tuple[bytes, ...]) -> RawLog:
    return RawLog(
        log.address,
        topics,
        log.data,
        log.block_number,
        log.block_hash,
        log.tx_hash,
        log.log_index,
    )


def test_catch_up__cursor_is_reorganised_away_while_reading__is_not_built_upon(
    chain: FakeLogChain, engine: Any, tmp_path: Path
) -> None:
    """The numbers of the new events fit, so only the block below the range gives it away."""
    indexer = Indexer(chain, CONTRACTS, engine)
    indexer.catch_up()
    chain.mine([1011])

    def reorg_once() -> None:
        chain.before_logs = lambda: None
        chain.reorg(3, [[4001, 4002], [4003, 4004], [4005]])

    chain.before_logs = reorg_once
    indexer.catch_up()
    assert content(engine) == clean(chain, tmp_path)
