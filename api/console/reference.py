"""The API's reference as a page of its own: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from api.console.words import words_of
from api.languages import language_of

router = APIRouter(include_in_schema=False)
_TEMPLATES = Jinja2Templates(directory=Path(__file__).parent / "templates")


@router.get("/docs", response_class=HTMLResponse)
def reference(request: Request) -> HTMLResponse:
    """Every operation with its parameters and body, read from the OpenAPI document."""
    language = language_of(request)
    document = request.app.openapi()
    context = {
        "language": language,
        "words": words_of(language),
        "groups": operations_of(document),
        "schemas": document.get("components", {}).get("schemas", {}),
    }
    return _TEMPLATES.TemplateResponse(request, "reference.html", context)


def operations_of(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the operations of an OpenAPI document by their first tag."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            groups.setdefault(tag, []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "text": operation.get("description") or operation.get("summary", ""),
                    "parameters": operation.get("parameters", []),
                    "body": _body_of(operation),
                }
            )
    return groups


def _body_of(operation: dict[str, Any]) -> str | None:
    content = operation.get("requestBody", {}).get("content", {})
    reference_path: str = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    return reference_path.rpartition("/")[2] or None
