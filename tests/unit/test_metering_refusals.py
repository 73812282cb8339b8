"""The intake's one route: what is refused, and that nothing of it enters the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.log.reader import LogReader
from tests.unit.intake_story import (
    HEADERS,
    JSON_HEADERS,
    KEY,
    Reply,
    Story,
    Work,
    as_json,
    lines_from,
    receipts,
    run,
)

pytestmark = pytest.mark.unit

USE = json.loads(as_json(lines_from(1, 1)))["uses"][0]


def one(**changes: Any) -> bytes:
    return json.dumps({"first_seq": 1, "uses": [USE, USE | changes]}).encode()


ROW = json.dumps(USE)
TWICE = ROW[:-1] + ', "units": 999}'


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (f'{{"first_seq": 1, "uses": [{ROW}, {TWICE}]}}'.encode(), "row"),
        (one(commitment='"' * 66), "row"),
        (one(mode=256), "mode"),
        (one(units=-1), "units"),
        (one(units=2**64), "units"),
        (one(units=10**400), "units"),
        (one(units="1"), "row"),
        (one(units=1.5), "row"),
        (one(units=True), "row"),
        (one(units=None), "row"),
        (one(more=1), "row"),
        (one(commitment="0x" + "0" * 63), "commitment"),
        (one(commitment="0x" + "A" * 64), "commitment"),
        (one(commitment="0x" + "é" * 64), "commitment"),
    ],
)
def test_uses__json_row_that_is_no_use__named(tmp_path: Path, body: bytes, field: str) -> None:
    reply = run(tmp_path, lambda story: story.call(body, headers=JSON_HEADERS))
    [row] = reply.body["rows"]
    assert (reply.status, row["row"], row["code"]) == (422, 1, "row.malformed")
    assert row["field"] == field


HOSTILE = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe",
    b'{"first_seq": 1}',
    b'{"first_seq": 1, "uses": []}',
    b'{"first_seq": 0, "uses": [1]}',
    b'{"first_seq": 1, "uses": [[]]}',
    b'{"first_seq": 1e3, "uses": {}}',
    b'{"first_seq": "1", "uses": []}',
    b'{"first_seq": 9007199254740991, "uses": [1, 2]}',
    b'{"first_seq": 1, "uses": [{}], "uses2": 1}',
    b'{"seq": 1}',
    b'"uses"' * 1_000,
    f'{{"first_seq": 1, "first_seq": 1, "uses": [{ROW}]}}'.encode(),
    f'{{"first_seq": 1, "uses": [{TWICE}], "uses": [{ROW}]}}'.encode(),
    f'{{"seq": 1, "seq": 1, {ROW[1:]}'.encode(),
    b'{"uses": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'"uses"' * 1_000,
    json.dumps(USE | {"seq": 0}).encode(),
    json.dumps(USE | {"seq": 2**53}).encode(),
    json.dumps(USE | {"seq": -(2**70)}).encode(),
    json.dumps(USE | {"seq": 1, "units": "\ud800"}).encode(),
]


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_uses__hostile_json__refused_with_a_problem(tmp_path: Path, body: bytes) -> None:
    async def work(story: Story) -> tuple[Reply, Reply]:
        return await story.call(body, headers=JSON_HEADERS), await story.send(1, 1)

    reply, after = run(tmp_path, work)
    assert reply.status in (400, 422)
    assert reply.body["type"] == f"urn:mdl:error:{reply.body['code']}"
    assert after.body["size"] == 1


@pytest.mark.parametrize(
    ("body", "query", "status", "code"),
    [
        (b"", "first_seq=1", 400, "log.rows"),
        (bytes(95), "first_seq=1", 400, "log.rows"),
        (bytes(96), "first_seq=1", 422, "meter.uses_refused"),
        (receipts(lines_from(1, 1)), "", 422, "api.invalid_field"),
        (receipts(lines_from(1, 1)), "first_seq=", 422, "api.invalid_field"),
        (receipts(lines_from(1, 1)), "first_seq=1&first_seq=2", 422, "api.invalid_field"),
        (receipts(lines_from(1, 1)), "first_seq=-1", 422, "api.invalid_field"),
        (receipts(lines_from(1, 1)), "first_seq=%D9%A1", 422, "api.invalid_field"),
        (receipts(lines_from(1, 1)), "first_seq=0", 400, "log.rows"),
        (receipts(lines_from(1, 2)), "first_seq=9007199254740991", 400, "log.rows"),
        (receipts(lines_from(1, 10_001)), "first_seq=1", 413, "meter.too_many_uses"),
        (bytes(1_048_577), "first_seq=1", 413, "api.body_too_large"),
    ],
)
def test_uses__hostile_receipts__refused_with_a_problem(
    tmp_path: Path, body: bytes, query: str, status: int, code: str
) -> None:
    reply = run(tmp_path, lambda story: story.call(body, query=query))
    assert (reply.status, reply.body["code"]) == (status, code)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"headers": {"content-type": "application/json"}}, 401, "api.key_required"),
        ({"headers": HEADERS | {"x-api-key": "mdl_no"}}, 401, "use.key_unknown"),
        ({"headers": HEADERS | {"x-api-key": "mdl_meter5"}}, 403, "meter.other_key"),
        ({"headers": HEADERS | {"x-api-key": "mdl_log8"}}, 403, "meter.other_key"),
        ({"headers": HEADERS | {"x-api-key": "mdl_read"}}, 403, "meter.other_key"),
        ({"path": "/v1/meters/5/uses"}, 403, "meter.other_key"),
        ({"path": "/v1/meters/0/uses"}, 404, "api.no_such_path"),
        ({"path": "/v1/meters/4294967296/uses"}, 404, "api.no_such_path"),
        ({"path": "/v1/meters/٤/uses"}, 404, "api.no_such_path"),
        ({"path": "/v1/meters/4"}, 404, "api.no_such_path"),
        ({"method": "GET"}, 405, "api.method_not_allowed"),
        ({"headers": {"x-api-key": KEY}}, 415, "api.media_type"),
        ({"headers": HEADERS | {"content-type": "text/plain"}}, 415, "api.media_type"),
        ({"headers": HEADERS | {"content-length": "1048577"}}, 413, "api.body_too_large"),
        ({"headers": HEADERS | {"content-length": "9" * 30}}, 413, "api.body_too_large"),
    ],
)
def test_uses__wrong_request__typed_refusal(
    tmp_path: Path, changes: dict[str, Any], status: int, code: str
) -> None:
    work: Work = lambda story: story.call(  # noqa: E731
        receipts(lines_from(1, 1)), query="first_seq=1", **changes
    )
    reply = run(tmp_path, work)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert not LogReader(tmp_path).size
