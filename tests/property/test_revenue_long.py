"""The comparison with exact fractions on a hundred thousand schemes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.property.test_revenue_waterfall import Market, markets, require_exact

pytestmark = pytest.mark.long


@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(markets(sales_max=3))
def test_splits__a_hundred_thousand_schemes__equal_exact_fractions(market: Market) -> None:
    require_exact(market)
