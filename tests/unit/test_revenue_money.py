"""What the value types of a scheme refuse, with the field and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from ledger.domain.errors import DomainError, LedgerError, ValueOutOfRangeError
from ledger.domain.ids import ClaimantId
from ledger.domain.money import (
    LINEAGE_COUNT_MAX,
    REGULAR_TIERS,
    TRIAL_TIERS,
    Band,
    BandsError,
    ClaimantCost,
    ClaimantOrderError,
    Lineage,
    LineageWeight,
    ProfitVector,
    SchemeTerms,
    SplitLine,
    Tariff,
    Tier,
    WeightsSumError,
)
from ledger.domain.units import (
    INCOME_FEN_MAX,
    UINT64_MAX,
    Fen,
    MicroFen,
    MicroYuan,
    Ppm,
    yuan_text,
    yuan_text_exact,
    yuan_text_unit,
)

pytestmark = pytest.mark.unit

A, B, OPERATOR, PLATFORM = (ClaimantId(UUID(int=n)) for n in (1, 2, 50, 60))
TERMS = SchemeTerms(
    costs=(ClaimantCost(A, Fen(600)), ClaimantCost(OPERATOR, Fen(400))),
    operator_id=OPERATOR,
    platform_id=PLATFORM,
    bond_ppm=Ppm(17_500),
    spread_ppm=Ppm(60_000),
    tax_fen=Fen(10),
    surcharge_ppm=Ppm(7_200),
    vat_ppm=Ppm(60_000),
    tiers=REGULAR_TIERS,
)


def band(up_to_units: int | None, price: int = 1) -> Band:
    return Band(up_to_units, MicroYuan(price))


@pytest.mark.parametrize(
    ("bands", "field"),
    [
        ((), "bands"),
        ((band(10),), "bands[0].up_to_units"),
        ((band(None), band(None)), "bands[0].up_to_units"),
        ((band(10), band(10), band(None)), "bands[1].up_to_units"),
        ((band(10), band(9), band(None)), "bands[1].up_to_units"),
        ((*(band(n) for n in range(1, 17)), band(None)), "bands"),
    ],
    ids=["none", "last_closed", "first_open", "equal", "falling", "seventeen"],
)
def test_tariff__malformed_bands__are_refused(bands: tuple[Band, ...], field: str) -> None:
    with pytest.raises(BandsError) as caught:
        Tariff(bands)
    assert caught.value.field == field
    assert caught.value.code == "domain.bands"


def test_tariff__sixteen_bands__are_admitted() -> None:
    assert len(Tariff((*(band(n) for n in range(1, 16)), band(None))).bands) == 16


def test_lineage__mapping_in_any_order__is_ascending() -> None:
    lineage = Lineage.of({OPERATOR: 300_000, A: 700_000})
    assert [weight.claimant_id for weight in lineage.weights] == [A, OPERATOR]


@pytest.mark.parametrize("total", [999_999, 1_000_001])
def test_lineage__weights_not_a_million__are_refused(total: int) -> None:
    with pytest.raises(WeightsSumError) as caught:
        Lineage.of({A: 500_000, B: total - 500_000})
    assert (caught.value.got, caught.value.expected) == (total, 1_000_000)


@pytest.mark.parametrize("ids", [(B, A), (A, A)], ids=["falling", "twice"])
def test_lineage__claimants_not_ascending__are_refused(ids: tuple[ClaimantId, ...]) -> None:
    with pytest.raises(ClaimantOrderError):
        Lineage(tuple(LineageWeight(claimant_id, Ppm(500_000)) for claimant_id in ids))


def test_lineage__more_claimants_than_the_limit__is_refused() -> None:
    many = {ClaimantId(UUID(int=n)): 0 for n in range(LINEAGE_COUNT_MAX + 1)}
    with pytest.raises(ValueOutOfRangeError):
        Lineage.of(many)


def test_profit_vector__not_a_million__is_refused() -> None:
    with pytest.raises(WeightsSumError):
        ProfitVector(Ppm(400_000), Ppm(400_000), Ppm(100_000), Ppm(100_001))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda: replace(TERMS, spread_ppm=Ppm(60_001)), "spread_ppm"),
        (lambda: replace(TERMS, bond_ppm=Ppm(-1)), "bond_ppm"),
        (lambda: replace(TERMS, vat_ppm=Ppm(1_000_001)), "vat_ppm"),
        (lambda: replace(TERMS, tax_fen=Fen(INCOME_FEN_MAX)), "permitted_micro_fen"),
        (lambda: replace(TERMS, tiers=frozenset({Tier.TAX})), "tiers"),
        (lambda: replace(TERMS, tiers=frozenset(Tier)), "governance_id"),
        (lambda: replace(TERMS, costs=TERMS.costs[::-1]), "costs"),
        (lambda: ClaimantCost(A, Fen(-1)), "cost_fen"),
        (lambda: SplitLine(Tier.TAX, None, MicroFen(UINT64_MAX + 1)), "amount_micro_fen"),
    ],
    ids=["spread", "bond", "vat", "overflow", "tiers", "governance", "order", "cost", "line"],
)
def test_scheme__value_outside_the_law__is_refused_naming_the_field(
    change: Callable[[], object], field: str
) -> None:
    with pytest.raises(LedgerError) as caught:
        change()
    assert isinstance(caught.value, DomainError)
    assert caught.value.field == field


def test_scheme__benefit_closed__permits_no_profit() -> None:
    assert replace(TERMS, tiers=TRIAL_TIERS).profit_micro_fen == 0
    assert replace(TERMS, tiers=TRIAL_TIERS).permitted_micro_fen == 1_010_000_000


def test_scheme__benefit_open__permits_cost_times_rate() -> None:
    terms = replace(TERMS, tiers=frozenset(Tier), governance_id=B)
    assert terms.profit_micro_fen == 1000 * 77_500
    assert terms.permitted_micro_fen == 1_010_000_000 + 77_500_000


def test_yuan_text__amounts_of_either_sign__exact_with_the_sign_in_front() -> None:
    assert [yuan_text(amount) for amount in (0, 5, -5, -150, 10_600_000)] == [
        "0.00", "0.05", "-0.05", "-1.50", "106,000.00"
    ]  # fmt: skip
    assert yuan_text_exact(-1) == "-0.00000001"
    assert yuan_text_unit(1_234_567_890) == "1,234.567890"
