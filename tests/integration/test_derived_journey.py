"""Derived products on a real chain: listed, priced by the market, shared, corrected, verified."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from uuid import UUID

import pytest

from ledger.app import settlement
from ledger.app.explaining import explain
from ledger.app.names import display_names
from ledger.app.verifying import verify_market
from ledger.domain.codes import InvoiceState
from ledger.projection import queries
from ledger.projection.projector import projection_digest, rebuild
from ledger.report.statements import organisation_statement
from ledger.revenue.errors import OperatorResellsError
from tests.integration.derived_story import (
    derivation,
    derive,
    earn,
    join_developer,
    license_to,
    open_scheme,
    source,
)
from tests.integration.licence_story import on_chain, refused
from tests.integration.market_fixture import NANJING, SmallMarket, opened_market

pytestmark = pytest.mark.integration
WHOLE = 1_000_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    with opened_market(tmp_path_factory.mktemp("derived")) as market:
        for number, name in enumerate(("first", "second", "third")):
            join_developer(market, name, 900 + number)
        yield market


def _lineage(small: SmallMarket, product_id: UUID) -> dict[UUID, int]:
    with small.market.read() as connection:
        rows = queries.lineage_of(connection, product_id)
    return {row.claimant_id: row.weight_ppm for row in rows}


def _shared(small: SmallMarket, invoice_id: UUID) -> dict[UUID | None, int]:
    with small.market.read() as connection:
        detail = queries.split_of(connection, invoice_id)
    return {line.claimant_id: line.amount_micro_fen for line in detail.lines}


def test_derived__a_diamond_sold_paid_and_corrected__exact_and_verified(
    small: SmallMarket,
) -> None:
    market, weather = small.market, small.datasets["weather"]
    first = license_to(small, small.product_id, "operator", "first", 100_000)
    lower = derive(
        small,
        "first",
        [source(first, weather, 60_000), source(first, small.datasets["transport"], 40_000)],
    )
    direct = license_to(small, small.product_id, "operator", "second", 200_000)
    through = license_to(small, lower, "first", "second", 100_001)
    upper = derive(
        small, "second", [source(direct, weather, 200_000), source(through, lower, 100_001)]
    )
    # 6,000.06 and 4,000.04 are floored; what they leave of 100,001 is the first developer's.
    expected = {
        weather: 206_000,
        small.datasets["transport"]: 4_000,
        small.members["first"].organisation_id: 90_001,
        small.members["platform"].organisation_id: 50_000,
        small.members["second"].organisation_id: 649_999,
    }
    assert _lineage(small, upper) == expected

    scheme_id = open_scheme(small, "second")
    invoice_id = earn(small, "second", upper, scheme_id, 1_060)
    account = small.members["second"].account
    assert len(settlement.split_all(market, account, scheme_id)) == 1
    assert _shared(small, invoice_id) == {key: 100_000 * ppm for key, ppm in expected.items()}

    batches = settlement.remit(market, account, scheme_id)
    # Two accounts end in a tenth of a fen, which stays in them.
    assert sum(batch["amount_fen"] for batch in batches) == 99_999
    body = {
        "invoice_id": str(invoice_id),
        "reduction_fen": 53_000,
        "reason": "质量",
        "receipt": "R1",
    }
    small.run("second", "correct-split", body)
    assert _shared(small, invoice_id) == {key: 50_000 * ppm for key, ppm in expected.items()}
    with market.read() as connection:
        assert queries.invoice(connection, invoice_id).state == InvoiceState.SPLIT
        assert queries.receivable_fen(connection, small.members["first"].organisation_id) == 4_500
        statement = organisation_statement(
            connection, small.members["first"].organisation_id, display_names(market)
        )
        before = projection_digest(connection)
    assert statement
    named = explain(market, f"{invoice_id}/6/0")[0]
    assert named["tier"] == "outcome"
    assert "ppm" in str(named["steps"][-1])

    report = verify_market(market)
    assert [str(item) for item in report.findings] == []
    assert rebuild(market.engine) > 0
    with market.read() as connection:
        assert projection_digest(connection) == before


def test_derived__operator_or_affiliate_upstream__refused_here_and_by_the_contract(
    small: SmallMarket,
) -> None:
    licence_no = license_to(small, small.product_id, "operator", "third")
    body = derivation(small, [source(licence_no, small.datasets["weather"], 0)], 0)
    pair = {"one_id": small.id_of("third"), "other_id": small.id_of("operator")}
    small.run("third", "declare-affiliates", pair)
    assert isinstance(
        refused(lambda: small.run("third", "derive-product", body)), OperatorResellsError
    )
    terms = {
        "product_id": UUID(body["product_id"]),
        "city_code": NANJING,
        "modes": 2,
        "metadata_digest": b"\x01" * 32,
        "platform_id": small.members["platform"].organisation_id,
        "fee_ppm": 0,
    }
    item = source(licence_no, small.datasets["weather"], 0)
    sources = [item | {"ancestor_id": small.datasets["weather"]}]
    error = refused(lambda: on_chain(small, "third", "licences", "listDerived", terms, sources))
    assert error.code == "licence_registry.operator_resells"
    small.run("nanjing", "end-affiliation", pair | {"reason": "股权转让"})
    assert small.run("third", "derive-product", body).result["shares"] == [
        {"claimant_id": str(small.datasets["weather"]), "share_ppm": 0}
    ]


def test_derived__refusals__typed_and_nothing_changes(small: SmallMarket) -> None:
    licence_no = license_to(small, small.product_id, "operator", "third", 10)
    weather = small.datasets["weather"]
    for sources, code in (
        ([source(licence_no, weather, 9)], "licence_registry.outcome_differs"),
        ([source(licence_no, small.product_id, 10)], "licence_registry.source_unknown"),
        ([source(small.licence_no, weather, 0)], "licence_registry.source_licence"),
        ([source(licence_no, weather, 10)] * 2, "licence_registry.source_order"),
    ):
        body = derivation(small, sources, 0)
        assert refused(lambda b=body: small.run("third", "derive-product", b)).code == code
    caps = [{"up_to_units": None, "price_micro_yuan": 1}]
    body = derivation(small, [source(licence_no, weather, 10)], 0)
    small.run("third", "derive-product", body)
    caps_body = {"product_id": body["product_id"], "caps": caps, "reason": "x"}
    error = refused(lambda: small.run("nanjing", "approve-caps", caps_body))
    assert error.code == "licence_registry.derived_product"
    error = refused(lambda: small.run("buyer", "derive-product", body))
    assert error.code == "licence_registry.source_licence" or "role" in error.code
    pair = {"one_id": small.id_of("third"), "other_id": small.id_of("first")}
    assert refused(lambda: small.run("buyer", "declare-affiliates", pair)).code == (
        "directory.may_not_affiliate"
    )


def test_derived__random_graphs__contract_and_money_layer_and_exact_fractions_agree(
    small: SmallMarket,
) -> None:
    chosen = random.Random(20260)
    names = ("first", "second", "third")
    exact: dict[UUID, dict[UUID, Fraction]] = {}
    operators: dict[UUID, str] = {}
    for developer in names:
        others = [
            key for key, name in operators.items() if names.index(name) < names.index(developer)
        ]
        for _ in range(2):
            sources, walk = [], defaultdict(Fraction)
            for parent in chosen.sample([small.product_id, *others], 1 + bool(others)):
                share = chosen.randrange(1, 300_000)
                seller = operators.get(parent, "operator")
                number = license_to(small, parent, seller, developer, share)
                if parent == small.product_id:
                    data = chosen.sample(sorted(small.datasets.values()), 2)
                    part = chosen.randrange(0, share + 1)
                    for ancestor, ppm in zip(data, (part, share - part), strict=True):
                        sources.append(source(number, ancestor, ppm))
                        walk[ancestor] += ppm
                    continue
                sources.append(source(number, parent, share))
                seller_id = small.members[seller].organisation_id
                passed = {k: Fraction(share, WHOLE) * v for k, v in exact[parent].items()}
                for ancestor, ppm in passed.items():
                    walk[ancestor] += ppm
                walk[seller_id] += share - sum(passed.values())
            body = derivation(small, sources, 7)
            done = small.run(developer, "derive-product", body)
            product_id = UUID(body["product_id"])
            tariff = {"product_id": body["product_id"], "basis": "data_records"}
            bands = [{"up_to_units": None, "price_micro_yuan": 1}]
            small.run(developer, "publish-tariff", tariff | {"bands": bands})
            with small.market.read() as connection:
                rows = queries.lineage_of(connection, product_id)
            got = [(str(row.claimant_id), row.weight_ppm) for row in rows[:-2]]
            shares = done.result["shares"]
            assert got == [(item["claimant_id"], item["share_ppm"]) for item in shares]
            assert sum(row.weight_ppm for row in rows) == WHOLE
            for row in rows[:-2]:
                assert abs(row.weight_ppm - walk[row.claimant_id]) < 40
            assert {row.claimant_id for row in rows[:-2]} == set(walk)
            exact[product_id], operators[product_id] = dict(walk), developer
    assert [str(item) for item in verify_market(small.market).findings] == []
