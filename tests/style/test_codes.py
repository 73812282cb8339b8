"""Names and numbers that several places share: codes, errors, fields of the interfaces."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from typing import Any

import pytest

import api
import ledger
from api.errors import status_of
from ledger.chain.contracts import INDEXED
from ledger.domain import codes, objections
from ledger.domain.errors import LedgerError
from ledger.projection.handlers import HANDLERS
from ledger.verification.callers import MAY
from tests.style.repository import STYLE_ROOT

pytestmark = pytest.mark.style

CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
SUFFIXES = {"Fen": "Fen", "MicroFen": "MicroFen", "MicroYuan": "MicroYuan", "Ppm": "Ppm"}
SUFFIXES |= {"PeriodId": "periodId"}
OURS = INDEXED
# A refusal says `got` and `expected`, as the errors of Python do, or the two sides it compared.
BARE_IN_ERRORS = {"got", "expected", "paid", "open", "room", "price", "cap"}
# A library for cffi: it is named like an extension module and cannot be imported.
NO_PYTHON = {"ledger.codec._kernel"}
LIBRARY_EVENTS = {"AuthorityUpdated", "EIP712DomainChanged"}
LIBRARY_ERRORS = {
    "AccessManagedInvalidAuthority",
    "AccessManagedRequiredDelay",
    "AccessManagedUnauthorized",
    "InvalidShortString",
    "StringTooLong",
}


def _solidity_enums() -> dict[str, dict[str, int]]:
    text = (STYLE_ROOT / "contracts/libraries/Codes.sol").read_text("utf-8")
    return {
        name: {member: number for number, member in enumerate(re.findall(r"\w+", body))}
        for name, body in re.findall(r"enum (\w+) \{([^}]*)\}", text)
    }


def _artifacts() -> dict[str, Any]:
    text = (STYLE_ROOT / "ledger/chain/artifacts.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)["contracts"]
    return found


def _error_classes() -> list[type[LedgerError]]:
    for package in (ledger, api):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".migrations." not in module.name and module.name not in NO_PYTHON:
                importlib.import_module(module.name)
    found: list[type[LedgerError]] = []
    pending = [LedgerError]
    while pending:
        kind = pending.pop()
        found.append(kind)
        pending += kind.__subclasses__()
    return found


def _fields(entries: list[dict[str, Any]], where: str) -> Iterator[tuple[str, str, str]]:
    """Yield place, name and Solidity type of every field, those of structs included."""
    for entry in entries:
        yield where, entry["name"], entry["internalType"]
        yield from _fields(entry.get("components", []), f"{where}.{entry['name']}")


@pytest.mark.parametrize("name", sorted(_solidity_enums()))
def test_codes__of_the_contracts__equal_pythons(name: str) -> None:
    module = codes if hasattr(codes, name) else objections
    kind: type[IntEnum] = getattr(module, name)
    members = {member.name: member.value for member in kind}
    solidity = _solidity_enums()[name]
    if "NONE" not in members:
        solidity.pop("NONE", None)
    assert members == solidity


def test_codes__modes_as_bits__equal_the_modes_of_receipts() -> None:
    bits = {mode.name: int(mode) for mode in codes.ModeSet if mode}
    assert bits == {mode.name: mode.bit for mode in codes.DeliveryMode}


def test_errors__every_class__has_a_code_of_its_own() -> None:
    own = [(kind, kind.__dict__.get("code")) for kind in _error_classes()]
    assert [kind.__qualname__ for kind, code in own if not isinstance(code, str | property)] == []
    assert [code for _, code in own if isinstance(code, str) and not CODE.fullmatch(code)] == []
    counts = Counter(code for _, code in own if isinstance(code, str))
    assert {code: count for code, count in counts.items() if count > 1} == {}


def test_errors__every_class__ends_in_error_and_says_what_it_is() -> None:
    kinds = _error_classes()
    assert [kind.__name__ for kind in kinds if not kind.__name__.endswith("Error")] == []
    assert [kind.__name__ for kind in kinds if not kind.__dict__.get("__doc__")] == []


def test_errors__every_code__has_an_http_status_of_a_refusal() -> None:
    def status(kind: type[LedgerError]) -> int:
        error = kind.__new__(kind)
        Exception.__init__(error, "")
        return status_of(error)

    plain = [kind for kind in _error_classes() if isinstance(kind.__dict__.get("code"), str)]
    assert {kind.__name__: status(kind) for kind in plain if not 400 <= status(kind) < 600} == {}


@pytest.mark.parametrize("contract", OURS)
def test_interfaces__fields_with_a_unit__say_it_in_their_name(contract: str) -> None:
    found = []
    for entry in _artifacts()[contract]["abi"]:
        for side in ("inputs", "outputs"):
            for where, name, kind in _fields(entry.get(side, []), entry.get("name", "")):
                wanted = SUFFIXES.get(kind.removesuffix("[]"))
                is_bare = entry["type"] == "error" and name in BARE_IN_ERRORS
                if wanted and name and not is_bare and not name.lower().endswith(wanted.lower()):
                    found.append(f"{where}.{name}: {kind}")
    assert found == []


@pytest.mark.parametrize("contract", OURS)
def test_interfaces__every_event__is_numbered_and_projected(contract: str) -> None:
    events = [entry for entry in _artifacts()[contract]["abi"] if entry["type"] == "event"]
    ours = [event for event in events if event["name"] not in LIBRARY_EVENTS]
    first = {event["name"]: event["inputs"][0] for event in ours}
    assert {name: entry for name, entry in first.items() if entry["name"] != "eventNo"} == {}
    assert set(first) - set(HANDLERS) == set()


@pytest.mark.parametrize("contract", OURS)
def test_interfaces__every_refusal__names_its_contract(contract: str) -> None:
    errors = {entry["name"] for entry in _artifacts()[contract]["abi"] if entry["type"] == "error"}
    known = tuple(f"{name}_" for name in (*OURS, "Member", "Merkle", "Tariffs", "Lineages"))
    assert {name for name in errors - LIBRARY_ERRORS if not name.startswith(known)} == set()


@pytest.mark.parametrize("contract", OURS)
def test_contracts__every_function_that_writes__has_its_callers(contract: str) -> None:
    entries = [entry for entry in _artifacts()[contract]["abi"] if entry["type"] == "function"]
    writing = {
        f"{contract}.{entry['name']}"
        for entry in entries
        if entry["stateMutability"] not in ("view", "pure")
    }
    assert writing == {name for name in MAY if name.startswith(f"{contract}.")}
