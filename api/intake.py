"""What is read of a request: bodies of bounded size, JSON that every part can hold.

Rules kept here:
1. A body of more than `BODY_BYTES_MAX` is answered with 413 and not read further.
2. A JSON body is refused before any route sees it when it is not UTF-8, repeats a key, nests
   deeper than `NESTING_MAX`, or holds a float, NaN, NUL, a lone surrogate or a number beyond
   2^256 - 1. No field of the ledger takes those, and each has broken some program's database.
3. A path whose route reads and names such values itself, and stores nothing, is exempt from 2.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import BodyTooLargeError, MalformedRequestError
from api.problems import answer
from ledger.domain.errors import LedgerError, MalformedValueError
from ledger.domain.nesting import check_nesting

BODY_BYTES_MAX = 1_048_576
_DIGITS_MAX = 78
_METHODS = ("POST", "PUT", "PATCH", "DELETE")


class Intake:
    """ASGI middleware that reads and checks bodies before the application does."""

    def __init__(self, app: ASGIApp, own_reading: Sequence[str] = ()) -> None:
        self._app = app
        self._own_reading = frozenset(own_reading)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on a request whose body and query are fit to be read; answer any other."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_target(scope)
            body = await _body(scope, receive) if scope["method"] in _METHODS else None
            if body and _is_json(scope) and scope["path"] not in self._own_reading:
                check_json(body)
        except LedgerError as error:
            await answer(Request(scope), error)(scope, receive, send)
            return
        await self._app(scope, receive if body is None else _replay(body, receive), send)


def check_json(body: bytes) -> None:
    """Check that a body is JSON that the service can hold.

    Raises:
        MalformedRequestError: saying what it is that no field takes.
    """
    try:
        text = body.decode("utf-8")
        check_nesting(text)
        value = json.loads(
            text,
            object_pairs_hook=_members,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
        )
    except MalformedValueError as error:
        raise MalformedRequestError(
            "the body nests too deep", field="body", got=error.got, expected=error.expected
        ) from error
    except ValueError as error:
        raise MalformedRequestError(
            "the body is not JSON", field="body", got=str(error)[:80], expected="UTF-8 JSON"
        ) from error
    _check(value)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedRequestError(
            "a key is repeated", field="body", got=len(pairs), expected=len(members)
        )
    return members


def _no_float(text: str) -> NoReturn:
    raise MalformedRequestError(
        "numbers are integers here", field="body", got=text, expected="an integer"
    )


def _integer(text: str) -> int:
    if len(text) > _DIGITS_MAX:
        raise MalformedRequestError(
            "a number is too large", field="body", got=text, expected=f"{_DIGITS_MAX} digits"
        )
    return int(text)


def _check(value: Any) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
    elif isinstance(value, str):
        _check_text(value)


def _check_text(text: str) -> None:
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise MalformedRequestError(
            "a text holds NUL or half a character", field="body", got=text, expected="Unicode"
        )


def _check_target(scope: Scope) -> None:
    target = scope["path"] + scope["query_string"].decode("latin-1")
    if "\x00" in target or "%00" in target:
        raise MalformedRequestError("the address holds NUL", field="path", got=target)


def _is_json(scope: Scope) -> bool:
    kind = _header(scope, b"content-type").partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _header(scope: Scope, name: bytes) -> str:
    found = [value for key, value in scope["headers"] if key == name]
    return found[-1].decode("latin-1") if found else ""


async def _body(scope: Scope, receive: Receive) -> bytes:
    stated = _header(scope, b"content-length")
    if stated.isascii() and stated.isdigit() and len(stated) < 20:
        _check_size(int(stated))
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        _check_size(size)
        more = message["type"] == "http.request" and message.get("more_body", False)
    return b"".join(chunks)


def _check_size(size: int) -> None:
    if size > BODY_BYTES_MAX:
        raise BodyTooLargeError(
            "the body is too large", field="body", got=size, expected=f"<= {BODY_BYTES_MAX} bytes"
        )


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a receiver that gives the body that was read, then whatever comes."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again
