"""Logs as events, decoded strictly.

Rules kept here:
1. A log counts only by its contract's address, its first topic and the number of its topics; the
   same first topic with other indexed fields is another event.
2. What does not decode is an error that stops the reader. Nothing is skipped.
3. Every event of the market's contracts has a number: `event_no`. Inherited ones have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from ledger.chain.abi import Entry, Param, contract_abi, reader_of, snake, type_text
from ledger.chain.errors import ChainError
from ledger.chain.rpc_types import RawLog
from ledger.domain.errors import MalformedValueError


class UndecodableLogError(ChainError):
    """A log of one of our contracts is no event that we know."""

    code = "chain.log_undecodable"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one of the market's contracts.

    Attributes:
        contract: name of the contract.
        name: name of the event in Solidity.
        event_no: its number among all events of the contract, from 1 without a gap.
        args: the other fields by name in snake_case; ids as UUID, digests as bytes, structs as
            dicts, enumerations as integers.
        block_time: Unix seconds.
    """

    contract: str
    name: str
    event_no: int
    args: dict[str, Any]
    block_number: int
    block_hash: str
    block_time: int
    tx_hash: str
    log_index: int


Reader = Callable[[RawLog], dict[str, Any]]


def decode_log(log: RawLog, contract: str, block_time: int) -> Event | None:
    """Return the event that a log of `contract` stands for.

    Returns None for the few events that the contracts inherit and do not number: they say nothing
    about the market.

    Raises:
        UndecodableLogError: it is none of the contract's events, or malformed.
    """
    found = _readers(contract).get((log.topics[0] if log.topics else b"", len(log.topics)))
    if found is None:
        if log.topics and log.topics[0] in _inherited(contract):
            return None
        raise _undecodable(log, contract, "no event with these topics")
    name, read = found
    try:
        args = read(log)
    except (DecodingError, MalformedValueError, ValueError) as error:
        raise _undecodable(log, contract, str(error)) from error
    event_no = args.pop("event_no")
    return Event(
        contract=contract,
        name=name,
        event_no=event_no,
        args=args,
        block_number=log.block_number,
        block_hash=log.block_hash,
        block_time=block_time,
        tx_hash=log.tx_hash,
        log_index=log.log_index,
    )


def event_names(contract: str) -> tuple[str, ...]:
    """Return the names of a contract's numbered events."""
    return tuple(name for name, _ in _readers(contract).values())


@cache
def _readers(contract: str) -> Mapping[tuple[bytes, int], tuple[str, Reader]]:
    entries = [e for e in contract_abi(contract).events.values() if _is_numbered(e)]
    return {
        (entry.topic, 1 + len(_indexed(entry))): (entry.name, _reader(entry)) for entry in entries
    }


@cache
def _inherited(contract: str) -> frozenset[bytes]:
    entries = contract_abi(contract).events.values()
    return frozenset(entry.topic for entry in entries if not _is_numbered(entry))


def _is_numbered(entry: Entry) -> bool:
    return bool(entry.inputs) and entry.inputs[0]["name"] == "eventNo"


def _indexed(entry: Entry) -> list[Param]:
    return [param for param in entry.inputs if param.get("indexed")]


def _reader(entry: Entry) -> Reader:
    indexed = _indexed(entry)
    plain = [param for param in entry.inputs if not param.get("indexed")]
    plain_types = [type_text(param) for param in plain]
    indexed_types = [type_text(param) for param in indexed]
    fields = [(snake(param["name"]), reader_of(param)) for param in (*indexed, *plain)]

    def read(log: RawLog) -> dict[str, Any]:
        # Every indexed field of ours is a value of one word, so the topics are its encoding.
        from_topics = decode(indexed_types, b"".join(log.topics[1:]))
        from_data = decode(plain_types, log.data)
        values = from_topics + from_data
        return {name: convert(value) for (name, convert), value in zip(fields, values, strict=True)}

    return read


def _undecodable(log: RawLog, contract: str, why: str) -> UndecodableLogError:
    return UndecodableLogError(
        f"a log of {contract} cannot be decoded: {why}",
        field="log",
        got=f"{log.tx_hash} log {log.log_index} topic {log.topics[0].hex() if log.topics else ''}",
        expected=list(event_names(contract)),
    )
