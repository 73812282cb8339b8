"""The catalogue's pages: search with facets, a dataset, a product, a harvested entry. No script."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from api.console.lineage_drawing import draw_lineage
from api.console.words import words_of
from api.deps import MarketDep
from api.languages import CHINESE, language_of
from ledger.app.agreements import QuoteRequest
from ledger.app.catalogue import entry_found, lineage_found, search_catalogue
from ledger.app.errors import TariffMissingError
from ledger.app.market import Market
from ledger.app.pricing import price_preview
from ledger.app.requests import parse_part
from ledger.domain.catalogue import FIELDS
from ledger.domain.codes import (
    ChargeBasis,
    DeliveryMode,
    ModeSet,
    OpenClass,
    OrganisationKind,
    ProductState,
    Purpose,
    Sensitivity,
    UpdateFrequency,
    parse_code,
)
from ledger.domain.errors import UnknownCodeError
from ledger.domain.facets import FACETS
from ledger.domain.labels import city_label, industry_label, label_of, theme_label
from ledger.domain.search_words import QUERY_LENGTH_MAX
from ledger.domain.units import UINT64_MAX, yuan_text

router = APIRouter(include_in_schema=False)
_TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")
_PAGE = 20
_NESTED = ("fields", "quality_scores", "rights_basis")
_MICRO_YUAN = 1_000_000
_CODES: dict[str, type[IntEnum]] = {
    "provider_kind": OrganisationKind,
    "open_class": OpenClass,
    "share_class": OpenClass,
    "sensitivity": Sensitivity,
    "delivery_modes": DeliveryMode,
    "update_frequency": UpdateFrequency,
}
_LABELS: dict[str, Callable[[Any, str], str]] = {
    "domain": lambda value, side: theme_label(str(value), side),
    "industry": lambda value, side: industry_label(str(value), side),
    "city_code": lambda value, side: city_label(int(value), side),
}


@router.get("/catalogue", response_class=HTMLResponse)
def catalogue_page(
    request: Request,
    market: MarketDep,
    text: Annotated[str, Query(max_length=QUERY_LENGTH_MAX)] = "",
    sort: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str, Query(max_length=600)] = "",
) -> HTMLResponse:
    """Search the catalogue; every filter is a link, the words are a form."""
    side = _side(request)
    given = request.query_params
    filters = {key: given.getlist(key) for key in FACETS if given.getlist(key)}
    found = search_catalogue(
        market, text=text, filters=filters, sort=sort, side=side, limit=_PAGE, cursor=cursor
    )
    kept = {"text": text, "sort": sort, **filters}
    following = found["next_cursor"]
    context = {
        "found": found,
        "text": text,
        "filters": filters,
        "toggled": lambda key, name: _toggled(request, kept, key, name),
        "next_page": _address(request, kept | {"cursor": following}) if following else None,
        "price": _price,
    }
    return _page(request, "catalogue.html", context)


@router.get("/catalogue/{entry_id}", response_class=HTMLResponse)
def entry_page(
    request: Request,
    market: MarketDep,
    entry_id: UUID,
    units: Annotated[int, Query(ge=0, le=UINT64_MAX)] = 1_000,
    purpose: Annotated[str, Query(max_length=40)] = "industry",
) -> HTMLResponse:
    """One entry, whatever it is."""
    side = _side(request)
    found = entry_found(market, entry_id)
    context: dict[str, Any] = {"entry": found, "entry_id": str(entry_id)}
    if found["kind"] == "harvested":
        return _page(request, "harvested.html", context)
    graph = lineage_found(market, entry_id)
    context |= {
        "graph": graph,
        "drawing": draw_lineage(graph, f"title_{side}", str(entry_id)),
        "city": city_label(found["city_code"], side),
    }
    if found["kind"] == "product":
        context |= _product(market, found, units, purpose, side)
        return _page(request, "product.html", context)
    context["record"] = _record_rows(found.get("metadata") or {}, side)
    context["fields"] = (found.get("metadata") or {}).get("fields") or []
    return _page(request, "dataset.html", context)


def _page(request: Request, template: str, context: dict[str, Any]) -> HTMLResponse:
    language = language_of(request)
    side = _side(request)
    shared = {
        "language": language,
        "side": side,
        "words": words_of(language),
        "title_key": f"title_{side}",
        "label_key": f"label_{side}",
        "summary_key": f"summary_{side}",
        "label": lambda key, name: FACETS[key].label(FACETS[key].names[name], side),
        "other_language": _other_language(request, side),
    }
    headers = {
        "Content-Language": language,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Language",
    }
    return _TEMPLATES.TemplateResponse(request, template, shared | context, headers=headers)


def _side(request: Request) -> str:
    return "zh" if language_of(request) == CHINESE else "en"


def _other_language(request: Request, side: str) -> str:
    url = request.url.include_query_params(lang="en" if side == "zh" else "zh")
    return f"{url.path}?{url.query}"


def _address(request: Request, kept: dict[str, Any]) -> str:
    pairs = {key: value for key, value in kept.items() if value}
    if "lang" in request.query_params:
        pairs["lang"] = request.query_params["lang"]
    return "/catalogue?" + urlencode(pairs, doseq=True)


def _toggled(request: Request, kept: dict[str, Any], key: str, name: str) -> str:
    """Return the address with a value of a facet chosen, or chosen no longer."""
    chosen = list(kept.get(key, ()))
    changed = [it for it in chosen if it != name] if name in chosen else [*chosen, name]
    return _address(request, kept | {key: changed})


def _price(micro_yuan: int) -> str:
    whole, rest = divmod(micro_yuan, _MICRO_YUAN)
    return f"{whole:,}" + (f".{rest:06d}".rstrip("0") if rest else "")


def _record_rows(record: dict[str, Any], side: str) -> list[tuple[int, str, str]]:
    """Return number, label and value of each field that the provider stated."""
    rows = []
    for field in FIELDS:
        value = record.get(field.key)
        if value is None or field.key in _NESTED:
            continue
        label = field.label_zh if side == "zh" else field.label_en
        items = value if isinstance(value, list) else [value]
        texts = [_shown(field.key, item, side) for item in items]
        rows.append((field.number, label, ", ".join(texts)))
    return rows


def _shown(key: str, value: Any, side: str) -> str:
    """Return a value of a record in words: codes by their labels."""
    if isinstance(value, bool):
        return ("是" if value else "否") if side == "zh" else ("yes" if value else "no")
    if key in _LABELS:
        return _LABELS[key](value, side)
    if key in _CODES:
        try:
            return label_of(parse_code(_CODES[key], value, key), side)
        except UnknownCodeError:
            return str(value)
    return str(value)


def _product(
    market: Market, found: dict[str, Any], units: int, purpose: str, side: str
) -> dict[str, Any]:
    """Return what a product's page shows besides its lineage: prices, a preview."""
    body = {"product_id": found["product_id"], "purpose": purpose, "units": units}
    request = parse_part(QuoteRequest, body)
    try:
        preview = price_preview(market, request).as_dict()
    except TariffMissingError:
        preview = None
    tariff = found["tariff"]
    return {
        "preview": preview,
        "charge": yuan_text(preview["charge_fen"]) if preview else None,
        "units": units,
        "purpose": request.purpose.name.lower(),
        "purposes": [(it.name.lower(), label_of(it, side)) for it in Purpose],
        "modes": [label_of(mode, side) for mode in ModeSet(found["modes"]).modes()],
        "state": label_of(ProductState(found["state"]), side),
        "basis": label_of(ChargeBasis(tariff["basis"]), side) if tariff else None,
        "price": _price,
        "unlimited": str(UINT64_MAX),
    }
