"""What a contract refused, as a Python error: one table from selector to class.

Rules kept here:
1. Every custom error of every packaged contract has a class of its own, made from the ABI, whose
   code is the contract and the name in snake_case: Directory_UnknownCity → directory.unknown_city.
   Errors of the libraries (access manager, forwarder) have codes that begin with "chain.".
2. `params` holds the error's parameters by name; `field`, `got` and `expected` come from them.
3. Data that matches no error is refused as "chain.reverted" and kept, never guessed at.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, cast
from uuid import UUID

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from ledger.chain.abi import Entry, contract_abi, snake
from ledger.chain.artifacts import names
from ledger.chain.errors import ChainError

_TEXT = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
_GOT = ("got", "asked", "to", "sum", "count", "price", "paid", "discount", "state", "role")
_EXPECTED = (
    "expected",
    "limit",
    "current",
    "offered",
    "needed",
    "in_force",
    "floor",
    "open",
    "room",
    "payable",
    "cap",
    "anchored",
    "next",
    "from",
    "held_until",
    "now",
)
_PANICS = {
    0x01: "an assertion failed",
    0x11: "an arithmetic operation overflowed",
    0x12: "division by zero",
    0x21: "a number outside its enumeration",
    0x32: "an index out of bounds",
}


class ChainRefusedError(ChainError):
    """A contract refused the call; nothing changed.

    Attributes:
        name: the error's name in Solidity, empty when unknown.
        params: its parameters by name; ids are UUIDs, digests bytes.
        data: the raw revert data.
    """

    code = "chain.reverted"
    name: ClassVar[str] = ""

    def __init__(self, detail: str, *, params: dict[str, Any] | None = None, data: bytes = b""):
        self.params = params or {}
        self.data = data
        super().__init__(
            detail,
            field=_field(self.params),
            got=_pick(self.params, _GOT, self.params.get(_field(self.params) or "")),
            expected=_pick(self.params, _EXPECTED, None),
        )

    def as_dict(self) -> dict[str, Any]:
        return super().as_dict() | {"params": {k: _plain(v) for k, v in self.params.items()}}


class ChainPanicError(ChainRefusedError):
    """A contract panicked: a bug or a value outside its enumeration."""

    code = "chain.panic"


def code_of(error_name: str) -> str:
    """Return the stable code of a custom error."""
    contract, _, what = error_name.partition("_")
    return f"{snake(contract)}.{snake(what)}" if what else f"chain.{snake(contract)}"


@cache
def error_classes() -> dict[bytes, type[ChainRefusedError]]:
    """Return the class of every custom error of the packaged contracts, by selector."""
    return {selector: _class_of(entry) for selector, entry in _entries().items()}


def decode_revert(data: bytes, reason: str = "") -> ChainRefusedError:
    """Return the error that a contract's revert data stands for.

    Args:
        data: raw revert data; empty when the node gave none.
        reason: what the node said, for people.
    """
    selector, body = data[:4], data[4:]
    try:
        if selector == _TEXT:
            text = decode(["string"], body)[0]
            return ChainRefusedError(text, params={"reason": text}, data=data)
        if selector == _PANIC:
            number = decode(["uint256"], body)[0]
            detail = _PANICS.get(number, f"panic {number:#x}")
            return ChainPanicError(detail, params={"panic_code": number}, data=data)
        if selector in error_classes():
            params = _entries()[selector].decode_args(body)
            cls = error_classes()[selector]
            return cls(_sentence(cls.name, params), params=params, data=data)
    except DecodingError:
        reason = reason or "malformed revert data"
    return ChainRefusedError(reason or "the contract refused without a reason", data=data)


@cache
def _entries() -> dict[bytes, Entry]:
    found = (entry for name in names() for entry in contract_abi(name).errors.values())
    return {entry.selector: entry for entry in found}


def _class_of(entry: Entry) -> type[ChainRefusedError]:
    name = entry.name.replace("_", "") + "Error"
    body = {"code": code_of(entry.name), "name": entry.name, "__doc__": entry.signature}
    return cast(type[ChainRefusedError], type(name, (ChainRefusedError,), body))


def _sentence(name: str, params: dict[str, Any]) -> str:
    what = snake(name.partition("_")[2] or name).replace("_", " ")
    values = ", ".join(f"{key}={_plain(value)}" for key, value in params.items())
    return f"{what} ({values})" if values else what


def _field(params: dict[str, Any]) -> str | None:
    return str(params["field"]) if "field" in params else next(iter(params), None)


def _pick(params: dict[str, Any], stems: tuple[str, ...], default: Any) -> Any:
    for stem in stems:
        for key, value in params.items():
            if key == stem or key.startswith(stem + "_"):
                return value
    return default


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if isinstance(value, UUID) else value
