"""Where meters send what they measured: one process, one log, one route, and nothing around it.

`POST /v1/meters/{meter_no}/uses` takes receipts without numbers (`application/octet-stream`, with
`?first_seq=N`) or JSON, and answers when they are durable. `/healthz` and `/readyz` are for those
who run the process.

Rules kept here:
1. Who sends is known before the body is read; a body is read up to its bound and no further.
2. What a meter sent is answered with 200 or with a problem document, never with a 5xx that it can
   cause itself.
3. The hot route is bare ASGI: a framework around it would cost more than the log.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from api.errors import (
    BodyTimeoutError,
    BodyTooLargeError,
    InternalError,
    InvalidFieldError,
    KeyRequiredError,
    MalformedRequestError,
    MediaTypeError,
    MethodNotAllowedError,
    NoSuchPathError,
    status_of,
)
from api.languages import language_of
from api.problems import problem
from ledger.app.meter_keys import KeyRing
from ledger.app.metering import MeterIntake
from ledger.domain.errors import LedgerError
from ledger.domain.units import AMOUNT_FEN_MAX, UINT32_MAX

BODY_BYTES_MAX = 1_048_576
BODY_SECONDS_MAX = 30.0
BINARY, JSON = "application/octet-stream", "application/json"
_USES = re.compile(r"/v1/meters/([0-9]{1,10})/uses")
_RETRY_AFTER = {429: "1", 503: "2"}
_LOG = structlog.get_logger("api.metering")


class MeterService:
    """The ASGI application."""

    def __init__(self, intake: MeterIntake, keys: KeyRing) -> None:
        """Serve an intake, which lives as long as the application."""
        self._intake = intake
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            try:
                status, found = await self._found(scope, receive)
            except LedgerError as error:
                await _refuse(error, scope, receive, send)
            except Exception as error:  # noqa: BLE001
                _LOG.exception("failed", path=scope["path"], exc_info=error)
                failed = InternalError("the service failed; its log knows why")
                await _refuse(failed, scope, receive, send)
            else:
                await _reply(send, status, found)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    self._intake.start()
                except LedgerError as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                self._intake.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _found(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, Any]]:
        path = scope["path"]
        matched = _USES.fullmatch(path)
        if matched is None:
            return self._health(path)
        if scope["method"] != "POST":
            raise MethodNotAllowedError(
                "the path takes POST", field="method", got=scope["method"], expected="POST"
            )
        meter_no = int(matched[1])
        if not 1 <= meter_no <= UINT32_MAX:
            raise NoSuchPathError("there is no such meter", field="meter_no", got=meter_no)
        headers = dict(scope["headers"])
        await self._require_key(_text(headers, b"x-api-key"), meter_no)
        return 200, await self._taken(scope, receive, headers, meter_no)

    def _health(self, path: str) -> tuple[int, dict[str, Any]]:
        if path == "/healthz":
            return 200, {"status": "ok"}
        if path == "/readyz":
            is_ready = self._intake.is_sound
            return (200 if is_ready else 503), {"log_no": self._intake.log_no, "ready": is_ready}
        raise NoSuchPathError("there is nothing at this path", field="path", got=path)

    async def _require_key(self, key: str, meter_no: int) -> None:
        if not key:
            raise KeyRequiredError("this needs a meter's API key", field="X-Api-Key")
        holder = self._keys.known(key)
        if holder is None:
            holder = await asyncio.to_thread(self._keys.look_up, key)
            self._keys.remember(key, holder)
        self._keys.require(holder, meter_no)

    async def _taken(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], meter_no: int
    ) -> dict[str, int]:
        kind = _text(headers, b"content-type").partition(";")[0].strip().lower()
        if kind not in (BINARY, JSON):
            raise MediaTypeError(
                "the body's type is not taken",
                field="Content-Type",
                got=kind,
                expected=[BINARY, JSON],
            )
        first_seq = _first_seq(scope) if kind == BINARY else 0
        held = _Held(self._intake)
        try:
            body = await _body(receive, _text(headers, b"content-length"), held)
            if kind == BINARY:
                return await self._intake.take_receipts(meter_no, first_seq, body)
            return await self._intake.take_json(meter_no, body)
        finally:
            held.release()


class _Held:
    """Bytes that one request holds."""

    def __init__(self, intake: MeterIntake) -> None:
        self._intake = intake
        self.size_bytes = 0

    def add(self, size_bytes: int) -> None:
        """Count bytes that came in.

        Raises:
            BodyTooLargeError: the body is too large.
            IntakeFullError: too much waits already.
        """
        _require_size(self.size_bytes + size_bytes)
        self._intake.hold(size_bytes)
        self.size_bytes += size_bytes

    def release(self) -> None:
        """Count them no more."""
        self._intake.release(self.size_bytes)


async def _body(receive: Receive, stated: str, held: _Held) -> bytes:
    if stated.isascii() and stated.isdigit():
        _require_size(int(stated) if len(stated) < 20 else BODY_BYTES_MAX + 1)
    chunks: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            while True:
                message: Message = await receive()
                if message["type"] != "http.request":
                    raise MalformedRequestError("the body ended early", field="body")
                chunk = message.get("body", b"")
                held.add(len(chunk))
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    except TimeoutError as error:
        raise BodyTimeoutError(
            "the body did not come in time", field="body", expected=f"{BODY_SECONDS_MAX} s"
        ) from error


def _require_size(size_bytes: int) -> None:
    if size_bytes > BODY_BYTES_MAX:
        raise BodyTooLargeError(
            "the body is too large", field="body", got=size_bytes, expected=BODY_BYTES_MAX
        )


def _first_seq(scope: Scope) -> int:
    given = [
        value
        for name, value in parse_qsl(
            scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=None
        )
        if name == "first_seq"
    ]
    text = given[0] if len(given) == 1 else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise InvalidFieldError(
            "receipts need one first_seq",
            field="first_seq",
            got=given[:2],
            expected=f"1 … {AMOUNT_FEN_MAX}",
        )
    return int(text)


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


async def _reply(send: Send, status: int, found: dict[str, Any]) -> None:
    body = json.dumps(found, separators=(",", ":")).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _refuse(error: LedgerError, scope: Scope, receive: Receive, send: Send) -> None:
    status = status_of(error)
    headers = {"X-Content-Type-Options": "nosniff"}
    if status in _RETRY_AFTER:
        headers["Retry-After"] = _RETRY_AFTER[status]
    if status == 405:
        headers["Allow"] = "POST"
    response = problem(error, language_of(Request(scope)), status=status, headers=headers)
    await response(scope, receive, send)
