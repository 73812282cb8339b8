"""The outermost layer: request ids, log lines, security headers, answers 304."""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOG = structlog.get_logger("api.requests")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = ("/healthz", "/readyz")
_DROPPED = ("content-length", "content-type", "content-encoding")
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Edge:
    """ASGI middleware around everything else.

    The API key and bodies are never logged; the path is, its query is not.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send)
        began = time.perf_counter_ns()
        with structlog.contextvars.bound_contextvars(request_id=answer.request_id):
            try:
                await self._app(scope, receive, answer.send)
            finally:
                if scope["path"] not in _QUIET:
                    _LOG.info(
                        "request",
                        method=scope["method"],
                        path=scope["path"],
                        status=answer.status,
                        duration_us=(time.perf_counter_ns() - began) // 1_000,
                    )


class _Answer:
    """One response on its way out."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._is_get = scope["method"] in ("GET", "HEAD")
        self._is_empty = False
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        self._known_tags = headers.get(b"if-none-match", b"").decode("latin-1")
        self.request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        self.status = 500
        scope.setdefault("state", {})["request_id"] = self.request_id

    async def send(self, message: Message) -> None:
        """Send a message, its headers completed, its body dropped where the client has it."""
        if message["type"] == "http.response.start":
            message = self._started(message)
        elif self._is_empty and message["type"] == "http.response.body":
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    def _started(self, message: Message) -> Message:
        headers = MutableHeaders(raw=list(message["headers"]))
        headers["X-Request-Id"] = self.request_id
        for name, value in _SECURITY.items():
            headers.setdefault(name, value)
        headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        self.status = message["status"]
        if self._is_get and self.status == 200 and self._is_known(headers.get("etag")):
            self.status, self._is_empty = 304, True
            for name in _DROPPED:
                del headers[name]
        return {**message, "status": self.status, "headers": headers.raw}

    def _is_known(self, tag: str | None) -> bool:
        known = {part.strip().removeprefix("W/") for part in self._known_tags.split(",")}
        return tag is not None and tag.removeprefix("W/") in known
