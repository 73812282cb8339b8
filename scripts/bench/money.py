"""Money: how fast a charge is computed, an income split and a month closed."""

from __future__ import annotations

from uuid import UUID

from ledger.cli.demo.year.world import Scale
from ledger.domain.codes import ChargeBasis
from ledger.domain.ids import ClaimantId
from ledger.domain.money import (
    REGULAR_TIERS,
    Band,
    ClaimantCost,
    Lineage,
    SchemeTerms,
    Tariff,
)
from ledger.domain.units import Fen, MicroYuan, Ppm
from ledger.revenue.state import apply
from ledger.revenue.tariff import charge_fen
from ledger.revenue.waterfall import SchemeState, split_income
from scripts.bench import month_close
from scripts.bench.figures import Figure, more, seconds_of

PRICES = 100_000
SPLITS = 3_000
CLAIMANTS = 10
RUNS = 5


def measure(
    prices: int = PRICES, splits: int = SPLITS, scale: Scale = month_close.SCALE
) -> list[Figure]:
    """Return the figures of the chapter."""
    priced = [prices / seconds_of(lambda: _price(prices)) for _ in range(RUNS)]
    divided = [splits / seconds_of(lambda: _split(splits)) for _ in range(RUNS)]
    return [
        more("money.price_per_s", priced, "charges/s"),
        more("money.split_per_s", divided, "splits/s", note=f"{CLAIMANTS} claimants, posted"),
        *month_close.measure(scale),
    ]


def _price(count: int) -> None:
    tariff = Tariff(
        basis=ChargeBasis.DATA_RECORDS,
        bands=(
            Band(1_000, MicroYuan(0)),
            Band(11_000, MicroYuan(6_910_000)),
            Band(None, MicroYuan(3_690_000)),
        ),
    )
    for number in range(count):
        charge_fen(tariff, number, 1 + number % 977)


def _split(count: int) -> None:
    claimants = [ClaimantId(UUID(int=number)) for number in range(1, CLAIMANTS + 1)]
    terms = SchemeTerms(
        costs=tuple(ClaimantCost(claimant, Fen(10**9)) for claimant in claimants),
        operator_id=claimants[0],
        platform_id=claimants[1],
        bond_ppm=Ppm(17_500),
        spread_ppm=Ppm(60_000),
        tax_fen=Fen(36_000),
        surcharge_ppm=Ppm(7_200),
        vat_ppm=Ppm(60_000),
        tiers=REGULAR_TIERS,
    )
    lineage = Lineage.of(dict.fromkeys(claimants, 1_000_000 // CLAIMANTS))
    state = SchemeState(terms)
    for number in range(count):
        state = apply(state, split_income(state, Fen(10_000 + number % 991), lineage))
