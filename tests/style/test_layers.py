"""The import table: who may use whom, and which outside package belongs where."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.style.repository import LAYERS, Source, sources

pytestmark = pytest.mark.style

_PURE = {"domain"}
_SERVICE = {"domain", "codec", "revenue", "log", "quality", "chain", "indexer", "projection"}
INTERNAL: dict[str, set[str]] = {
    "domain": set(),
    "codec": _PURE,
    "revenue": _PURE,
    "log": _PURE | {"codec"},
    # A file's profile needs neither the chain nor the log: it is measured before there is a market.
    "quality": _PURE,
    "chain": _PURE | {"codec"},
    "projection": _PURE,
    "indexer": _PURE | {"chain", "projection"},
    "verification": _PURE | {"codec", "chain"},
    "report": _PURE | {"codec", "projection", "verification"},
    "app": _SERVICE | {"verification"},
    "cli": {"ledger", "domain", "app", "report"},
    "api": {"ledger", "domain", "app", "report"},
    "scripts": {*LAYERS, "api"},
    "ledger": set(),
}
OUTSIDE: dict[str, set[str]] = {
    "domain": set(),
    "codec": {"cffi", "cryptography", "defusedxml", "numpy", "rdflib", "rfc8785"},
    "revenue": set(),
    "log": {"duckdb", "msgspec", "numpy", "pyarrow"},
    # The log's columns and a provider's files are the two kinds of table that SQL is run over.
    "quality": {"duckdb"},
    "chain": {
        "eth_abi",
        "eth_account",
        "eth_keys",
        "eth_utils",
        "httpx",
        "requests",
        "rlp",
        "solcx",
        "urllib3",
        "web3",
    },
    "projection": {"alembic", "sqlalchemy"},
    "indexer": set(),
    "verification": {"numpy"},
    "report": {"reportlab"},
    "app": {"chinese_calendar", "pydantic", "pydantic_core", "pydantic_settings"},
    "cli": {"click", "httpx", "pydantic", "rich", "structlog", "typer", "uvicorn", "vega_datasets"},
    "api": {"fastapi", "jinja2", "pydantic", "starlette", "structlog", "uvicorn"},
    "ledger": set(),
}
DEVIATIONS: dict[tuple[str, str], str] = {
    ("ledger/cli/system.py", "api.main"): "`mdl serve` starts the service",
    ("ledger/cli/system.py", "api.journal"): "`mdl serve` logs as the service does",
    ("ledger/cli/meter_commands.py", "api.metering"): "`mdl meter serve` starts the intake",
    ("ledger/cli/meter_commands.py", "api.journal"): "`mdl meter serve` logs as the service does",
    ("ledger/cli/demo/using.py", "api.main"): "the demonstration starts the service",
    (
        "ledger/verification/typed_data.py",
        "eth_account",
    ): "recovers EIP-712 signers itself: the service's own recovery is in chain and is not trusted",
    (
        "ledger/verification/typed_data.py",
        "eth_utils",
    ): "keccak of the EIP-712 type of an agreement",
}
FORBIDDEN_MODULES: dict[str, tuple[str, ...]] = {
    "report": ("ledger.codec.",),
    "verification": ("ledger.chain.relay", "ledger.chain.sender", "ledger.chain.outbox"),
}
ALLOWED_MODULES = {"report": ("ledger.codec.canonical",)}


def _imports(source: Source) -> Iterator[str]:
    """Yield the full name of every module that a file imports, wherever in the file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source.path}:{node.lineno}: relative import"
            if node.module in ("ledger", "ledger.projection"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


def _target(module: str) -> str | None:
    """Return the layer of one of our modules, None for an outside one."""
    parts = module.split(".")
    if parts[0] == "ledger":
        return parts[1] if len(parts) > 1 and parts[1] in LAYERS else "ledger"
    return parts[0] if parts[0] in ("api", "scripts") else None


def _breaks(source: Source, module: str) -> bool:
    target = _target(module)
    top = module.split(".")[0]
    if (source.path, top if target is None else module) in DEVIATIONS:
        return False
    if target is not None:
        return target not in INTERNAL[source.layer] | {source.layer}
    if top in sys.stdlib_module_names or source.layer == "scripts":
        return False
    return top not in OUTSIDE[source.layer]


def test_imports__every_file__follows_the_table() -> None:
    broken = [
        f"{source.path} imports {module}"
        for source in sources()
        for module in _imports(source)
        if _breaks(source, module)
    ]
    assert broken == []


def test_imports__narrow_doors__are_the_only_ones_used() -> None:
    broken = [
        f"{source.path} imports {module}"
        for source in sources()
        for module in _imports(source)
        if module.startswith(FORBIDDEN_MODULES.get(source.layer, ("\0",)))
        and module not in ALLOWED_MODULES.get(source.layer, ())
        and (source.path, module) not in DEVIATIONS
    ]
    assert broken == []


def test_imports__every_deviation__is_still_needed() -> None:
    used = {
        (source.path, name)
        for source in sources()
        for module in _imports(source)
        for name in (module, module.split(".")[0])
    }
    assert [entry for entry in DEVIATIONS if entry not in used] == []


def test_imports__contracts_of_the_table__cover_every_layer() -> None:
    assert {source.layer for source in sources()} <= set(INTERNAL)
