"""What every wrapper can do: encode a command, read a view at a named block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

from ledger.chain.abi import Entry, contract_abi
from ledger.chain.client import Chain
from ledger.chain.rpc_types import BlockId, block_param
from ledger.domain.errors import MalformedValueError

Value = TypeVar("Value")


class Contract:
    """One deployed contract: its name in the artifacts and its address."""

    name: str = ""

    def __init__(self, chain: Chain, address: str) -> None:
        self.chain = chain
        self.address = address.lower()

    def encode(self, function: str, *args: Any) -> bytes:
        """Return the calldata of a command.

        Raises:
            MalformedValueError: there is no such function, or the arguments do not fit it.
        """
        entry = function_entry(self.name, function)
        return entry.selector + entry.encode_args(args)

    def view(self, function: str, *args: Any, block: BlockId) -> Any:
        """Return what a view answers at a block, as plain Python.

        Raises:
            ChainRefusedError: the contract refuses to answer (unknown id, for instance).
        """
        entry = function_entry(self.name, function)
        data = self.chain.call(self.address, self.encode(function, *args), block=block)
        return entry.decode_result(data)

    def views(self, function: str, calls: Sequence[Sequence[Any]], *, block: BlockId) -> list[Any]:
        """Return what a view answers to many calls at a block, as plain Python."""
        entry, at = function_entry(self.name, function), block_param(block)
        queries = [
            ({"to": self.address, "data": "0x" + self.encode(function, *args).hex()}, at)
            for args in calls
        ]
        answers = self.chain.batch("eth_call", queries)
        return [entry.decode_result(bytes.fromhex(answer[2:])) for answer in answers]

    def event_count(self, *, block: BlockId) -> int:
        """Return the number of the last event emitted up to a block."""
        return int(self.view("eventCount", block=block))


def function_entry(contract: str, function: str) -> Entry:
    """Return a function of a contract by its Solidity name.

    Raises:
        MalformedValueError: the contract has no such function.
    """
    functions = contract_abi(contract).functions
    if function not in functions:
        raise MalformedValueError(
            f"{contract} has no function {function}",
            field="function",
            got=function,
            expected=sorted(functions),
        )
    return functions[function]


def encode_call(contract: str, function: str, *args: Any) -> bytes:
    """Return the calldata of a command without an address at hand."""
    entry = function_entry(contract, function)
    return entry.selector + entry.encode_args(args)


def decode_calldata(contract: str, data: bytes) -> tuple[str, dict[str, Any]]:
    """Return the function's name and its arguments by name.

    Raises:
        MalformedValueError: no function of the contract has this selector.
    """
    for entry in contract_abi(contract).functions.values():
        if entry.selector == data[:4]:
            return entry.name, entry.decode_args(data[4:])
    raise MalformedValueError(
        f"{contract} has no function with this selector", field="data", got=data[:4].hex()
    )


def as_record(kind: type[Value], values: dict[str, Any]) -> Value:
    """Return a struct as its dataclass; the names must be the same."""
    return kind(**{field.name: values[field.name] for field in fields(kind)})  # type: ignore[arg-type]
