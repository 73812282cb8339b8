"""The console's first page: the market's statement, for people, in both languages."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from api.console.drawing import Drawing, draw
from api.console.words import words_of
from api.deps import MarketDep
from api.languages import CHINESE, language_of
from api.tags import tag_of
from ledger.app.calendars import calendar_found
from ledger.app.extent import market_extent
from ledger.app.log_keeping import anchors_found, logs_found
from ledger.app.lookup import datasets_found, provider_of_datasets
from ledger.app.market import Market
from ledger.app.names import display_names, invented
from ledger.domain.calendar import instant_text
from ledger.domain.codes import Purpose
from ledger.domain.labels import label_zh
from ledger.domain.units import yuan_text, yuan_text_exact
from ledger.report.extent import extent_sentences
from ledger.report.statements import market_statement

ROWS_MAX = 50
"""Rows of a table on the page; the figures as JSON have all."""
REASONS_MAX = 6
_KEPT: WeakKeyDictionary[Market, tuple[int, dict[str, dict[str, Any]]]] = WeakKeyDictionary()
router = APIRouter(include_in_schema=False)
_TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")


@router.get("/", response_class=HTMLResponse)
def page(request: Request, market: MarketDep) -> HTMLResponse:
    """Who supplied, who used, who gets how much and why."""
    language = language_of(request)
    headers = {
        "Content-Language": language,
        "Cache-Control": "no-cache",
        "ETag": tag_of(market, request),
        "Vary": "Accept-Language",
    }
    context = _kept_figures(market, language)
    return _TEMPLATES.TemplateResponse(request, "index.html", context, headers=headers)


def _kept_figures(market: Market, language: str) -> dict[str, Any]:
    """Return the page's figures, made once a block and language, as its tag says."""
    block = market.projected_block()
    known, figures = _KEPT.get(market, (block, {}))
    if known != block:
        figures = {}
    if language not in figures:
        figures = figures | {language: figures_of(market, language)}
        _KEPT[market] = block, figures
    return dict(figures[language])


def figures_of(market: Market, language: str) -> dict[str, Any]:
    """Return everything that the page shows, texts in one language."""
    names = display_names(market)
    with market.read() as connection:
        statement = market_statement(connection, names)
    extent = market_extent(market)
    side = "zh" if language == CHINESE else "en"

    def name(identity: str | None) -> str:
        found = statement["names"].get(identity) if identity else None
        return str(found[side]) if found else (identity or "—")

    def purpose(number: int) -> str:
        code = Purpose(number)
        return label_zh(code) if side == "zh" else code.name.replace("_", " ").lower()

    return {
        "language": language,
        "words": words_of(language),
        "statement": statement,
        "uses": sorted(statement["uses"], key=lambda use: -use["paid_fen"])[:ROWS_MAX],
        "claimants": [
            row | {"reasons": _summed(row["reasons"])}
            for row in sorted(
                statement["claimants"], key=lambda row: -int(row["entitled_micro_fen"])
            )[:ROWS_MAX]
        ],
        "datasets": datasets_found(market, ROWS_MAX),
        "extent": extent_sentences(extent, side),
        "rows_max": ROWS_MAX,
        "anchors": _anchors(market),
        "invented": invented(market),
        "is_trial": calendar_found(market)["is_trial"],
        "flow": drawing_of(statement, provider_of_datasets(market), name),
        "name": name,
        "purpose": purpose,
        "is_free": lambda number: not Purpose(number).is_chargeable,
        "yuan": yuan_text,
        "yuan_exact": lambda digits: yuan_text_exact(int(digits)),
        "title_key": f"title_{side}",
    }


def _summed(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return reasons one by one, or where they are many their sums by tier and kind."""
    if len(reasons) <= REASONS_MAX:
        return [reason | {"count": 1} for reason in reasons]
    sums: dict[tuple[str, str], list[int]] = {}
    for reason in reasons:
        amounts = sums.setdefault((reason["tier"], reason["kind"]), [])
        amounts.append(int(reason["amount_micro_fen"]))
    return [
        {"tier": tier, "kind": kind, "amount_micro_fen": str(sum(amounts)), "count": len(amounts)}
        for (tier, kind), amounts in sums.items()
    ]


def drawing_of(statement: dict[str, Any], provider_of: dict[str, str], name: Any) -> Drawing:
    """Return the drawing: data flows to the right, money to those who supplied it."""
    supply: defaultdict[tuple[str, str], int] = defaultdict(int)
    for product in statement["products"]:
        for entry in product["lineage"]:
            supplier = provider_of.get(entry["claimant_id"], entry["claimant_id"])
            supply[supplier, product["product_id"]] += entry["weight_ppm"]
    sale: defaultdict[tuple[str, str], int] = defaultdict(int)
    for use in statement["uses"]:
        sale[use["product_id"], use["buyer_id"]] += use["net_fen"]
    earned: defaultdict[str, int] = defaultdict(int)
    for row in statement["claimants"]:
        earned[row["payee_id"] or row["earner_id"]] += int(row["entitled_micro_fen"])
    return draw(supply, sale, earned, statement["totals"], name)


def _anchors(market: Market) -> list[dict[str, Any]]:
    return [
        anchor | {"signed_at": instant_text(int(anchor["time_ms"]) // 1_000)}
        for log in logs_found(market)
        for anchor in anchors_found(market, log["log_no"])
    ]
