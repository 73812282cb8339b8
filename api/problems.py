"""Errors on the wire: RFC 9457 problem documents from one handler.

Rules kept here:
1. `type` is urn:mdl:error:<code> and never changes; `title` is in the reader's language; `detail`
   is for people and may change.
2. What a client sent is echoed shortened and made safe: no float, no lone surrogate, no number that
   a JSON reader would round.
3. An error nobody foresaw is logged with its trace and answered without one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from api.errors import (
    HttpRefusedError,
    InternalError,
    InvalidFieldError,
    InvalidRequestError,
    MalformedRequestError,
    MethodNotAllowedError,
    NoSuchPathError,
    status_of,
)
from api.languages import language_of
from api.titles import title_of
from ledger.app.errors import UsesRefusedError
from ledger.domain.errors import LedgerError
from ledger.domain.units import AMOUNT_FEN_MAX

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5
FINDINGS_MAX = 100
_TEXT_MAX = 300
_ITEMS_MAX = 50
_DEPTH_MAX = 4
_LOG = structlog.get_logger("api.problems")


def install(app: FastAPI) -> None:
    """Answer every error of the application with a problem document."""
    app.add_exception_handler(LedgerError, _on_ledger_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unforeseen)


def problem(
    error: LedgerError,
    language: str,
    *,
    status: int | None = None,
    headers: dict[str, str] | None = None,
    instance: str | None = None,
) -> JSONResponse:
    """Return the problem document of an error."""
    status = status_of(error) if status is None else status
    body = {
        "type": f"urn:mdl:error:{error.code}",
        "title": title_of(error.code, status, language),
        "status": status,
        "detail": safe(error.detail),
        "code": error.code,
        "field": safe(error.field),
        "got": safe(error.got),
        "expected": safe(error.expected),
        "retryable": error.retryable,
        "findings": [_finding(item) for item in _findings(error)],
        "instance": instance,
    }
    if isinstance(error, UsesRefusedError):
        body |= {"rows": [safe(row) for row in error.rows], "total": error.total}
    return JSONResponse(
        body, status, headers=_headers(status, language, headers), media_type=MEDIA_TYPE
    )


def answer(request: Request, error: LedgerError, *, status: int | None = None) -> JSONResponse:
    """Return the problem document of an error for a request, receipt headers included."""
    status = status_of(error) if status is None else status
    request_id = request.scope.get("state", {}).get("request_id")
    if status >= 500:
        _LOG.warning("refused", code=error.code, status=status, detail=error.detail)
    return problem(
        error,
        language_of(request),
        status=status,
        headers=getattr(error, "headers", None),
        instance=f"urn:mdl:request:{request_id}" if request_id else None,
    )


def safe(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON that every reader takes, long texts and lists cut."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= AMOUNT_FEN_MAX else _shortened(_digits(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return _shortened("0x" + bytes(value).hex())
    if depth < _DEPTH_MAX and isinstance(value, dict):
        items = list(value.items())[:_ITEMS_MAX]
        return {_shortened(str(key)): safe(item, depth + 1) for key, item in items}
    is_list = isinstance(value, Sequence | set | frozenset) and not isinstance(value, str)
    if depth < _DEPTH_MAX and is_list:
        return [safe(item, depth + 1) for item in list(value)[:_ITEMS_MAX]]
    return _shortened(value if isinstance(value, str) else _text(value))


def _digits(value: int) -> str:
    # Python refuses to write integers of more than 4,300 digits as decimal text.
    return str(value) if value.bit_length() < 1_024 else hex(value)


def _text(value: Any) -> str:
    return type(value).__name__ if isinstance(value, dict | list | tuple) else str(value)


def _shortened(text: str) -> str:
    clean = text[: _TEXT_MAX + 1].encode("utf-8", "backslashreplace").decode()
    return clean if len(clean) <= _TEXT_MAX else clean[: _TEXT_MAX - 1] + "…"


def _findings(error: LedgerError) -> list[LedgerError]:
    return list(getattr(error, "findings", ()))[:FINDINGS_MAX]


def _finding(error: LedgerError) -> dict[str, Any]:
    return {
        "code": error.code,
        "detail": safe(error.detail),
        "field": safe(error.field),
        "got": safe(error.got),
        "expected": safe(error.expected),
    }


def _headers(status: int, language: str, more: dict[str, str] | None) -> dict[str, str]:
    headers = {"Content-Language": language, "Cache-Control": "no-store"} | (more or {})
    if status == 503:
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    if status == 401:
        headers.setdefault("WWW-Authenticate", 'ApiKey realm="metro-data-ledger"')
    return headers


async def _on_ledger_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LedgerError)
    return answer(request, error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    items = error.errors()
    if any(item["type"] == "json_invalid" for item in items):
        return answer(request, MalformedRequestError("the body is not JSON", field="body"))
    findings = [_field_error(item) for item in items]
    detail = f"{len(findings)} field(s) of the request are wrong"
    return answer(request, InvalidRequestError(detail, findings))


def _field_error(item: Any) -> LedgerError:
    inner = (item.get("ctx") or {}).get("error")
    field = ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0])
    if isinstance(inner, LedgerError):
        inner.field = field
        return inner
    got = None if item["type"] == "missing" else item.get("input")
    return InvalidFieldError(item["msg"], field=field, got=got, expected=item["msg"])


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path, method = request.url.path, request.method
    found: LedgerError
    if error.status_code == 404:
        found = NoSuchPathError("there is nothing at this path", field="path", got=path)
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        found = MethodNotAllowedError(
            "the path does not take this method", field="method", got=method, expected=allowed
        )
    elif error.status_code == 400:
        found = MalformedRequestError("the request cannot be read", field="body")
    else:
        found = HttpRefusedError(str(error.detail))
    response = answer(request, found, status=error.status_code)
    response.headers.update(error.headers or {})
    return response


async def _on_unforeseen(request: Request, error: Exception) -> Response:
    _LOG.error("failed", path=request.url.path, exc_info=error)
    return answer(request, InternalError("the service failed; its log knows why"))
