"""The page of one objection: parties, clock, timeline, decision, relief; in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from api.console.case_words import case_words
from api.console.clock import clock_of
from api.console.words import words_of
from api.deps import MarketDep
from api.languages import CHINESE, language_of
from ledger.app.market import Market
from ledger.app.names import invented
from ledger.app.objection_cases import objection_found
from ledger.domain.calendar import instant_text
from ledger.domain.codes import Role
from ledger.domain.objections import (
    Ground,
    ObjectionState,
    Outcome,
    ReliefRoute,
    SubjectKind,
    case_label_zh,
)
from ledger.domain.units import yuan_text

router = APIRouter(include_in_schema=False)
_TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")
_CODES = {
    code.name.lower(): code
    for kind in (SubjectKind, Ground, ObjectionState, Outcome, ReliefRoute)
    for code in kind
}


@router.get("/objections/{objection_id}", response_class=HTMLResponse)
def objection_page(objection_id: UUID, request: Request, market: MarketDep) -> HTMLResponse:
    """One case with its clock."""
    language = language_of(request)
    headers = {
        "Content-Language": language,
        "Cache-Control": "no-store",
        "Vary": "Accept-Language",
    }
    context = case_of(market, objection_id, language)
    return _TEMPLATES.TemplateResponse(request, "objection.html", context, headers=headers)


def case_of(market: Market, objection_id: UUID, language: str) -> dict[str, Any]:
    """Return everything that the page shows, texts in one language.

    Raises:
        NotFoundError: the case is unknown.
    """
    found = objection_found(market, objection_id)
    side = "zh" if language == CHINESE else "en"
    words = case_words(language)

    def name(key: str | None) -> str:
        return str(found["names"].get(key, {}).get(side, key)) if key else "—"

    def label(code: str | None, kind: Any = None) -> str:
        if code is None:
            return "—"
        member = kind[code.upper()] if kind else _CODES[code]
        return case_label_zh(member) if side == "zh" else code.replace("_", " ")

    def role(code: str) -> str:
        return words[f"role_{Role[code.upper()].name.lower()}"]

    return {
        "language": language,
        "words": words_of(language) | words,
        "case": found,
        "clock": clock_of(found),
        "invented": invented(market),
        "name": name,
        "label": label,
        "outcome": lambda code: label(code, Outcome),
        "state": lambda code: label(code, ObjectionState),
        "role": role,
        "when": lambda seconds: instant_text(seconds) if seconds else "—",
        "yuan": yuan_text,
        "percent": lambda ppm: f"{ppm // 10_000}.{ppm % 10_000:04d} %",
    }
