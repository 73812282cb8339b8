"""Habits that a machine can check: sizes, floats, prints, environment reads, excuses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.style.repository import LAYERS, Source, layer, sources, texts

pytestmark = pytest.mark.style

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 350
MONEY_LAYERS = ("domain", "codec", "revenue", "verification")
LONG_FILES: dict[str, str] = {
    "ledger/app/commands.py": "planning, signing, submitting and repeating are one contract; "
    "splitting it would part the idempotency rule from its uses",
    "ledger/chain/sender.py": "the sender's state machine is read as a whole",
}
LONG_FUNCTIONS: dict[str, str] = {}
EXCUSES = re.compile("TO" + "DO|FIX" + "ME|X" + r"XX\b|HA" + r"CK\b")
REGISTRIES = re.compile(
    r"registry\.npmjs|npmmirror|pypi\.(?:org|tuna)|pythonhosted|proxy\.golang|"
    r"(?:/work|/home|/Users)/[a-z]"
)
REGISTRY_FILES = ("tests/style/test_habits.py",)


def _functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _calls(source: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_functions__all__are_short() -> None:
    found = {
        f"{source.path}:{node.lineno} {node.name} has {_length(node)} lines"
        for source in sources()
        for node in _functions(source)
        if _length(node) > FUNCTION_LINES_MAX and f"{source.path}:{node.name}" not in LONG_FUNCTIONS
    }
    assert found == set()


def test_functions__of_each_layer__are_short_on_the_whole() -> None:
    for name in LAYERS:
        lengths = sorted(_length(node) for source in layer(name) for node in _functions(source))
        if lengths:
            assert lengths[len(lengths) // 2] <= 12, name
            assert lengths[len(lengths) * 9 // 10] <= 40, name


def test_files__all__are_short() -> None:
    lengths = {source.path: source.text.count("\n") for source in sources()}
    found = {
        path: count
        for path, count in lengths.items()
        if count > FILE_LINES_MAX and path not in LONG_FILES
    }
    assert found == {}


def test_files__every_exception__is_still_needed() -> None:
    lengths = {source.path: source.text.count("\n") for source in sources()}
    assert [path for path in LONG_FILES if lengths.get(path, 0) <= FILE_LINES_MAX] == []


def test_modules__all__say_what_they_are() -> None:
    found = [
        source.path
        for source in sources()
        if source.text.strip() and not ast.get_docstring(source.tree)
    ]
    assert found == []


def test_public_functions__all__have_a_docstring_and_types() -> None:
    found = [
        f"{source.path}:{node.lineno} {node.name}"
        for source in sources()
        for node in _top_level(source)
        if not node.name.startswith("_")
        and (not ast.get_docstring(node) or node.returns is None)
        and "handlers/" not in source.path
        and "migrations/" not in source.path
    ]
    assert found == []


def _top_level(source: Source) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_money_layers__numbers__are_never_floats() -> None:
    found = [
        f"{source.path}:{node.lineno} {node.value!r}"
        for source in layer(*MONEY_LAYERS)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    found += [
        f"{source.path}:{line} {call}"
        for source in layer(*MONEY_LAYERS)
        for line, call in _calls(source)
        if call in ("float", "math.ceil", "math.floor", "round")
    ]
    assert found == []


def test_money_layers__division__is_never_true_division() -> None:
    # A fraction of integers is exact; paths are joined with the same operator.
    found = [
        f"{source.path}:{node.lineno} {ast.unparse(node)}"
        for source in layer("domain", "revenue")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
    ]
    assert found == []


def test_product__output__is_never_printed() -> None:
    found = [
        f"{source.path}:{line}"
        for source in sources()
        if source.layer != "scripts"
        for line, call in _calls(source)
        if call == "print"
    ]
    assert found == []


def test_product__exceptions__are_never_swallowed() -> None:
    found = []
    for source in sources():
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ExceptHandler):
                continue
            is_empty = all(isinstance(part, ast.Pass) for part in node.body)
            if node.type is None or (is_empty and _is_broad(node.type)):
                found.append(f"{source.path}:{node.lineno}")
    assert found == []


def _is_broad(kind: ast.expr) -> bool:
    return isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException", "LedgerError")


def test_product__environment__is_read_by_the_settings_only() -> None:
    found = {
        source.path
        for source in sources()
        if re.search(r"\bos\.(environ|getenv)|from os import .*(environ|getenv)", source.text)
    }
    assert found == set()


def test_texts__all__hold_no_excuses() -> None:
    found = [
        f"{path}:{number}"
        for path, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if EXCUSES.search(line) and not path.endswith(".json")
    ]
    assert found == []


def test_texts__all__name_no_registry_and_no_machine() -> None:
    found = [
        f"{path}:{number} {match.group()}"
        for path, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := REGISTRIES.search(line)) and path not in REGISTRY_FILES
    ]
    assert found == []


def test_tests__every_file__has_one_marker() -> None:
    marked = re.compile(r"^pytestmark = (?:pytest\.mark\.|\[pytest\.mark\.)", re.M)
    found = [
        path
        for path, text in texts().items()
        if re.fullmatch(r"tests/.*/test_[^/]*\.py", path)
        and len(marked.findall(text)) != 1
        and "@pytest.mark." not in text
    ]
    assert found == []


def test_tests__every_name__says_subject_case_and_result() -> None:
    named = re.compile(r"^(?:async )?def (test_\w+)", re.M)
    found = [
        f"{path} {name}"
        for path, text in texts().items()
        if re.fullmatch(r"tests/.*/test_[^/]*\.py", path)
        for name in named.findall(text)
        if name.count("__") != 2
    ]
    assert found == []
