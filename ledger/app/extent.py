"""How much the market holds: providers by level, datasets, themes, cities, rows, calls; public.

Rules kept here:
1. A level is what a provider's profile states; who states none is counted apart, so the levels
   need not sum to the total, and both are said.
2. Everything is counted from what is registered; nothing is a setting.
"""

from __future__ import annotations

from typing import Any

from ledger.app.catalogue import search_catalogue
from ledger.app.market import Market
from ledger.app.names import level_of
from ledger.domain.catalogue_lists import LEVELS
from ledger.domain.cities import CITIES
from ledger.domain.codes import Role
from ledger.domain.labels import level_label
from ledger.projection import queries
from ledger.projection.queries.totals import billed_unit_count, latest_row_count


def market_extent(market: Market) -> dict[str, Any]:
    """Return what the market holds, in figures."""
    levels = _levels(market)
    facets = search_catalogue(market, filters={"kind": ["dataset"]}, limit=1)["facets"]
    cities = [int(value["name"]) for value in facets["city"]["values"]]
    with market.read() as connection:
        totals = queries.market_totals(connection)
        row_count = latest_row_count(connection)
        unit_count = billed_unit_count(connection)
    stated = [level for level in levels if level]
    return {
        "provider_count": len(levels),
        "levels": [
            {
                "level": level,
                "label_zh": level_label(level, "zh"),
                "label_en": level_label(level, "en"),
                "provider_count": stated.count(level),
            }
            for level in LEVELS
            if level in stated
        ],
        "level_stated_count": len(stated),
        "level_not_stated_count": len(levels) - len(stated),
        "dataset_count": totals.dataset_count,
        "theme_count": len(facets["domain"]["values"]),
        "city_count": len(cities),
        "province_count": len({CITIES[code].province_code for code in cities}),
        "row_count": row_count,
        "product_count": totals.product_count,
        "licence_count": totals.licence_count,
        "billed_unit_count": unit_count,
    }


def _levels(market: Market) -> list[str]:
    with market.read() as connection:
        providers = queries.organisations_list(connection, role=Role.PROVIDER)
    return [level_of(market, provider.profile_digest) for provider in providers]
