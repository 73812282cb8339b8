"""Step 11, close: how far the year lay from what was permitted, and what the next cycle deducts.

Rules kept here:
1. A deviation of up to 10 % asks for other prices, a larger one for another cap; the comparison is
   made on exact amounts, so no rounding decides it.
2. Over-recovery is deducted in the next one to three cycles; under-recovery is not carried.

Source: domain report 4.3 step 11; 发改价格〔2025〕65号.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.domain.codes import CloseOutcome
from ledger.domain.money import CYCLE_COUNT_MAX
from ledger.domain.units import PPM_WHOLE, MicroFen, micro_fen, require_range
from ledger.revenue.errors import PermittedIncomeAbsentError

DEVIATION_LIMIT_PPM = 100_000


class Deviation(NamedTuple):
    """How far the income of a year lies from the permitted income, and what follows."""

    deviation_ppm: int
    """Floor; above 1,000,000 when the income is more than twice what was permitted."""
    outcome: CloseOutcome


def deviation(income_micro_fen: MicroFen, permitted_micro_fen: MicroFen) -> Deviation:
    """Return |income - permitted| / permitted in ppm (floor) and its consequence.

    Raises:
        PermittedIncomeAbsentError: when nothing was permitted, as in a trial-price scheme.
    """
    micro_fen(income_micro_fen, "income_micro_fen")
    if micro_fen(permitted_micro_fen, "permitted_micro_fen") == 0:
        raise PermittedIncomeAbsentError(
            "a scheme without permitted income has no deviation",
            field="permitted_micro_fen",
            got=0,
            expected="more than 0",
        )
    distance = abs(income_micro_fen - permitted_micro_fen) * PPM_WHOLE
    is_within = distance <= permitted_micro_fen * DEVIATION_LIMIT_PPM
    return Deviation(
        distance // permitted_micro_fen,
        CloseOutcome.ADJUST_PRICE if is_within else CloseOutcome.ADJUST_CAP,
    )


def carry_out_instalments(carry_out_micro_fen: MicroFen, cycles: int) -> list[MicroFen]:
    """Spread a carry-out over the next cycles: equal parts (floor), the last takes the remainder.

    Args:
        carry_out_micro_fen: what is left in the reserve after the cycle's open room was filled.
        cycles: over how many cycles, 1 … 3.
    """
    require_range("cycles", cycles, 1, CYCLE_COUNT_MAX)
    part, rest = divmod(micro_fen(carry_out_micro_fen, "carry_out_micro_fen"), cycles)
    return [MicroFen(part)] * (cycles - 1) + [MicroFen(part + rest)]
