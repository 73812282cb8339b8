"""The console's first page: the market's statement, for people, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from api.console.drawing import flow_of
from api.console.words import words_of
from api.deps import MarketDep
from api.languages import CHINESE, language_of
from ledger.app.lookup import datasets_found
from ledger.app.names import display_names, invented
from ledger.domain.units import MICRO_FEN_PER_FEN, yuan_text, yuan_text_exact
from ledger.report.statements import market_statement

router = APIRouter(include_in_schema=False)
_TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")


@router.get("/", response_class=HTMLResponse)
def page(request: Request, market: MarketDep) -> HTMLResponse:
    """Who supplied, who used, who gets how much and why."""
    language = language_of(request)
    names = display_names(market)
    with market.read() as connection:
        statement = market_statement(connection, names)
    words = words_of(language)
    key = "zh" if language == CHINESE else "en"

    def name(identity: str | None) -> str:
        found = statement["names"].get(identity) if identity else None
        return str(found[key]) if found else (identity or "—")

    context: dict[str, Any] = {
        "language": language,
        "words": words,
        "statement": statement,
        "datasets": datasets_found(market),
        "invented": invented(market),
        "flow": flow_of(statement, name, words),
        "name": name,
        "yuan": yuan_text,
        "yuan_of_micro": lambda digits: yuan_text(int(digits) // MICRO_FEN_PER_FEN),
        "yuan_exact": lambda digits: yuan_text_exact(int(digits)),
        "title_key": f"title_{key}",
    }
    return _TEMPLATES.TemplateResponse(
        request, "index.html", context, headers={"Content-Language": language}
    )
