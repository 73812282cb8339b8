"""What the projections say about a small market, and what they refuse to believe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from ledger.chain.artifacts import names
from ledger.chain.contracts import INDEXED
from ledger.chain.events import event_names
from ledger.projection import queries
from ledger.projection.api_keys import ApiKeys, MeterBoundError, key_digest
from ledger.projection.chain_copy import ChainCopy, StoredBlock
from ledger.projection.database import is_migrated, migrate, open_engine, read, write
from ledger.projection.errors import EventContradictsError, NotFoundError, UnknownEventError
from ledger.projection.handlers import HANDLERS
from ledger.projection.projector import apply, forget_chain, rebuild, table_lines
from ledger.projection.stored import StoredEvent
from ledger.projection.tables import DURABLE, METADATA, PROJECTIONS, datasets, logs
from tests.unit import market_story as m
from tests.unit.closed_market import ClosedMarket
from tests.unit.derived_market_story import derived_story
from tests.unit.test_report_statements import stored

pytestmark = pytest.mark.unit


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate(engine)
    return engine


@pytest.fixture
def market(engine: Any) -> Any:
    store(engine, m.story())
    return engine


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> list[StoredEvent]:
    return stored(ClosedMarket(tmp_path_factory.mktemp("market")))


def store(engine: Any, events: list[StoredEvent]) -> None:
    blocks = [StoredBlock(e.block_number, e.block_hash, e.block_time) for e in events]
    copy = ChainCopy(engine)
    assert copy.store(copy.position(), blocks, events)


def open_city_and_fail(connection: Any) -> None:
    apply(connection, m.story()[0])
    apply(connection, replace(m.story()[0], name="SomethingNew"))


def all_lines(engine: Any) -> dict[str, list[str]]:
    with read(engine) as connection:
        return {table.name: list(table_lines(connection, table)) for table in PROJECTIONS}


def test_handlers__every_numbered_event_of_the_contracts__has_one() -> None:
    assert set(INDEXED) < set(names())
    expected = [name for contract in INDEXED for name in event_names(contract)]
    assert sorted(expected) == sorted(HANDLERS)


def test_stories__every_event__is_told(closed: list[StoredEvent]) -> None:
    told = (*m.story(), *closed, *derived_story())
    assert {event.name for event in told} == set(HANDLERS)


def test_rebuild__after_each_story__gives_every_row_back(
    engine: Any, closed: list[StoredEvent]
) -> None:
    filled: set[str] = set()
    for story in (m.story(), closed, derived_story()):
        forget_chain(engine)
        store(engine, story)
        before = all_lines(engine)
        with write(engine) as connection:
            for table in reversed(PROJECTIONS):
                connection.execute(table.delete())
        assert rebuild(engine) == len(story)
        assert all_lines(engine) == before
        filled |= {name for name, lines in before.items() if lines}
    assert filled == {table.name for table in PROJECTIONS}


def test_forget_chain__durable_tables__stay(market: Any) -> None:
    keys = ApiKeys(market)
    keys.add("secret", organisation_id=m.BUYER, licence_no=1, scope="use", created_at=1)
    forget_chain(market)
    assert not any(all_lines(market).values())
    assert ChainCopy(market).position() is None
    assert keys.find("secret") is not None


def test_migrate__twice__leaves_all_tables_once(engine: Any) -> None:
    migrate(engine)
    assert is_migrated(engine)
    with read(engine) as connection:
        assert all(engine.dialect.has_table(connection, name) for name in METADATA.tables)


@pytest.mark.parametrize("value", [0, 1, 2**53, 2**63 - 1, 2**63, 10**19 + 1, 2**64 - 1])
def test_uint64__every_value__comes_back_exactly(engine: Any, value: int) -> None:
    row = {
        "log_no": 1,
        "keeper_id": m.PROVIDER,
        "origin_digest": m.digest(1),
        "root": m.digest(2),
        "size": value,
        "time_ms": value,
    }
    with write(engine) as connection:
        connection.execute(insert(logs), row)
        assert connection.execute(select(logs.c.size)).scalar_one() == value
        assert connection.execute(select(logs.c.size).where(logs.c.size >= value)).all()


@pytest.mark.parametrize("value", [-1, 2**64, True])
def test_uint64__no_uint64__is_refused(engine: Any, value: int) -> None:
    with read(engine) as connection, pytest.raises(Exception, match="not a uint64"):
        connection.execute(select(logs.c.size).where(logs.c.size == value))


def test_queries__organisations__say_who_may_what(market: Any) -> None:
    with read(market) as connection:
        assert queries.city_codes(connection) == [m.CITY]
        assert [r.role for r in queries.roles_of(connection, m.BUYER)] == [2]
        assert queries.signers_of(connection, m.BUYER) == ["0x" + "03" * 20]
        assert queries.organisation_of(connection, "0x" + "0" * 1 + "3" + "03" * 19) == m.BUYER
        assert queries.organisation_of(connection, "0x" + "b2" * 20) is None
        assert queries.organisation(connection, m.BUYER).status == 1
        assert [o.organisation_id for o in queries.organisations_list(connection, role=1)] == [
            m.OPERATOR
        ]
        assert [k.is_institution for k in queries.kind_rules(connection)] == [False, False, True]


def test_queries__dataset__with_versions_parents_and_steps(market: Any) -> None:
    with read(market) as connection:
        detail = queries.dataset(connection, m.DATASET)
        children = queries.children_of(connection, m.DATASET)
        found = queries.version_of_content(connection, m.digest(103))
    assert (detail.dataset.state, detail.dataset.latest_version_no) == (6, 2)
    assert [v.byte_size for v in detail.versions] == [m.U64, m.U64]
    assert [(p.parent_dataset_id, p.parent_version_no) for p in detail.parents] == [
        (m.DATASET, 1),
        (m.CHILD, 1),
    ]
    assert [s.to_state for s in detail.steps] == [2, 3, 4, 5, 6, 2, 3, 4, 6]
    assert {c.dataset_id for c in children} == {m.CHILD, m.DATASET}
    assert found is not None
    assert (found.dataset_id, found.version_no) == (m.DATASET, 2)


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({}, {m.DATASET, m.CHILD}),
        ({"open_class": 3}, {m.CHILD}),
        ({"state": 6}, {m.DATASET}),
        ({"city_code": 320200}, set()),
        ({"text": str(m.CHILD)}, {m.CHILD}),
        ({"text": "0x" + m.digest(101).hex()}, {m.DATASET}),
        ({"among": [m.CHILD]}, {m.CHILD}),
        ({"provider_id": m.BUYER}, set()),
    ],
)
def test_search_datasets__criteria__narrow(
    market: Any, criteria: dict[str, Any], expected: set[Any]
) -> None:
    with read(market) as connection:
        page = queries.search_datasets(connection, **criteria)
    assert {row.dataset_id for row in page.items} == expected
    assert page.total == len(expected)


def test_search_datasets__pages__do_not_overlap(market: Any) -> None:
    with read(market) as connection:
        first = queries.search_datasets(connection, limit=1)
        second = queries.search_datasets(connection, limit=1, offset=1)
    assert (first.total, second.total) == (2, 2)
    assert {first.items[0].dataset_id, second.items[0].dataset_id} == {m.DATASET, m.CHILD}


def test_queries__product__with_lineage_caps_and_tariff(market: Any) -> None:
    with read(market) as connection:
        detail = queries.product(connection, m.PRODUCT)
        over = queries.search_products(connection, dataset_id=m.DATASET)
        none = queries.search_products(connection, dataset_id=m.CHILD)
    assert [(e.claimant_id, e.weight_ppm) for e in detail.lineage] == [
        (m.OPERATOR, 400_000),
        (m.DATASET, 600_000),
    ]
    assert detail.tariff is not None
    assert (detail.tariff.tariff_no, detail.tariff.bands) == (2, detail.caps)
    assert detail.caps[1].up_to_units == m.U64
    assert (over.total, none.total) == (1, 0)


def test_queries__licence__is_as_the_supplement_left_it(market: Any) -> None:
    with read(market) as connection:
        licence = queries.licence(connection, 1)
        supplements = queries.supplements_of(connection, 1)
        opening = queries.opening_of(connection, 1)
        assert queries.licence_of_agreement(connection, m.AGREEMENT) == licence
        assert queries.licences_list(connection, buyer_id=m.BUYER).items == (licence,)
    assert (licence.valid_until, licence.quota_units, licence.state) == (1_900_000_000, 9_000, 1)
    assert licence.agreement_digest == m.digest(15)
    assert [s.supplement_no for s in supplements] == [1]
    assert opening is not None
    assert (opening.tier, opening.policy_nos) == (2, [2, 2])


def test_queries__log__has_its_anchors(market: Any) -> None:
    with read(market) as connection:
        assert [a.size for a in queries.anchors_of(connection, 1)] == [100, 250, m.U64]
        assert queries.log(connection, 1).size == m.U64
        covering = queries.anchor_covering(connection, 1, 101)
    assert covering is not None
    assert covering.anchor_no == 2


def test_queries__money__adds_up(market: Any) -> None:
    with read(market) as connection:
        scheme = queries.scheme(connection, m.SCHEME)
        accounts = queries.accounts_of(connection, m.SCHEME)
        split = queries.split_of(connection, m.INVOICE)
        totals = queries.market_totals(connection)
        assert not queries.next_splits(connection, m.SCHEME, 1)
        assert queries.billed_units(connection, 1, 1) == 5_001
    assert (scheme.release_count, scheme.split_count) == (1, 1)
    assert sum(line.amount_micro_fen for line in split.lines) == m.NET_FEN * 10**6
    assert [(a.claimant_id, a.entitled_micro_fen, a.payable_fen) for a in accounts] == [
        (m.OPERATOR, m.TO_OPERATOR, 39_760),
        (m.DATASET, m.TO_DATASET, 0),
    ]
    assert (totals.invoiced_fen, totals.paid_fen, totals.remitted_fen) == (106_000, 106_000, 59_639)
    assert totals.tax_micro_fen + totals.entitled_micro_fen + totals.reserve_micro_fen == (
        totals.net_fen * 10**6
    )


def test_next_splits__before_the_split__is_the_released_invoice(engine: Any) -> None:
    events = m.story()
    last = next(i for i, event in enumerate(events) if event.name == "SplitRecorded")
    store(engine, events[:last])
    with read(engine) as connection:
        found = queries.next_splits(connection, m.SCHEME, 10)
    assert [row.invoice_id for row in found] == [m.INVOICE]


def test_payables__administrative_provider__goes_to_the_treasury(engine: Any) -> None:
    events = m.story()
    last = next(i for i, event in enumerate(events) if event.name == "RemittanceOpened")
    store(engine, events[:last])
    with read(engine) as connection:
        found = queries.payables(connection)
    assert {payee: [line.amount_fen for line in lines] for payee, lines in found.items()} == {
        m.OPERATOR: [39_760],
        m.TREASURY: [59_639],
    }


def test_statement__of_the_provider__lists_what_its_datasets_earned(market: Any) -> None:
    with read(market) as connection:
        provider = queries.statement(connection, m.PROVIDER)
        buyer = queries.statement(connection, m.BUYER)
        treasury = queries.statement(connection, m.TREASURY)
    assert [line.amount_micro_fen for line in provider.supplied] == [m.TO_DATASET]
    assert {bill.invoice_id for bill in buyer.bought} == {m.INVOICE, m.FREE_INVOICE}
    assert [batch.state for batch in treasury.received] == [2]


def test_queries__unknown_ids__are_not_found(market: Any) -> None:
    with read(market) as connection:
        for query in (queries.organisation, queries.dataset, queries.product, queries.invoice):
            with pytest.raises(NotFoundError):
                query(connection, m.uid(99))


def test_apply__split_with_another_sum__is_refused_and_nothing_stored(engine: Any) -> None:
    events = m.story()
    at = next(i for i, event in enumerate(events) if event.name == "SplitRecorded")
    wrong = replace(events[at], args=m.plain(m.split_args(tax=m.TAX + 1)))
    with pytest.raises(EventContradictsError):
        store(engine, [*events[:at], wrong])
    assert ChainCopy(engine).position() is None


def test_apply__change_of_what_is_unknown__is_refused(engine: Any) -> None:
    suspended = next(event for event in m.story() if event.name == "DatasetSuspensionSet")
    with write(engine) as connection, pytest.raises(EventContradictsError):
        apply(connection, suspended)


def test_apply__unknown_event__is_refused(engine: Any) -> None:
    with write(engine) as connection, pytest.raises(UnknownEventError):
        apply(connection, replace(m.story()[0], name="SomethingNew"))


def test_write__error_inside__rolls_everything_back(engine: Any) -> None:
    with pytest.raises(UnknownEventError), write(engine) as connection:
        open_city_and_fail(connection)
    with read(engine) as connection:
        assert queries.city_codes(connection) == []
        assert connection.execute(select(datasets)).all() == []


def test_api_keys__revoked__is_found_no_more(engine: Any) -> None:
    keys = ApiKeys(engine)
    made = keys.add("k", organisation_id=m.BUYER, licence_no=None, scope="admin", created_at=5)
    assert keys.find("k") == made
    assert keys.find("other") is None
    assert keys.revoke(key_digest("k"), 6)
    assert not keys.revoke(key_digest("k"), 7)
    assert keys.find("k") is None


def test_api_keys__meter__belongs_to_one_log(engine: Any) -> None:
    keys = ApiKeys(engine)
    made = {"organisation_id": m.OPERATOR, "licence_no": None, "scope": "meter", "created_at": 5}
    keys.add("k", **made, meter=(7, 2))
    assert keys.revoke(key_digest("k"), 6)
    with pytest.raises(MeterBoundError) as caught:
        keys.add("l", **made, meter=(7, 3))
    assert (caught.value.got, caught.value.expected) == (3, 2)
    keys.add("l", **made, meter=(7, 2))
    keys.add("o", **made, meter=(8, 3))
    assert [(key.meter_no, key.log_no) for key in map(keys.find, "lo") if key] == [(7, 2), (8, 3)]


def test_migrate__tables_of_the_first_revision__get_what_is_new(engine: Any) -> None:
    ApiKeys(engine).add("k", organisation_id=m.BUYER, licence_no=1, scope="use", created_at=1)
    with write(engine) as connection:
        for name in ("meter_no", "log_no"):
            connection.exec_driver_sql(f"ALTER TABLE api_keys DROP COLUMN {name}")
        connection.exec_driver_sql("DELETE FROM alembic_version")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
    assert not is_migrated(engine)
    migrate(engine)
    assert is_migrated(engine)
    found = ApiKeys(engine).find("k")
    assert found is not None
    assert (found.licence_no, found.meter_no) == (1, None)


def test_tables__groups__share_nothing() -> None:
    assert not set(DURABLE) & set(PROJECTIONS)
