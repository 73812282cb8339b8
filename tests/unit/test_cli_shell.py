"""The shell: help everywhere, one JSON document with --json, errors as answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from ledger.app.errors import MarketMissingError
from ledger.cli.main import app
from ledger.cli.shell import find, read_object, settings_of, show_error, table
from ledger.domain.errors import LedgerError, MalformedValueError

pytestmark = pytest.mark.unit

DRAFT = '{"agreement": {"agreement_id": "no id"}}'


def _walk(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command with its words; a group is whatever has commands."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
        return
    for name, item in inner.items():
        yield from _walk(item, (*words, name))


COMMANDS = dict(_walk(typer.main.get_command(app)))
REPORTING = [
    words for words, item in COMMANDS.items() if any(p.name == "as_json" for p in item.params)
]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    """A shell in a home without a market."""
    monkeypatch.setenv("MDL_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("MDL_KEY_PASSWORD", "irrelevant")
    return CliRunner()


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help__every_command__says_what_it_does(words: tuple[str, ...], runner: CliRunner) -> None:
    result = runner.invoke(app, [*words, "--help"])
    assert result.exit_code == 0
    assert COMMANDS[words].help


def test_help__every_command_but_those_that_serve__has_json() -> None:
    without = {" ".join(words) for words in COMMANDS} - {" ".join(words) for words in REPORTING}
    assert without == {"serve", "meter serve"}


@pytest.mark.parametrize(
    "words",
    [
        ["statement"],
        ["verify"],
        ["rebuild"],
        ["org", "list"],
        ["dataset", "list"],
        ["product", "list"],
        ["licence", "list"],
        ["log", "show"],
        ["key", "list"],
        ["remit", "run", "0199c0de-0000-7000-8000-000000000000", "--as", "operator"],
    ],
    ids=" ".join,
)
def test_json__home_without_a_market__is_one_error_document(
    words: list[str], runner: CliRunner
) -> None:
    result = runner.invoke(app, [*words, "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == MarketMissingError.code
    assert result.stderr == ""


def test_error__without_json__is_a_panel_on_standard_error(runner: CliRunner) -> None:
    result = runner.invoke(app, ["dataset", "list"])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "app.market_missing" in result.stderr
    assert "Traceback" not in result.stderr


def test_commands__json__lists_every_use_case_with_its_request(runner: CliRunner) -> None:
    result = runner.invoke(app, ["commands", "--json"])
    found = {item["name"]: item["request"] for item in json.loads(result.stdout)}
    assert "dataset_id" in found["register-dataset"]["properties"]


def test_describe__table__measures_it_and_prints_only_json(
    runner: CliRunner, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"day,value\n1,2\n2,3\n")
    result = runner.invoke(app, ["dataset", "describe", str(path), "--json"])
    found = json.loads(result.stdout)
    assert (found["row_count"], found["byte_size"]) == (2, 18)
    assert [field["name"] for field in found["fields"]] == ["day", "value"]
    assert result.stderr == ""


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"a,b\n1\n", b""], ids=str)
def test_describe__unreadable_file__is_refused(
    content: bytes | None, runner: CliRunner, tmp_path: Path
) -> None:
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    result = runner.invoke(app, ["dataset", "describe", str(path), "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "app.file_unreadable"


@pytest.mark.parametrize("content", ["no json", "[]", "{}", '{"typed_data": 1}'])
def test_sign__malformed_file__is_refused(content: str, runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "prepared.json"
    path.write_text(content, "utf-8")
    result = runner.invoke(app, ["sign", str(path), "--as", "operator"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == MalformedValueError.code


def test_grant__malformed_agreement__names_the_field(runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "draft.json"
    path.write_text(DRAFT, "utf-8")
    words = ["licence", "grant", str(path), str(path), str(path), "--as", "buyer", "--json"]
    error = json.loads(runner.invoke(app, words).stdout)["error"]
    assert "agreement_id" in {finding["field"] for finding in error["findings"]}


def test_proof__file_of_another_kind__has_findings(runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    path.write_text("{}", "utf-8")
    result = runner.invoke(app, ["proof", "check", str(path), "--vkey", "none", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["findings"]


def test_setting__invalid_value__names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDL_PORT", "many")
    with pytest.raises(MalformedValueError) as caught:
        settings_of(None)
    assert caught.value.field == "MDL_PORT"


def test_home__of_the_command_line__comes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MDL_HOME", "elsewhere")
    assert settings_of(tmp_path).home == tmp_path
    assert settings_of(None).home == Path("elsewhere")


def test_object__missing_member__is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"prepared": {}}', "utf-8")
    with pytest.raises(MalformedValueError) as caught:
        read_object(path, "prepared", "signature")
    assert caught.value.field == "signature"


def test_find__unknown_id__is_refused() -> None:
    wanted = "0199c0de-0000-7000-8000-000000000001"
    rows = [{"dataset_id": wanted}]
    assert find(rows, "dataset_id", wanted.upper()) == rows[0]
    with pytest.raises(MalformedValueError):
        find(rows, "dataset_id", "0199c0de-0000-7000-8000-000000000002")


def test_table__text_with_brackets__is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    made = table("t", ("what",), [("[red]x[/]",)])
    assert made.columns[0]._cells == [r"\[red]x\[/]"]


def test_error__text_with_brackets__is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(LedgerError("closing [/red] tag", field="a", got="[b]", expected="[/]"))
    assert "closing [/red] tag" in capsys.readouterr().err
