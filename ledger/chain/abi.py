"""The contracts' ABIs as Python sees them: names in snake_case, ids as UUID, structs as dicts.

Rules kept here:
1. `bytes16` is an id and becomes a `UUID`; other fixed bytes stay bytes; addresses are lower case.
2. Structs come out as dicts and go in as dicts (keys in snake_case), tuples or lists.
3. The lines of a split are bytes on chain and a dict here, `ledger.codec.splits` between them: a
   dict that goes into `bytes`, and every parameter `split` that comes out.
4. Decoding is strict: trailing or malformed bytes are an error, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from eth_abi.abi import decode, encode
from eth_abi.exceptions import EncodingError
from eth_utils.crypto import keccak

from ledger.chain.artifacts import artifact
from ledger.codec.splits import decode_split, encode_split
from ledger.domain.errors import MalformedValueError

Param = dict[str, Any]

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake(name: str) -> str:
    """Return a Solidity name as Python writes it: eventNo → event_no, directory_ → directory."""
    return _HUMP.sub("_", name).lower().strip("_")


def type_text(param: Param) -> str:
    """Return the canonical ABI type, tuples spelt out: (bytes16,uint8)[]."""
    kind: str = param["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(type_text(part) for part in param['components'])}){kind[5:]}"


def to_abi(param: Param, value: Any) -> Any:
    """Return `value` in the form the encoder takes for `param`."""
    kind: str = param["type"]
    if kind.endswith("[]"):
        return [to_abi(param | {"type": kind[:-2]}, item) for item in value]
    if kind == "tuple":
        return _struct_to_abi(param["components"], value)
    if isinstance(value, UUID):
        return value.bytes
    if kind == "bytes" and isinstance(value, Mapping):
        return encode_split(value)
    if kind.startswith("bytes") and isinstance(value, str):
        return bytes.fromhex(value.removeprefix("0x"))
    return int(value) if kind.startswith("uint") and not isinstance(value, bool) else value


def _struct_to_abi(parts: list[Param], value: Any) -> tuple[Any, ...]:
    if isinstance(value, Mapping):
        return tuple(to_abi(part, value[snake(part["name"])]) for part in parts)
    if isinstance(value, Sequence):
        return tuple(to_abi(part, item) for part, item in zip(parts, value, strict=True))
    return tuple(to_abi(part, getattr(value, snake(part["name"]))) for part in parts)


def reader_of(param: Param) -> Callable[[Any], Any]:
    """Return what turns a decoded value into plain Python: UUIDs, dicts, lists, ints, bytes."""
    return _reader(_freeze(param))


@dataclass(frozen=True, slots=True)
class Entry:
    """A function, event, error or constructor of a contract.

    Attributes:
        contract: the contract in whose ABI it stands.
        name: its name in Solidity.
        kind: function, event, error or constructor.
        inputs: parameters as the ABI has them.
        outputs: results; empty for anything but functions.
    """

    contract: str
    name: str
    kind: str
    inputs: tuple[Param, ...]
    outputs: tuple[Param, ...] = ()

    @property
    def signature(self) -> str:
        """The canonical signature, e.g. openCity(uint32)."""
        return f"{self.name}({','.join(type_text(param) for param in self.inputs)})"

    @property
    def topic(self) -> bytes:
        """Keccak-256 of the signature: an event's first topic."""
        return keccak(text=self.signature)

    @property
    def selector(self) -> bytes:
        """The first four bytes of the topic: a function's or an error's selector."""
        return self.topic[:4]

    def encode_args(self, args: Sequence[Any]) -> bytes:
        """Return the ABI encoding of the arguments.

        Raises:
            MalformedValueError: an argument does not fit its parameter.
        """
        try:
            pairs = list(zip(self.inputs, args, strict=True))
            values = [to_abi(param, value) for param, value in pairs]
            return encode([type_text(param) for param in self.inputs], values)
        except (EncodingError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise MalformedValueError(
                f"the arguments of {self.signature} do not fit: {error}",
                field=self.name,
                got=[str(value) for value in args],
                expected=self.signature,
            ) from error

    def decode_args(self, data: bytes) -> dict[str, Any]:
        """Return the arguments by name from their ABI encoding."""
        return _named(self.inputs, data)

    def decode_result(self, data: bytes) -> Any:
        """Return a function's result: one value, or a tuple of several."""
        values = tuple(_named(self.outputs, data).values())
        return values[0] if len(values) == 1 else values


@dataclass(frozen=True, slots=True)
class ContractAbi:
    """One contract's entries by name; the contracts overload nothing."""

    name: str
    functions: dict[str, Entry]
    events: dict[str, Entry]
    errors: dict[str, Entry]
    constructor: Entry


@cache
def contract_abi(name: str) -> ContractAbi:
    """Return the entries of a packaged contract.

    Raises:
        ArtifactMissingError: no contract of this name is packaged.
    """
    entries = [_entry(name, item) for item in artifact(name).abi]
    constructors = [entry for entry in entries if entry.kind == "constructor"]
    return ContractAbi(
        name=name,
        functions={entry.name: entry for entry in entries if entry.kind == "function"},
        events={entry.name: entry for entry in entries if entry.kind == "event"},
        errors={entry.name: entry for entry in entries if entry.kind == "error"},
        constructor=constructors[0] if constructors else Entry(name, name, "constructor", ()),
    )


def _entry(contract: str, item: Param) -> Entry:
    return Entry(
        contract=contract,
        name=item.get("name", contract),
        kind=item["type"],
        inputs=tuple(item.get("inputs", ())),
        outputs=tuple(item.get("outputs", ())),
    )


def _named(params: tuple[Param, ...], data: bytes) -> dict[str, Any]:
    values = decode([type_text(param) for param in params], data)
    pairs = enumerate(zip(params, values, strict=True))
    return {snake(p["name"]) or str(i): reader_of(p)(value) for i, (p, value) in pairs}


Frozen = tuple[str, str, tuple[Any, ...]]


def _freeze(param: Param) -> Frozen:
    parts = tuple(_freeze(part) for part in param.get("components", ()))
    return param["type"], param["name"], parts


@cache
def _reader(frozen: Frozen) -> Callable[[Any], Any]:
    kind, name, parts = frozen
    if kind.endswith("[]"):
        item = _reader((kind[:-2], name, parts))
        return lambda values: [item(value) for value in values]
    if kind == "tuple":
        readers = [(snake(part[1]), _reader(part)) for part in parts]
        return lambda values: {
            key: read(value) for (key, read), value in zip(readers, values, strict=True)
        }
    if (kind, name) == ("bytes", "split"):
        return decode_split
    if kind == "bytes16":
        return lambda value: UUID(bytes=value)
    if kind == "address":
        return lambda value: str(value).lower()
    return lambda value: value
