"""Trials of schemes and tariffs: shares, refunds, closes, limits."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.app.simulations import price_use, try_anything, try_scheme
from ledger.domain.errors import LedgerError
from ledger.domain.units import INCOME_FEN_MAX
from tests.unit.trial_bodies import tariff_body

pytestmark = pytest.mark.unit

SMALL_SCHEME: dict[str, Any] = {
    "costs_fen": {"b": 100, "é": 100, "Z": 0, "": 50},
    "operator": "Z",
    "platform": "",
    "bond_ppm": 0,
    "spread_ppm": 0,
    "tax_fen": 0,
    "surcharge_ppm": 0,
    "vat_ppm": 0,
}


def _income(gross_fen: int, claimant: str = "b", **changes: Any) -> dict[str, Any]:
    return {"gross_fen": gross_fen, "weights_ppm": {claimant: 1_000_000}} | changes


def test_trial__ids_of_any_text__share_in_the_order_of_code_points() -> None:
    income = _income(1) | {"weights_ppm": {"é": 500_000, "b": 500_000}}
    body = {"scheme": SMALL_SCHEME, "incomes": [income | {"gross_fen": 1}] * 2}
    splits = try_anything(body)["splits"]
    assert splits[0]["lineage_cost_micro_fen"] == {"b": "500000", "é": "500000"}
    thirds = {"scheme": SMALL_SCHEME | {"costs_fen": {"b": 9, "é": 9, "Z": 9, "": 0}}}
    weights = {"é": 333_333, "Z": 333_333, "b": 333_334}
    income = _income(20, weights_ppm=weights)
    found = try_anything(thirds | {"incomes": [income]})["splits"][0]["lineage_cost_micro_fen"]
    assert list(found) == ["Z", "b", "é"]
    assert sum(map(int, found.values())) == 20_000_000


def test_trial__last_micro_fen_tied__goes_to_the_lower_id() -> None:
    # One fen over three equal claimants leaves one µfen, which goes to the first of them.
    names = ["f", "a", "c", "b", "e", "d"]
    scheme = SMALL_SCHEME | {"costs_fen": dict.fromkeys(names, 100), "operator": "a"}
    scheme |= {"platform": "b"}
    income = _income(101, "a", pool=names)
    found = try_anything({"scheme": scheme, "incomes": [income]})["splits"][0]
    assert found["lineage_cost_micro_fen"] == {"a": "100000000"}
    assert found["common_cost_micro_fen"] == dict.fromkeys("bcdef", "200000")
    income = _income(100, "a", pool=names[:4])
    found = try_anything(
        {"scheme": scheme, "incomes": [income, _income(1, "a", pool=["b", "c", "d"])]}
    )
    assert found["splits"][1]["common_cost_micro_fen"] == {
        "b": "333334",
        "c": "333333",
        "d": "333333",
    }


@pytest.mark.parametrize("gross_fen", [0, 1, INCOME_FEN_MAX])
def test_trial__smallest_and_largest_income__sum_exactly(gross_fen: int) -> None:
    body = {"scheme": SMALL_SCHEME | {"vat_ppm": 60_000}, "incomes": [_income(gross_fen)]}
    split = try_anything(body)["splits"][0]
    assert split["net_fen"] + split["vat_fen"] == gross_fen
    shared = sum(int(part) for part in split["lineage_cost_micro_fen"].values())
    common = sum(int(part) for part in split["common_cost_micro_fen"].values())
    assert shared + common + int(split["reserve_micro_fen"]) == split["net_fen"] * 10**6


def test_trial__64_claimants_and_600_datasets_in_the_pool__are_shared() -> None:
    costs = {f"D{no:03d}": 10 for no in range(600)} | {"O": 10, "P": 10}
    weights = {f"D{no:03d}": 15_625 for no in range(64)}
    income = {"gross_fen": 6_020, "weights_ppm": weights, "pool": list(costs)}
    scheme = SMALL_SCHEME | {"costs_fen": costs, "operator": "O", "platform": "P"}
    split = try_anything({"scheme": scheme, "incomes": [income]})["splits"][0]
    assert len(split["lineage_cost_micro_fen"]) == 64
    assert len(split["common_cost_micro_fen"]) == 602 - 64
    assert split["reserve_micro_fen"] == "0"


@pytest.mark.parametrize(
    ("lineage", "pool", "field"),
    [(65, 0, "incomes.0.weights_ppm"), (1, 601, "incomes.0.pool")],
    ids=["65 claimants", "601 datasets"],
)
def test_trial__more_than_the_stated_limits__is_refused_by_name(
    lineage: int, pool: int, field: str
) -> None:
    names = [f"D{no:03d}" for no in range(601)]
    weights = {names[0]: 1_000_000 - (lineage - 1)} | dict.fromkeys(names[1:lineage], 1)
    scheme = SMALL_SCHEME | {"costs_fen": dict.fromkeys([*names, "O"], 1)}
    scheme |= {"operator": "O", "platform": "O"}
    income = {"gross_fen": 1, "weights_ppm": weights, "pool": names[:pool]}
    with pytest.raises(LedgerError) as refused:
        try_anything({"scheme": scheme, "incomes": [income]})
    assert refused.value.field == field


def test_refund__of_the_latest_equal_income__takes_its_lines_back() -> None:
    incomes = [_income(60), _income(60), _income(60, refund=True), _income(60)]
    splits = try_anything({"scheme": SMALL_SCHEME, "incomes": incomes})["splits"]
    assert splits[1]["lineage_cost_micro_fen"] == {"b": "40000000"}
    assert splits[2] == splits[1] | {"refund": True}
    assert splits[3] == splits[1]


def test_refund__twice__is_refused() -> None:
    refunds = [_income(60, refund=True)] * 2
    with pytest.raises(LedgerError) as refused:
        try_anything({"scheme": SMALL_SCHEME, "incomes": [_income(60), *refunds]})
    assert (refused.value.code, refused.value.field) == (
        "revenue.refund_unmatched",
        "incomes.2.refund",
    )


def test_carry_in__poured_first__lowers_the_room_and_counts_in_the_deviation() -> None:
    # Costs of 250 are filled by the carry-in, so the income of 100 is above what is permitted.
    scheme = SMALL_SCHEME | {"carry_in_fen": 250}
    body = {"scheme": scheme, "incomes": [_income(100)], "close": "cycle"}
    found = try_anything(body)
    assert found["splits"][0]["reserve_micro_fen"] == "100000000"
    assert found["close"] == {"deviation_ppm": 400_000, "carry_out_micro_fen": ["100000000"]}


def test_close__pool_grown_after_the_reserve__is_filled_from_it_and_unused_data_are_not() -> None:
    # 200 for b alone leave 50 in reserve; é is used later and may be filled, b and Z are full.
    incomes = [_income(200), _income(1, "é")]
    scheme = SMALL_SCHEME | {"costs_fen": {"b": 100, "é": 100, "unused": 500, "Z": 0, "": 50}}
    body = {"scheme": scheme, "incomes": incomes, "close": "cycle", "carry_over_cycles": 3}
    tried = try_scheme(body)
    assert tried.result.close is not None
    assert tried.result.close.filled_micro_fen == 50_000_000
    assert tried.as_dict()["close"]["carry_out_micro_fen"] == ["0", "0", "0"]


def test_close__nothing_permitted__is_refused() -> None:
    scheme = SMALL_SCHEME | {"costs_fen": {"Z": 0, "": 0}}
    with pytest.raises(LedgerError) as refused:
        try_anything({"scheme": scheme, "incomes": [], "close": "year"})
    assert refused.value.code == "revenue.permitted_income_absent"


@pytest.mark.parametrize(
    ("purpose", "charge_fen"),
    [("industry", 3_439_134), ("public_welfare", 0), ("competition", 0)],
)
def test_tariff__purpose__decides_whether_it_is_charged(purpose: str, charge_fen: int) -> None:
    assert price_use(tariff_body(purpose=purpose)).charge_fen == charge_fen


def test_tariff__free_quota_partly_used__charges_what_lies_above_it() -> None:
    body = tariff_body(bands=[{"up_to": None, "price_micro_yuan": 10_000}], units=100)
    assert try_anything(body | {"free_quota": 50, "already_used": 20}) == {"charge_fen": 70}
