"""A meter's file on its way: imported from the shell, anchored when due, billed like any use."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.app import anchoring
from ledger.app.anchoring import AnchorPolicy, anchor_due
from ledger.app.gateway import REFUSALS, use
from ledger.app.importing import import_file
from ledger.app.keys import issue_api_key
from ledger.app.log_keeping import anchor, reader
from ledger.app.settings import Settings
from ledger.cli.main import app
from ledger.domain.codes import ReceiptStatus
from ledger.domain.errors import LedgerError
from ledger.log.errors import LogBusyError
from ledger.projection.errors import NotFoundError
from tests.integration.market_fixture import SmallMarket, grant, open_shell, opened_market
from tests.unit.meter_story import line

pytestmark = pytest.mark.integration
METER_LOG = 2


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallMarket]:
    """A market with a second log, for a meter."""
    with opened_market(tmp_path_factory.mktemp("intake")) as market:
        market.run("platform", "open-log", {})
        yield market


def lines_of(small: SmallMarket, licence_no: int, seqs: range, units: int = 1) -> list[Any]:
    now_ms = int(time.time() * 1_000)
    return [line(seq, licence_no=licence_no, used_at_ms=now_ms + seq, units=units) for seq in seqs]


def write(small: SmallMarket, name: str, lines: list[Any]) -> Path:
    path = small.folder / name
    path.write_text("\n".join(json.dumps(item) for item in lines))
    return path


def told(name: str, rows: int, total: int | None) -> None:
    """Say nothing."""


def test_import__from_the_shell__good_rows_enter_bad_ones_are_told(
    small: SmallMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_shell(small, monkeypatch)
    lines = lines_of(small, small.licence_no, range(1, 11))
    lines[4]["licence_no"] = 99
    path = write(small, "meter.ndjson", lines)
    command = ["log", "import", str(path), "--log-no", str(METER_LOG)]
    first = CliRunner().invoke(app, [*command, "--json"])
    assert first.exit_code == 0, first.output
    [found] = json.loads(first.stdout)["files"]
    rejects = path.with_name("meter.ndjson.rejects.ndjson")
    assert (found["taken"], found["refused"], found["rejects"]) == (9, 1, str(rejects))
    [reject] = [json.loads(text) for text in rejects.read_text().splitlines()]
    assert reject == {
        "line": 5,
        "code": "row.licence_unknown",
        "field": "licence_no",
        "got": 99,
        "expected": "a granted licence",
    }
    again = CliRunner().invoke(app, [*command, "--json"])
    [found] = json.loads(again.stdout)["files"]
    assert (found["taken"], found["repeated"], found["size"]) == (0, 9, 9)
    screen = CliRunner().invoke(app, command)
    assert screen.exit_code == 0
    assert "meter.ndjson" in screen.stdout


def test_import__unknown_log_or_file__typed_error(small: SmallMarket, tmp_path: Path) -> None:
    path = write(small, "none.ndjson", lines_of(small, small.licence_no, range(1, 2)))
    with pytest.raises(NotFoundError):
        import_file(small.market, path, 77, tell=told)
    with pytest.raises(LedgerError, match="cannot be read"):
        import_file(small.market, tmp_path / "no such file", METER_LOG, tell=told)


def test_quota__used_in_another_log__gone_at_the_gateway(small: SmallMarket) -> None:
    licence_no = grant(small, quota_units=20)
    path = write(small, "quota.ndjson", lines_of(small, licence_no, range(101, 104), units=5))
    assert import_file(small.market, path, METER_LOG, tell=told).taken == 3
    key = issue_api_key(small.market, small.members["buyer"].account, licence_no)
    dataset_id = next(iter(small.datasets.values()))
    asked: dict[str, Any] = {
        "api_key": key,
        "product_id": small.product_id,
        "dataset_id": dataset_id,
    }
    with pytest.raises(REFUSALS[ReceiptStatus.QUOTA_EXCEEDED]) as caught:
        use(small.market, **asked, limit=6)
    assert (caught.value.got, caught.value.expected) == (6, 5)
    assert use(small.market, **asked, limit=5).receipt.units == 5
    more = write(small, "more.ndjson", lines_of(small, licence_no, range(201, 202)))
    assert import_file(small.market, more, METER_LOG, tell=told).refused == 1


@pytest.mark.parametrize(
    ("size", "anchored", "age_ms", "is_due"),
    [
        (10, 10, 10**9, False),
        (11, 10, 9_999, False),
        (11, 10, 10_000, True),
        (109, 10, 0, False),
        (110, 10, 0, True),
    ],
)
def test_policy__by_count_and_by_age__due_or_not(
    size: int, anchored: int, age_ms: int, is_due: bool
) -> None:
    now_ms = 10**12
    policy = AnchorPolicy(receipts=100, seconds=10)
    assert policy.is_due(size, anchored, now_ms - age_ms, now_ms) is is_due


def test_anchor_due__two_logs__each_on_its_own_and_once(small: SmallMarket) -> None:
    platform = small.members["platform"].account
    market = small.market
    market.meter(1).checkpoint()
    sizes = {number: reader(market, number).size for number in (1, METER_LOG)}
    assert min(sizes.values()) > 0
    patient = AnchorPolicy(receipts=10**9, seconds=10**9)
    for number in sizes:
        anchor(market, platform, number)
    assert anchor_due(market, platform, patient) == []
    path = write(small, "late.ndjson", lines_of(small, small.licence_no, range(301, 304)))
    import_file(market, path, METER_LOG, tell=told)
    assert anchor_due(market, platform, patient) == []
    [outcome] = anchor_due(market, platform, AnchorPolicy(receipts=3, seconds=10**9))
    assert (outcome.log_no, outcome.size, outcome.error) == (METER_LOG, sizes[METER_LOG] + 3, None)
    head = market.contracts.usage_log.head(METER_LOG, block="latest")
    assert (head.size, head.root) == (outcome.size, reader(market, METER_LOG).root(head.size))
    assert anchor_due(market, platform, AnchorPolicy(receipts=1, seconds=0)) == []


def test_anchor_due__one_log_fails__the_other_is_anchored(
    small: SmallMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, platform = small.market, small.members["platform"].account
    path = write(small, "last.ndjson", lines_of(small, small.licence_no, range(401, 402)))
    import_file(market, path, METER_LOG, tell=told)
    whole = anchoring.last_checkpoint

    def fails_for_the_first(opened: Any, log_no: int) -> Any:
        if log_no == 1:
            raise LogBusyError("taken", field="folder")
        return whole(opened, log_no)

    monkeypatch.setattr(anchoring, "last_checkpoint", fails_for_the_first)
    outcomes = anchor_due(market, platform, AnchorPolicy(receipts=1, seconds=10**9))
    assert [(item.log_no, item.error is None) for item in outcomes] == [(1, False), (2, True)]


def test_settings__policy__from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDL_ANCHOR_RECEIPTS", "5")
    assert Settings().anchor_receipts == 5
