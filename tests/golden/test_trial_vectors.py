"""The money vectors of the specification through the trial that everyone may run."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.app.simulations import try_anything
from tests.unit.trial_bodies import VECTORS, scheme_body, tariff_body

pytestmark = pytest.mark.golden
_TIERS = ("lineage_cost", "common_cost", "benefit")


def _digits(lines: dict[str, int]) -> dict[str, str]:
    return {name: str(amount) for name, amount in lines.items()}


@pytest.mark.parametrize("number", range(4), ids=["V1", "V2", "V3", "V4"])
def test_trial__income_of_the_vector__equals_every_line(number: int) -> None:
    vector = VECTORS["splits"][number]
    found: dict[str, Any] = try_anything(scheme_body())["splits"][number]
    assert found["net_fen"] == vector["net_fen"]
    assert found["vat_fen"] == vector["net_fen"] * 6 // 100 + (number == 1)
    assert found["tax_micro_fen"] == str(vector["tax"])
    for tier in _TIERS:
        assert found[f"{tier}_micro_fen"] == _digits(vector[tier])
    assert found["reserve_micro_fen"] == str(vector["reserve"])


def test_trial__year_of_the_vectors__equals_permitted_income_deviation_and_carry_out() -> None:
    found = try_anything(scheme_body())
    assert found["permitted_micro_fen"] == "542350000000000"
    assert found["close"] == {
        "deviation_ppm": 88_032,
        "carry_out_micro_fen": ["23872169000000", "23872169000000"],
    }


@pytest.mark.parametrize(
    ("close", "expected"),
    [(None, None), ("year", {"deviation_ppm": 88_032, "carry_out_micro_fen": []})],
    ids=["open", "year"],
)
def test_trial__year_without_the_end_of_a_cycle__carries_nothing_out(
    close: str | None, expected: dict[str, Any] | None
) -> None:
    assert try_anything(scheme_body(close=close))["close"] == expected


@pytest.mark.parametrize("case", VECTORS["tariff"]["charges"], ids=lambda case: case["charge_fen"])
def test_trial__units_of_the_tariff_vector__equals_the_charge(case: dict[str, int]) -> None:
    body = tariff_body(discount_ppm=case["discount_ppm"])
    assert try_anything(body) == {"charge_fen": case["charge_fen"]}
