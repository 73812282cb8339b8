"""Tariffs, caps, VAT, remittance and close: edges that the vectors do not reach."""

from __future__ import annotations

import pytest

from ledger.domain.codes import Purpose
from ledger.domain.errors import ValueOutOfRangeError
from ledger.domain.money import Band, BandsError, Tariff
from ledger.domain.units import AMOUNT_FEN_MAX, UINT64_MAX, Fen, MicroFen, MicroYuan, Ppm
from ledger.revenue.close import CloseOutcome, carry_out_instalments, deviation
from ledger.revenue.errors import PermittedIncomeAbsentError, PriceAboveCapError
from ledger.revenue.remittance import account_position, payable_fen
from ledger.revenue.tariff import charge_fen, check_caps
from ledger.revenue.vat import take_vat

pytestmark = pytest.mark.unit


def band(up_to_units: int | None, price_micro_yuan: int) -> Band:
    return Band(up_to_units, MicroYuan(price_micro_yuan))


FEN_A_UNIT = 10_000
STEPS = Tariff((band(100, 2 * FEN_A_UNIT), band(None, FEN_A_UNIT)), free_quota_units=10)


@pytest.mark.parametrize(
    ("already_used", "units", "charge"),
    [(0, 10, 0), (0, 11, 2), (5, 10, 10), (10, 100, 200), (10, 101, 201), (109, 2, 3), (500, 7, 7)],
)
def test_charge__position_in_the_year__decides_the_band(
    already_used: int, units: int, charge: int
) -> None:
    assert charge_fen(STEPS, already_used, units) == charge


@pytest.mark.parametrize(
    ("purpose", "charge"),
    [
        (Purpose.PUBLIC_GOVERNANCE, 0),
        (Purpose.PUBLIC_WELFARE, 0),
        (Purpose.COMPETITION, 0),
        (Purpose.INDUSTRY, 2),
        (Purpose.SECTOR, 2),
    ],
)
def test_charge__purpose__decides_whether_use_costs(purpose: Purpose, charge: int) -> None:
    assert charge_fen(STEPS, 10, 1, purpose=purpose) == charge


def test_charge__fractions_of_a_fen__are_floored_once() -> None:
    thirds = Tariff((band(1, 3_333), band(2, 3_333), band(None, 3_333)))
    assert charge_fen(thirds, 0, 4) == 1


def test_charge__whole_discount__is_zero() -> None:
    assert charge_fen(Tariff((band(None, 10**9),), discount_ppm=Ppm(1_000_000)), 0, 5) == 0


def test_charge__above_the_largest_amount__is_refused() -> None:
    tariff = Tariff((band(None, FEN_A_UNIT),))
    assert charge_fen(tariff, 0, AMOUNT_FEN_MAX) == AMOUNT_FEN_MAX
    with pytest.raises(ValueOutOfRangeError) as caught:
        charge_fen(tariff, 0, AMOUNT_FEN_MAX + 1)
    assert caught.value.field == "charge_fen"


@pytest.mark.parametrize(("used", "units"), [(-1, 1), (0, -1), (UINT64_MAX, 1)])
def test_charge__units_outside_the_type__are_refused(used: int, units: int) -> None:
    with pytest.raises(ValueOutOfRangeError):
        charge_fen(STEPS, used, units)


@pytest.mark.parametrize(
    "caps",
    [
        (band(None, 2 * FEN_A_UNIT),),
        (band(100, 2 * FEN_A_UNIT), band(None, FEN_A_UNIT)),
        (band(50, 3 * FEN_A_UNIT), band(150, 2 * FEN_A_UNIT), band(None, FEN_A_UNIT)),
    ],
    ids=["flat", "same_edges", "other_edges"],
)
def test_caps__price_at_or_below_every_overlapping_cap__is_admitted(caps: tuple[Band, ...]) -> None:
    check_caps(STEPS, caps)


@pytest.mark.parametrize(
    ("caps", "field", "cap_number"),
    [
        ((band(None, 2 * FEN_A_UNIT - 1),), "bands[0].price_micro_yuan", 1),
        ((band(99, 2 * FEN_A_UNIT), band(None, FEN_A_UNIT)), "bands[0].price_micro_yuan", 2),
        (
            (band(100, 2 * FEN_A_UNIT), band(900, FEN_A_UNIT), band(None, 1)),
            "bands[1].price_micro_yuan",
            3,
        ),
    ],
    ids=["flat", "one_unit_over", "last_band"],
)
def test_caps__price_above_an_overlapping_cap__is_refused_naming_both(
    caps: tuple[Band, ...], field: str, cap_number: int
) -> None:
    with pytest.raises(PriceAboveCapError, match=f"cap band {cap_number}") as caught:
        check_caps(STEPS, caps)
    assert caught.value.field == field
    assert caught.value.code == "revenue.price_above_cap"


def test_caps__malformed__are_refused() -> None:
    with pytest.raises(BandsError):
        check_caps(STEPS, ())


@pytest.mark.parametrize(
    ("gross", "vat", "parts"),
    [(0, 60_000, (0, 0)), (1, 60_000, (0, 1)), (106, 60_000, (100, 6)), (5, 0, (5, 0))],
)
def test_vat__small_amounts__floor_the_net(gross: int, vat: int, parts: tuple[int, int]) -> None:
    assert take_vat(Fen(gross), Ppm(vat)) == parts


def test_account_position__more_remitted_than_entitled__is_receivable() -> None:
    position = account_position(MicroFen(2_500_000), Fen(3))
    assert position == (0, 0, 500_000)
    assert payable_fen(MicroFen(2_500_000), Fen(3)) == 0


def test_account_position__fraction_of_a_fen__stays_in_the_account() -> None:
    assert account_position(MicroFen(2_999_999), Fen(1)) == (1, 999_999, 0)


@pytest.mark.parametrize(
    ("income", "ppm", "outcome"),
    [
        (1_000_000, 0, CloseOutcome.ADJUST_PRICE),
        (1_100_000, 100_000, CloseOutcome.ADJUST_PRICE),
        (900_000, 100_000, CloseOutcome.ADJUST_PRICE),
        (1_100_001, 100_001, CloseOutcome.ADJUST_CAP),
        (0, 1_000_000, CloseOutcome.ADJUST_CAP),
    ],
)
def test_deviation__ten_per_cent__divides_price_from_cap(
    income: int, ppm: int, outcome: CloseOutcome
) -> None:
    assert deviation(MicroFen(income), MicroFen(1_000_000)) == (ppm, outcome)


def test_deviation__a_hair_above_ten_per_cent__is_not_rounded_away() -> None:
    result = deviation(MicroFen(11 * 10**12 + 1), MicroFen(10**13))
    assert result == (100_000, CloseOutcome.ADJUST_CAP)


def test_deviation__nothing_permitted__is_refused() -> None:
    with pytest.raises(PermittedIncomeAbsentError):
        deviation(MicroFen(5), MicroFen(0))


@pytest.mark.parametrize("cycles", [0, 4])
def test_carry_out__cycles_outside_one_to_three__are_refused(cycles: int) -> None:
    with pytest.raises(ValueOutOfRangeError):
        carry_out_instalments(MicroFen(7), cycles)


def test_carry_out__remainder__goes_to_the_last_cycle() -> None:
    assert carry_out_instalments(MicroFen(8), 3) == [2, 2, 4]
