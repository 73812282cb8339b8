"""What goes back when a licence ends early.

Rules kept here:
1. By days: full days that are left, of all days begun; by units: what is left of the quota.
2. The sum is floored once; the bills share it by their running totals, so the parts sum to it.
3. Without a rule in the agreement nothing goes back: use was paid by use.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

DAY_SECONDS = 86_400


class RefundRule(StrEnum):
    """How what was not used is measured."""

    NONE = "none"
    DAYS = "days"
    UNITS = "units"


def unused_of_days(valid_from: int, valid_until: int, ended_at: int) -> tuple[int, int]:
    """Return unused and all days: full days left (down) of days begun (up).

    Args:
        valid_from: Unix seconds, inclusive.
        valid_until: Unix seconds, exclusive; after `valid_from`.
        ended_at: Unix seconds; before `valid_from`, nothing was used.
    """
    whole = -(-(valid_until - valid_from) // DAY_SECONDS)
    left = max(0, valid_until - max(ended_at, valid_from))
    return (whole if ended_at <= valid_from else left // DAY_SECONDS), whole


def unused_of_units(quota_units: int, used_units: int) -> tuple[int, int]:
    """Return unused and all units of a quota."""
    return max(0, quota_units - used_units), quota_units


def refunds_fen(bills_fen: Sequence[int], unused: int, whole: int) -> list[int]:
    """Return the refund of each bill in fen; together the floor of all bills' share.

    Args:
        bills_fen: what each bill asks for, reductions taken off, in the order of issue.
        unused: how much was not used, at most `whole`.
        whole: of how much, above 0.
    """
    refunds, total = [], 0
    for bill in bills_fen:
        before = total * unused // whole
        total += bill
        refunds.append(total * unused // whole - before)
    return refunds
