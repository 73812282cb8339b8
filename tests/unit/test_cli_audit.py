"""`mdl log audit` over a copy of a log: figures, findings and exit status, without a market."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.cli.main import app
from tests.unit import verified_market as m

pytestmark = pytest.mark.unit


@pytest.fixture
def copy(tmp_path: Path) -> tuple[Path, Path]:
    """A log's files, and the file of its anchors."""
    market = m.VerifiedMarket(tmp_path)
    heads = [event.args for event in market.events if event.name == "Anchored"]
    anchors = [
        {"size": head["size"], "root": "0x" + head["root"].hex(), "time_ms": head["time_ms"]}
        for head in heads
    ]
    (tmp_path / "anchors.json").write_text(json.dumps({"log_no": 1, "anchors": anchors}))
    return market.logs / "1", tmp_path / "anchors.json"


def run(folder: Path, anchors: Path, *more: str) -> Any:
    words = ["log", "audit", "--offline", "--folder", str(folder), "--anchors", str(anchors)]
    return CliRunner().invoke(app, [*words, *more])


def test_audit__sound_copy__figures_and_exit_0(copy: tuple[Path, Path]) -> None:
    found = run(*copy, "--json")
    document = json.loads(found.stdout)
    assert found.exit_code == 0
    assert document["ok"] is True
    assert document["findings"] == []
    assert sorted(document) == ["checked", "findings", "logs", "ok"]
    assert document["logs"][0]["receipts"] == 302
    assert document["logs"][0]["anchors"] == 2


def test_audit__flipped_bit__named_first_and_exit_1(copy: tuple[Path, Path]) -> None:
    path = copy[0] / "receipts.bin"
    data = bytearray(path.read_bytes())
    data[96 * 201 + 63] ^= 1
    path.write_bytes(data)
    found = run(*copy)
    assert found.exit_code == 1
    assert "log 1: the first bad receipt is 201, of licence 2" in found.stdout
    assert "3 findings" in found.stdout


def test_audit__anchors_of_another_history__are_found(copy: tuple[Path, Path]) -> None:
    document = json.loads(copy[1].read_text())
    document["anchors"][0]["root"] = "0x" + "00" * 32
    copy[1].write_text(json.dumps(document))
    codes = [item["code"] for item in json.loads(run(*copy, "--json").stdout)["findings"]]
    assert codes == ["verify.anchor_root"]


@pytest.mark.parametrize("text", ["{}", '{"log_no":1,"anchors":[{"size":1}]}', '{"log_no":"x"}'])
def test_audit__malformed_anchors__are_refused(copy: tuple[Path, Path], text: str) -> None:
    copy[1].write_text(text)
    found = run(*copy, "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["error"]["code"] == "domain.malformed_value"


def test_audit__offline_without_folder__is_refused() -> None:
    found = CliRunner().invoke(app, ["log", "audit", "--offline", "--json"])
    assert found.exit_code == 1
    assert json.loads(found.stdout)["error"]["field"] == "folder"
