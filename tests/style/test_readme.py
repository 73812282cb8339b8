"""The README tells the truth: its commands, settings, folders and targets exist."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import typer.main

from ledger.app.commands import COMMANDS
from ledger.app.settings import Settings
from ledger.cli.main import app
from tests.style.repository import LAYERS, STYLE_ROOT

pytestmark = pytest.mark.style

WORDS = (
    "机构", "数据资源", "版本", "数据产品", "溯源", "定价方案", "收费标准", "报价", "协议",
    "补充协议", "使用许可", "计量点", "计量凭证", "使用日志", "检查点", "上链锚定", "账单",
    "到账", "解付", "分账", "分账行", "划拨", "红冲", "异议", "处理决定", "中止", "稽核发现",
)  # fmt: skip


@cache
def _readme() -> str:
    return (STYLE_ROOT / "README.md").read_text("utf-8")


@cache
def _root() -> Any:
    return typer.main.get_command(app)


def _children(command: Any) -> dict[str, Any]:
    found: dict[str, Any] = getattr(command, "commands", {})
    return found


def _spoken_commands() -> list[list[str]]:
    """Return the words after each `mdl` of the README, in code blocks and in running text."""
    joined = _readme().replace("\\\n", " ")
    blocks = re.findall(r"```(?:sh|bash|console)\n(.*?)```", joined, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    spoken = [part for line in lines for part in re.findall(r"(?:^|[(\s|])mdl ([^|)#]*)", line)]
    spoken += re.findall(r"`mdl ([^`]+)`", joined)
    return [text.split() for text in spoken]


def _resolve(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that the words name, and the words left over."""
    command = _root()
    rest = list(words)
    while rest and rest[0] in _children(command):
        command = _children(command)[rest.pop(0)]
    return command, rest


def _options_of(words: list[str]) -> set[str]:
    found = {"--help"}
    command = _root()
    for word in ["", *words]:
        command = _children(command).get(word, command)
        for parameter in command.params:
            found |= {*parameter.opts, *parameter.secondary_opts}
    return found


def test_readme__every_mdl_command__exists() -> None:
    spoken = _spoken_commands()
    found = [" ".join(words) for words in spoken if _children(_resolve(words)[0])]
    assert found == []
    assert len(spoken) >= 10


def test_readme__every_option_of_a_command__exists() -> None:
    found = [
        f"{' '.join(words[:2])} {word}"
        for words in _spoken_commands()
        for word in words
        if word.startswith("--") and word.partition("=")[0] not in _options_of(words)
    ]
    assert found == []


def test_readme__every_named_use_case__is_offered() -> None:
    named = [words[1] for words in _spoken_commands() if words[0] == "run" and len(words) > 1]
    assert [name for name in named if name not in COMMANDS] == []


def test_readme__every_setting__is_described() -> None:
    names = {f"MDL_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in names if f"`{name}`" not in _readme()} == set()
    assert set(re.findall(r"\bMDL_[A-Z_]+\b", _readme())) - names == set()


def test_readme__every_make_target__exists() -> None:
    makefile = (STYLE_ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    benches = re.search(r"^BENCHES := (.*)$", makefile, re.M)
    targets |= {f"bench-{name}" for name in (benches[1].split() if benches else ())}
    named = set(re.findall(r"`?make ([a-z][a-z-]*)", _readme()))
    assert named - targets == set()
    assert {"setup", "demo", "test", "check", "bench"} <= named


def test_readme__its_two_commands__come_first() -> None:
    block = re.search(r"```(?:sh|bash)\n(.*?)```", _readme(), re.S)
    assert block is not None
    assert re.findall(r"^make [a-z]+", block[1], re.M) == ["make demo", "make test"]


def test_readme__map__names_every_folder() -> None:
    named = _readme()
    tops = [item.name for item in STYLE_ROOT.iterdir() if (item / "__init__.py").exists()]
    assert [f"{name}/" for name in (*tops, "contracts", "tests") if f"{name}/" not in named] == []
    assert [name for name in LAYERS if f"{name}/" not in named] == []


def test_readme__glossary__has_every_word() -> None:
    assert [word for word in WORDS if word not in _readme()] == []


def test_ci__runs__exactly_the_readmes_test_command() -> None:
    lines = (STYLE_ROOT / ".ci/run").read_text("utf-8").splitlines()
    commands = [line for line in lines if line.startswith(("make", "exec make"))]
    assert commands in (["make test"], ["exec make test"])
