"""Trials against exact fractions: any scheme, any incomes and refunds, any close, any tariff."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.app.simulations import try_anything
from tests.property.trial_cases import scheme_case, tariff_case
from tests.property.trial_reference import exact_answer, exact_charge_fen

pytestmark = pytest.mark.property

MILLION = 1_000_000
NAMES = st.text(max_size=6).filter(lambda name: name != "governance")
COSTS_FEN = st.one_of(st.integers(0, 20), st.integers(0, 10**9), st.integers(0, 10**11))
SEEDS = st.integers(0, 2**63)
QUICK = settings(max_examples=2_000, deadline=None)
LONG = settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def shares(draw: st.DrawFn, names: list[str]) -> dict[str, int]:
    """Return ppm by name that sum to a million, some of them 0."""
    cut = st.one_of(st.integers(0, MILLION), st.integers(0, 9))
    cuts = draw(st.lists(cut, min_size=len(names) - 1, max_size=len(names) - 1))
    edges = [0, *sorted(cuts), MILLION]
    return {name: b - a for name, (a, b) in zip(names, pairwise(edges), strict=True)}


@st.composite
def schemes(draw: st.DrawFn) -> dict[str, Any]:
    """Return a scheme over one to seven claimants of any names."""
    names = draw(st.lists(NAMES, min_size=1, max_size=7, unique=True))
    costs = {name: draw(COSTS_FEN) for name in names}
    return {
        "costs_fen": costs,
        "operator": draw(st.sampled_from(names)),
        "platform": draw(st.sampled_from(names)),
        "bond_ppm": draw(st.integers(0, 60_000)),
        "spread_ppm": draw(st.integers(0, 60_000)),
        "tax_fen": draw(COSTS_FEN) + 1,
        "surcharge_ppm": draw(st.sampled_from([0, 7_200, 250_000, MILLION])),
        "vat_ppm": draw(st.sampled_from([0, 1, 60_000, 130_000, MILLION])),
        "profit_ppm": draw(shares(["providers", "operator", "platform", "governance"])),
        "carry_in_fen": draw(st.one_of(st.just(0), st.integers(0, sum(costs.values()) + 9))),
    }


@st.composite
def incomes(draw: st.DrawFn, scheme: dict[str, Any]) -> dict[str, Any]:
    """Return one income over some of the claimants."""
    names = list(scheme["costs_fen"])
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    whole = sum(scheme["costs_fen"].values())
    return {
        "gross_fen": draw(st.one_of(st.integers(1, 9), st.integers(0, whole * 2 + 99))),
        "weights_ppm": draw(shares(chosen)),
        "quality": {n: draw(st.sampled_from([0, 50, 80, 90, 100])) for n in chosen[1:]},
        "pool": draw(st.lists(st.sampled_from(names), max_size=5)),
        "refund": False,
    }


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Return a body: incomes, some of them refunded later, and a close."""
    scheme = draw(schemes())
    taken: list[dict[str, Any]] = []
    standing: list[dict[str, Any]] = []
    for is_refund in draw(st.lists(st.sampled_from([False, False, True]), max_size=6)):
        if is_refund and standing:
            chosen = standing.pop(draw(st.integers(0, len(standing) - 1)))
            taken.append(chosen | {"refund": True, "quality": {}, "pool": []})
        else:
            standing.append(draw(incomes(scheme)))
            taken.append(standing[-1])
    return {
        "scheme": scheme,
        "incomes": taken,
        "close": draw(st.sampled_from([None, "year", "cycle"])),
        "carry_over_cycles": draw(st.integers(1, 3)),
    }


@st.composite
def tariffs(draw: st.DrawFn) -> dict[str, Any]:
    """Return a tariff and a use of it."""
    ends = sorted(draw(st.lists(st.integers(1, 9_000), max_size=5, unique=True)))
    return {
        "bands": [
            {"up_to": end, "price_micro_yuan": draw(st.integers(0, 10**7))} for end in [*ends, None]
        ],
        "free_quota": draw(st.integers(0, 5_000)),
        "discount_ppm": draw(st.integers(0, MILLION)),
        "already_used": draw(st.integers(0, 20_000)),
        "units": draw(st.integers(0, 20_000)),
    }


@QUICK
@given(bodies())
def test_scheme__any_body__equals_exact_fractions(body: dict[str, Any]) -> None:
    assert try_anything(body) == exact_answer(body)


@pytest.mark.long
@LONG
@given(SEEDS)
def test_scheme__a_hundred_thousand_bodies__equal_exact_fractions(seed: int) -> None:
    body = scheme_case(seed)
    assert try_anything(body) == exact_answer(body)


@QUICK
@given(tariffs())
def test_tariff__any_body__equals_exact_fractions(body: dict[str, Any]) -> None:
    assert try_anything(body) == {"charge_fen": exact_charge_fen(body)}


@pytest.mark.long
@LONG
@given(SEEDS)
def test_tariff__a_hundred_thousand_bodies__equal_exact_fractions(seed: int) -> None:
    body = tariff_case(seed)
    assert try_anything(body) == {"charge_fen": exact_charge_fen(body)}


@settings(max_examples=300, deadline=None)
@given(bodies())
def test_scheme__any_body__shares_each_income_whole(body: dict[str, Any]) -> None:
    for income, split in zip(body["incomes"], try_anything(body)["splits"], strict=True):
        tiers = [split[f"{tier}_micro_fen"] for tier in ("lineage_cost", "common_cost", "benefit")]
        shared = sum(int(amount) for tier in tiers for amount in tier.values())
        rest = int(split["tax_micro_fen"]) + int(split["reserve_micro_fen"])
        assert shared + rest == split["net_fen"] * MILLION
        assert split["net_fen"] + split["vat_fen"] == income["gross_fen"]
