"""Months as people write them."""

from __future__ import annotations

import pytest

from ledger.domain.calendar import (
    end_of_period,
    parse_period,
    period_of,
    period_text,
    start_of_period,
)
from ledger.domain.errors import MalformedValueError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("text", ["2026-00", "2026-13", "202601", "1969-12", "2026-1", ""])
def test_month__malformed__typed_error(text: str) -> None:
    with pytest.raises(MalformedValueError):
        parse_period(text)


def test_month__of_an_instant__reads_back() -> None:
    assert parse_period(period_text(period_of(1_795_000_000))) == 202611


@pytest.mark.parametrize(("period_id", "following"), [(202611, 202612), (202612, 202701)])
def test_period__its_end__is_the_start_of_the_next(period_id: int, following: int) -> None:
    end = end_of_period(period_id)
    assert (period_of(end - 1), period_of(end)) == (period_id, following)
    assert start_of_period(following) == end
