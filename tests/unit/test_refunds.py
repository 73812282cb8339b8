"""What goes back when a licence ends early: exact, floored once, nothing lost between bills."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.revenue.refunds import DAY_SECONDS, refunds_fen, unused_of_days, unused_of_units

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("ended_at", "unused"),
    [(-5, 365), (0, 365), (1, 364), (DAY_SECONDS, 364), (365 * DAY_SECONDS - 1, 0), (10**9, 0)],
)
def test_days__left_of_a_year__full_days_alone(ended_at: int, unused: int) -> None:
    assert unused_of_days(0, 365 * DAY_SECONDS, ended_at) == (unused, 365)


def test_days__a_begun_day__counts_whole() -> None:
    assert unused_of_days(0, DAY_SECONDS + 1, 0) == (2, 2)
    assert unused_of_days(0, DAY_SECONDS + 1, 1) == (1, 2)


def test_units__more_used_than_the_quota__nothing_left() -> None:
    assert unused_of_units(10, 11) == (0, 10)
    assert unused_of_units(10, 3) == (7, 10)


def test_refunds__of_three_bills__share_one_floor() -> None:
    assert refunds_fen([100, 100, 100], 1, 3) == [33, 33, 34]


@given(
    bills=st.lists(st.integers(0, 2**53 - 1), max_size=8),
    parts=st.tuples(st.integers(0, 10**6), st.integers(1, 10**6)),
)
def test_refunds__any_bills__sum_to_the_floor_and_exceed_no_bill(
    bills: list[int], parts: tuple[int, int]
) -> None:
    unused, whole = min(parts), max(parts)
    refunds = refunds_fen(bills, unused, whole)
    assert sum(refunds) == sum(bills) * unused // whole
    assert all(0 <= refund <= bill for refund, bill in zip(refunds, bills, strict=True))
