"""The money vectors of the specification: one scheme, four incomes in order, close and tariff."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.ids import ClaimantId
from ledger.domain.money import (
    REGULAR_TIERS,
    Band,
    ClaimantCost,
    Lineage,
    SchemeTerms,
    Tariff,
    Tier,
)
from ledger.domain.units import Fen, MicroFen, MicroYuan, Ppm
from ledger.revenue.close import carry_out_instalments, deviation
from ledger.revenue.tariff import charge_fen
from ledger.revenue.vat import take_vat
from ledger.revenue.waterfall import SchemeState, Split, apply, split_income

pytestmark = pytest.mark.golden

VECTORS: dict[str, Any] = json.loads(
    Path(__file__).with_name("revenue_vectors.json").read_text(encoding="utf-8")
)
SCHEME = VECTORS["scheme"]
NAMES = ["D1", "D2", "D3", "O", "P", "governance"]
ID = {name: ClaimantId(UUID(int=number)) for number, name in enumerate(NAMES, start=1)}
NAME = {value: name for name, value in ID.items()}


def scheme_terms(tiers: frozenset[Tier] = frozenset(Tier)) -> SchemeTerms:
    return SchemeTerms(
        costs=tuple(ClaimantCost(ID[name], Fen(c)) for name, c in SCHEME["costs_fen"].items()),
        operator_id=ID["O"],
        platform_id=ID["P"],
        governance_id=ID["governance"],
        bond_ppm=Ppm(SCHEME["bond_ppm"]),
        spread_ppm=Ppm(SCHEME["spread_ppm"]),
        tax_fen=Fen(SCHEME["tax_fen"]),
        surcharge_ppm=Ppm(SCHEME["surcharge_ppm"]),
        vat_ppm=Ppm(SCHEME["vat_ppm"]),
        tiers=tiers,
    )


def split_vector(state: SchemeState, vector: dict[str, Any]) -> Split:
    return split_income(
        state,
        Fen(vector["net_fen"]),
        Lineage.of({ID[name]: weight for name, weight in vector["weights_ppm"].items()}),
        pool=[ID[name] for name in SCHEME["pool"]],
        quality={ID[name]: value for name, value in SCHEME["quality"].items()},
    )


def state_before(name: str) -> SchemeState:
    state = SchemeState(scheme_terms())
    for vector in VECTORS["splits"]:
        if vector["name"] == name:
            break
        state = apply(state, split_vector(state, vector))
    return state


def paid(split: Split, tier: Tier) -> dict[str, int]:
    """Return the lines of a tier that pay something, by the names of the vectors."""
    return {
        NAME[line.claimant_id]: line.amount_micro_fen
        for line in split.tier(tier)
        if line.claimant_id is not None and line.amount_micro_fen
    }


def test_scheme__permitted_income__equals_the_vector() -> None:
    terms = scheme_terms()
    assert terms.cost_micro_fen == SCHEME["cost_micro_fen"]
    assert terms.profit_micro_fen == SCHEME["profit_micro_fen"]
    assert terms.permitted_micro_fen == SCHEME["permitted_micro_fen"]


@pytest.mark.parametrize("vector", VECTORS["splits"], ids=lambda vector: vector["name"])
def test_split__income_of_the_vector__equals_every_line(vector: dict[str, Any]) -> None:
    split = split_vector(state_before(vector["name"]), vector)
    assert split.tier_micro_fen(Tier.TAX) == vector["tax"]
    assert paid(split, Tier.LINEAGE_COST) == vector["lineage_cost"]
    assert paid(split, Tier.COMMON_COST) == vector["common_cost"]
    assert paid(split, Tier.BENEFIT) == vector["benefit"]
    assert split.tier_micro_fen(Tier.RESERVE) == vector["reserve"]


@pytest.mark.parametrize("vector", VECTORS["splits"][:2], ids=lambda vector: vector["name"])
def test_split__only_regular_tiers_open__equals_every_line(vector: dict[str, Any]) -> None:
    state = SchemeState(scheme_terms(REGULAR_TIERS))
    if vector["name"] == "V2":
        state = apply(state, split_vector(state, VECTORS["splits"][0]))
    split = split_vector(state, vector)
    assert split.tier_micro_fen(Tier.TAX) == vector["tax"]
    assert paid(split, Tier.LINEAGE_COST) == vector["lineage_cost"]
    assert split.tier_micro_fen(Tier.RESERVE) == 0


@pytest.mark.parametrize("vector", VECTORS["splits"][:2], ids=lambda vector: vector["name"])
def test_vat__gross_of_the_vector__equals_net_and_vat(vector: dict[str, Any]) -> None:
    parts = take_vat(Fen(vector["gross_fen"]), Ppm(SCHEME["vat_ppm"]))
    assert parts == (vector["net_fen"], vector["vat_fen"])


def test_close__year_of_the_vectors__equals_deviation_and_carry_out() -> None:
    state = SchemeState(scheme_terms())
    for vector in VECTORS["splits"]:
        state = apply(state, split_vector(state, vector))
    close = VECTORS["close"]
    assert state.income_micro_fen == close["income_micro_fen"]
    result = deviation(state.income_micro_fen, MicroFen(state.terms.permitted_micro_fen))
    assert (result.deviation_ppm, result.outcome.name) == (
        close["deviation_ppm"],
        close["outcome"],
    )
    assert carry_out_instalments(state.reserve_micro_fen, 2) == close["carry_out_micro_fen"]


@pytest.mark.parametrize(
    "case", VECTORS["tariff"]["charges"], ids=lambda case: f"discount_{case['discount_ppm']}"
)
def test_tariff__units_of_the_vector__equals_the_charge(case: dict[str, int]) -> None:
    bands = tuple(
        Band(band["up_to"], MicroYuan(band["price_micro_yuan"]))
        for band in VECTORS["tariff"]["bands"]
    )
    tariff = Tariff(bands, discount_ppm=Ppm(case["discount_ppm"]))
    assert charge_fen(tariff, 0, VECTORS["tariff"]["units"]) == case["charge_fen"]
