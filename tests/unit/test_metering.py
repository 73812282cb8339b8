"""The intake's one route: what is taken, also when much comes at once or the disk refuses."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from api import metering as api_metering
from ledger.app import meter_keys, metering
from ledger.log import writer as writer_module
from ledger.log.reader import LogReader
from tests.unit.intake_story import (
    HEADERS,
    JSON_HEADERS,
    KEY,
    Reply,
    Story,
    Work,
    as_json,
    holder,
    lines_from,
    receipts,
    run,
    seqs_of,
    serving,
)
from tests.unit.log_story import LOG_NO
from tests.unit.meter_story import terms

pytestmark = pytest.mark.unit


def test_uses__receipts__numbered_and_durable(tmp_path: Path) -> None:
    reply = run(tmp_path, lambda story: story.send(1, 3))
    assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
    expected = {"log_no": LOG_NO, "first_index": 0, "count": 3, "repeated": 0, "size": 3}
    assert reply.body == expected
    assert seqs_of(tmp_path) == [1, 2, 3]


def test_uses__json_many_and_one__same_receipts_as_binary(tmp_path: Path) -> None:
    lines = lines_from(1, 3, records=7)

    async def work(story: Story) -> list[Reply]:
        one = json.loads(as_json(lines[2:]))["uses"][0] | {"seq": 3}
        return [
            await story.call(as_json(lines[:2]), headers=JSON_HEADERS),
            await story.call(json.dumps(one).encode(), headers=JSON_HEADERS),
        ]

    assert [reply.body["size"] for reply in run(tmp_path / "json", work)] == [2, 3]
    run(tmp_path / "binary", lambda story: story.send(1, 3, records=7))
    json_file, binary_file = (tmp_path / name / "receipts.bin" for name in ("json", "binary"))
    assert json_file.read_bytes() == binary_file.read_bytes()


def test_uses__sent_again__adds_nothing(tmp_path: Path) -> None:
    async def work(story: Story) -> list[Any]:
        replies = [await story.send(1, 3), await story.send(1, 3), await story.send(2, 4)]
        return [(r.body["count"], r.body["repeated"], r.body["size"]) for r in replies]

    assert run(tmp_path, work) == [(3, 0, 3), (0, 3, 3), (2, 2, 5)]
    assert seqs_of(tmp_path) == [1, 2, 3, 4, 5]


def test_uses__many_at_once__few_commits_and_no_gap(tmp_path: Path) -> None:
    async def work(story: Story) -> list[Reply]:
        return await asyncio.gather(*(story.send(1 + 2 * number, 2) for number in range(200)))

    replies = run(tmp_path, work)
    assert [reply.status for reply in replies] == [200] * 200
    places = sorted(reply.body["first_index"] for reply in replies)
    assert places == list(range(0, 400, 2))
    assert seqs_of(tmp_path) == list(range(1, 401))
    assert len((tmp_path / "commits").read_bytes().splitlines()) < 100


def test_uses__one_bad_row__named_and_nothing_of_the_batch_enters(tmp_path: Path) -> None:
    bad = lines_from(1, 2) + lines_from(3, 1, licence_no=99)

    async def work(story: Story) -> tuple[Reply, ...]:
        return await asyncio.gather(
            story.call(receipts(bad), query="first_seq=1"), story.send(10, 1)
        )

    refused, taken = run(tmp_path, work)
    assert (refused.status, taken.status) == (422, 200)
    assert (refused.body["code"], refused.body["total"]) == ("meter.uses_refused", 1)
    assert refused.body["rows"] == [
        {
            "row": 2,
            "code": "row.licence_unknown",
            "field": "licence_no",
            "got": 99,
            "expected": "a granted licence",
        }
    ]
    assert refused.headers["content-type"] == "application/problem+json"
    assert LogReader(tmp_path).size == 1


def test_uses__all_rows_bad__a_hundred_are_told_and_all_counted(tmp_path: Path) -> None:
    reply = run(tmp_path, lambda story: story.send(1, 300, mode=0))
    assert (reply.status, reply.body["total"], len(reply.body["rows"])) == (422, 300, 100)


def test_uses__quota_of_parallel_batches__never_passed(tmp_path: Path) -> None:
    async def work(story: Story) -> list[int]:
        replies = await asyncio.gather(*(story.send(n, 1, units=3) for n in range(1, 41)))
        return sorted(reply.status for reply in replies)

    statuses = run(tmp_path, work, granted=terms(quota_units=50))
    assert statuses == [200] * 16 + [422] * 24
    with open(tmp_path / "receipts.bin", "rb") as stream:
        assert len(stream.read()) == 16 * 96


@pytest.mark.parametrize(
    ("lines", "row", "field"),
    [
        (lines_from(1, 2, meter_no=5), 0, "meter_no"),
        (lines_from(1, 1) + lines_from(2, 1, meter_no=5), 1, "meter_no"),
    ],
)
def test_uses__receipts_of_another_meter__refused(
    tmp_path: Path, lines: list[Any], row: int, field: str
) -> None:
    work: Work = lambda story: story.call(receipts(lines), query="first_seq=1")  # noqa: E731
    reply = run(tmp_path, work)
    first = reply.body["rows"][0]
    assert (reply.status, first["row"], first["field"]) == (422, row, field)
    assert first["expected"] == 4


@pytest.mark.parametrize(("place", "field"), [(0, "format"), (23, "licence_seq"), (55, "cum")])
def test_uses__receipts_already_numbered__refused(tmp_path: Path, place: int, field: str) -> None:
    body = bytearray(receipts(lines_from(1, 2)))
    body[96 + place] = 9
    reply = run(tmp_path, lambda story: story.call(bytes(body), query="first_seq=1"))
    [row] = reply.body["rows"]
    assert (reply.status, row["row"], row["code"]) == (422, 1, "row.malformed")
    assert row["field"].startswith(field)


def test_uses__body_in_parts_cut_and_too_slow__only_whole_ones_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = receipts(lines_from(1, 2))

    async def work(story: Story) -> list[int]:
        whole = await story.call([body[:50], body[50:]], query="first_seq=1")
        cut = await story.call([body[:50], b"", b""][:2], query="first_seq=3")
        return [whole.status, cut.status]

    assert run(tmp_path, work) == [200, 400]
    monkeypatch.setattr(api_metering, "BODY_SECONDS_MAX", 0.01)

    async def stalled() -> Any:
        await asyncio.sleep(60)

    async def slow() -> str:
        async with serving(tmp_path) as story:
            held = api_metering._Held(story.intake)
            with pytest.raises(api_metering.BodyTimeoutError) as caught:
                await api_metering._body(stalled, "", held)
            return caught.value.code

    assert asyncio.run(slow()) == "api.body_timeout"


def test_uses__too_much_waits__asked_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metering, "WAITING_BYTES_MAX", 3 * 96)

    async def work(story: Story) -> tuple[list[Reply], Reply]:
        many = [story.send(1 + 2 * number, 2) for number in range(4)]
        return await asyncio.gather(*many), await story.send(1, 2)

    replies, after = run(tmp_path, work)
    refused = [reply for reply in replies if reply.status != 200]
    assert len(refused) == 3
    assert {(r.status, r.body["code"], r.body["retryable"]) for r in refused} == {
        (429, "meter.intake_full", True)
    }
    assert {reply.headers["retry-after"] for reply in refused} == {"1"}
    assert after.status == 200


def test_uses__disk_refuses__told_so_and_taken_again_when_it_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_full = True
    real = writer_module.write_all

    def write_all(descriptor: int, data: Any) -> None:
        if is_full:
            real(descriptor, bytes(data)[:50])
            raise OSError(28, "No space left on device")
        real(descriptor, data)

    async def work(story: Story) -> tuple[Reply, Reply, Reply]:
        nonlocal is_full
        taken = await story.send(1, 2)
        monkeypatch.setattr(writer_module, "write_all", write_all)
        refused = await story.send(3, 2)
        is_full = False
        return taken, refused, await story.send(3, 2)

    taken, refused, again = run(tmp_path, work)
    assert (taken.status, refused.status, again.status) == (200, 503, 200)
    assert (refused.body["code"], refused.body["retryable"]) == ("log.write_failed", True)
    assert "retry-after" in refused.headers
    assert seqs_of(tmp_path) == [1, 2, 3, 4]


def test_uses__one_meter_leaves_too_many_gaps__it_alone_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.log.meters.RANGES_MAX", 2)

    async def work(story: Story) -> list[Reply]:
        await story.send(1, 1)
        await story.send(3, 1)
        story.keys[KEY + "6"] = holder(meter_no=6)
        other = story.call(
            receipts(lines_from(1, 1, meter_no=6)),
            query="first_seq=1",
            path="/v1/meters/6/uses",
            headers=HEADERS | {"x-api-key": KEY + "6"},
        )
        return [*await asyncio.gather(story.send(5, 1), other), await story.send(2, 1)]

    gaps, other, filled = run(tmp_path, work)
    assert (gaps.status, gaps.body["code"]) == (409, "log.meter_gaps")
    assert (other.status, filled.status) == (200, 200)
    assert seqs_of(tmp_path) == [1, 2, 3, 4]


def test_key__revoked__refused_after_some_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(meter_keys.time, "monotonic", lambda: now)

    async def work(story: Story) -> list[int]:
        nonlocal now
        first = await story.send(1, 1)
        del story.keys[KEY]
        still = await story.send(2, 1)
        now += meter_keys.KNOWN_SECONDS + 1
        return [first.status, still.status, (await story.send(3, 1)).status]

    assert run(tmp_path, work) == [200, 200, 401]


def test_stop__while_batches_wait__they_are_written_and_signed(tmp_path: Path) -> None:
    async def work(story: Story) -> list[Reply]:
        sending = [asyncio.ensure_future(story.send(1 + n, 1)) for n in range(50)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await asyncio.gather(*sending)

    replies = run(tmp_path, work)
    reader = LogReader(tmp_path)
    checkpoint = reader.checkpoint()
    assert checkpoint is not None
    assert checkpoint.size == reader.size == sum(r.status == 200 for r in replies)


def test_stop__later_batches__are_told_so(tmp_path: Path) -> None:
    async def work() -> tuple[int, Reply, Reply]:
        async with serving(tmp_path) as story:
            ready = await story.call(method="GET", path="/readyz")
        return ready.status, await story.send(1, 1), await story.call(method="GET", path="/readyz")

    status, refused, after = asyncio.run(work())
    assert (status, after.status) == (200, 503)
    assert (refused.status, refused.body["code"]) == (503, "meter.intake_stopped")
