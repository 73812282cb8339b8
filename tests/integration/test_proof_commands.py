"""Proofs from the shell: made into files of every form, checked without a market and on chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ledger.app import gateway
from ledger.app.keys import issue_api_key
from ledger.app.log_keeping import anchor, checkpoint, log_key
from ledger.cli.main import app
from tests.integration.market_fixture import SmallMarket, opened_market

pytestmark = pytest.mark.integration


@dataclass
class Shell:
    """A shell beside a market whose log is anchored at 5 receipts and signed at 8."""

    folder: Path
    small: SmallMarket

    @property
    def vkey(self) -> str:
        return log_key(self.small.market, 1)

    def run(self, *words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    def make(self, name: str, *words: object) -> Path:
        file = self.folder / name
        home = self.small.market.settings.home
        made = self.run("log", *words, "--home", home, "--out", file)
        assert made.exit_code == 0, made.output
        assert json.loads(made.stdout) == {"file": str(file), "bytes": file.stat().st_size}
        return file

    def check(self, file: Path, *words: object) -> dict[str, Any]:
        result = self.run("proof", "check", file, *words, "--json")
        found: dict[str, Any] = json.loads(result.stdout)
        assert result.exit_code == (0 if found.get("ok") else 1)
        return found


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with opened_market(tmp_path_factory.mktemp("market")) as small:
        key = issue_api_key(small.market, small.members["buyer"].account, small.licence_no)
        for number in range(8):
            gateway.use(
                small.market,
                api_key=key,
                product_id=small.product_id,
                dataset_id=small.datasets["weather"],
                cursor=number,
                limit=1,
            )
            if number == 4:
                anchor(small.market, small.members["platform"].account, 1)
        checkpoint(small.market, 1)
        yield Shell(tmp_path_factory.mktemp("files"), small)


def test_json__of_a_receipt__holds(shell: Shell) -> None:
    file = shell.make("p.json", "proof", 3)
    assert json.loads(file.read_text())["size"] == 8
    assert shell.check(file, "--vkey", shell.vkey)["ok"]


def test_tlog__of_a_receipt__holds(shell: Shell) -> None:
    file = shell.make("p.tlog-proof", "proof", 3, "--format", "tlog")
    assert file.read_text().startswith("c2sp.org/tlog-proof@v1\n")
    assert shell.check(file, "--vkey", shell.vkey)["ok"]


def test_binary__with_a_checkpoint__holds(shell: Shell) -> None:
    file = shell.make("p.proof", "proof", 3, "--format", "binary")
    assert file.stat().st_size == 116 + 3 * 32
    note = shell.folder / "checkpoint"
    note.write_text(checkpoint(shell.small.market, 1).note)
    assert shell.check(file, "--vkey", shell.vkey, "--checkpoint", note)["ok"]
    [finding] = shell.check(file, "--vkey", shell.vkey)["findings"]
    assert finding["field"] == "checkpoint"


def test_binary__anchored__taken_by_the_chain(shell: Shell) -> None:
    file = shell.make("a.proof", "proof", 3, "--format", "binary", "--anchored")
    home = shell.small.market.settings.home
    assert shell.check(file, "--on-chain", "--home", home)["ok"]
    newer = shell.make("b.proof", "proof", 3, "--format", "binary")
    [finding] = shell.check(newer, "--on-chain", "--home", home)["findings"]
    assert (finding["code"], finding["got"], finding["expected"]) == (
        "usage_log.size_not_anchored",
        8,
        5,
    )


def test_on_chain__other_form__refused(shell: Shell) -> None:
    file = shell.make("q.json", "proof", 3)
    found = shell.check(file, "--on-chain", "--home", shell.small.market.settings.home)
    assert found["error"]["code"] == "codec.malformed_proof"


def test_tlog__anchored_before_the_checkpoint__refused(shell: Shell) -> None:
    home = shell.small.market.settings.home
    words = ("log", "proof", 3, "--format", "tlog", "--anchored", "--home", home)
    result = shell.run(*words)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "log.no_checkpoint"


def test_licence__range__holds(shell: Shell) -> None:
    licence = ("--licence-no", shell.small.licence_no)
    file = shell.make("l.json", "proof", *licence, "--from-seq", 2, "--to-seq", 7)
    assert len(json.loads(file.read_text())["receipts"]) == 6
    assert shell.check(file, "--vkey", shell.vkey)["ok"]


def test_consistency__of_two_sizes__holds(shell: Shell) -> None:
    file = shell.make("c.json", "consistency", 5, 7)
    assert shell.check(file, "--vkey", shell.vkey)["ok"]


@pytest.mark.parametrize("words", [(), (3, "--licence-no", 1)])
def test_proof__neither_or_both_named__refused(shell: Shell, words: tuple[object, ...]) -> None:
    result = shell.run("log", "proof", *words, "--home", shell.small.market.settings.home)
    assert json.loads(result.stdout)["error"]["field"] == "index"


def test_check__without_a_key__refused(shell: Shell) -> None:
    assert shell.check(shell.make("k.json", "proof", 3))["error"]["field"] == "vkey"


def test_proof__to_standard_output__the_same_bytes(shell: Shell) -> None:
    file = shell.make("s.proof", "proof", 3, "--format", "binary")
    home = shell.small.market.settings.home
    result = shell.run("log", "proof", 3, "--format", "binary", "--home", home)
    assert result.stdout_bytes == file.read_bytes()
