"""An intake without a market: a log in a folder, invented licences and keys, the ASGI app."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from api.metering import BINARY, JSON, MeterService
from ledger.app.errors import ApiKeyUnknownError
from ledger.app.meter_keys import SCOPE_METER, KeyRing
from ledger.app.metering import MeterIntake
from ledger.log.admission import LicenceTerms
from ledger.log.meter_bodies import body_of_receipts
from ledger.log.reader import LogReader
from ledger.projection.api_keys import ApiKey
from tests.unit.log_story import LOG_NO, open_log
from tests.unit.meter_story import line, rows_of, terms

METER_NO = 4
KEY = "mdl_meter4"
HEADERS = {"x-api-key": KEY, "content-type": BINARY}
JSON_HEADERS = HEADERS | {"content-type": JSON}
USES = f"/v1/meters/{METER_NO}/uses"


def holder(meter_no: int = METER_NO, log_no: int = LOG_NO, scope: str = SCOPE_METER) -> ApiKey:
    """A key's holder."""
    return ApiKey(bytes(32), UUID(int=1), None, scope, 0, None, meter_no, log_no)


def known_keys() -> dict[str, ApiKey]:
    """The keys of the tests: the meter's, and three that do not speak for it."""
    return {
        KEY: holder(),
        "mdl_meter5": holder(meter_no=5),
        "mdl_log8": holder(log_no=8),
        "mdl_read": holder(scope="read"),
    }


def receipts(lines: Sequence[dict[str, Any]]) -> bytes:
    """Rows as a meter sends them."""
    return body_of_receipts(rows_of(list(lines)))


def lines_from(first: int, count: int, **changes: Any) -> list[dict[str, Any]]:
    """Rows of the meter from a number on."""
    return [line(seq, **changes) for seq in range(first, first + count)]


def as_json(lines: Sequence[dict[str, Any]]) -> bytes:
    """The same as JSON."""
    uses = [
        {name: value for name, value in item.items() if name not in ("meter_no", "meter_seq")}
        for item in lines
    ]
    return json.dumps({"first_seq": lines[0]["meter_seq"], "uses": uses}).encode()


@dataclass
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Story:
    """A running service, called without a socket."""

    folder: Path
    intake: MeterIntake
    service: MeterService
    keys: dict[str, ApiKey] = field(default_factory=known_keys)

    async def call(
        self,
        body: bytes | Sequence[bytes] = b"",
        *,
        path: str = USES,
        query: str = "",
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """Send one request; a body in parts comes in parts."""
        parts = [body] if isinstance(body, bytes) else list(body)
        incoming = [
            {"type": "http.request", "body": part, "more_body": place + 1 < len(parts)}
            for place, part in enumerate(parts)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return incoming.pop(0) if incoming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        given = HEADERS if headers is None else headers
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        await self.service(scope, receive, send)
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return Reply(sent[0]["status"], told, json.loads(content))

    async def send(self, first: int, count: int, **changes: Any) -> Reply:
        """Send receipts."""
        body = receipts(lines_from(first, count, **changes))
        return await self.call(body, query=f"first_seq={first}")


@asynccontextmanager
async def serving(folder: Path, granted: LicenceTerms | None = None) -> AsyncIterator[Story]:
    """A service on a log in a folder."""
    log_terms = terms(quota_units=2**40) if granted is None else granted
    intake = MeterIntake(LOG_NO, lambda: open_log(folder), lambda: log_terms, 1.0)
    keys = known_keys()

    def find(key: str) -> ApiKey:
        if key not in keys:
            raise ApiKeyUnknownError("the API key is not known", field="X-Api-Key")
        return keys[key]

    story = Story(folder, intake, MeterService(intake, KeyRing(find, LOG_NO)), keys)
    intake.start()
    try:
        yield story
    finally:
        intake.stop()


Work = Callable[[Story], Awaitable[Any]]


def run(folder: Path, work: Work, **options: Any) -> Any:
    """Do some work with an intake that is served, and return what it returns."""

    async def all_of_it() -> Any:
        async with serving(folder, **options) as story:
            return await work(story)

    return asyncio.run(all_of_it())


def seqs_of(folder: Path) -> list[int]:
    """Return the numbers that a log holds."""
    return [receipt.licence_seq for _, receipt in LogReader(folder).receipts()]
