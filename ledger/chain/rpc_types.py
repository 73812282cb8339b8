"""JSON-RPC answers as typed values. Answers are untrusted input: what does not fit is refused.

Hashes and addresses are lower-case 0x text; block times are Unix seconds on every chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ledger.chain.errors import RpcRefusedError

BlockId = int | str
"""A block's number, its hash (0x and 64 hex digits), or "latest"."""

_MILLISECONDS_ABOVE = 10**11


@dataclass(frozen=True, slots=True)
class BlockStamp:
    """A block by number, hash and time (Unix seconds)."""

    number: int
    hash: str
    time: int


@dataclass(frozen=True, slots=True)
class RawLog:
    """One log as the node gave it, not yet decoded."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a mined transaction.

    Attributes:
        succeeded: false when the transaction was mined but reverted.
        contract_address: address of the contract that it created, else None.
        logs: what it emitted.
    """

    tx_hash: str
    succeeded: bool
    block_number: int
    block_hash: str
    gas_used: int
    contract_address: str | None
    logs: tuple[RawLog, ...] = ()


def quantity(value: Any) -> int:
    """Return a JSON-RPC quantity as an integer."""
    if isinstance(value, str) and value.startswith("0x"):
        return int(value, 16)
    raise RpcRefusedError("a quantity must be 0x and hex digits", field="quantity", got=value)


def block_param(block: BlockId) -> Any:
    """Return a block id as state-reading methods take it (EIP-1898 for hashes)."""
    if isinstance(block, int):
        return hex(block)
    return {"blockHash": block} if block.startswith("0x") else block


def block_stamp(answer: Any) -> BlockStamp | None:
    """Return the stamp of a block's answer, None for null."""
    if answer is None:
        return None
    time = quantity(answer["timestamp"])
    # Some permissioned networks report milliseconds; 10^11 seconds is the year 5138.
    seconds = time // 1000 if time > _MILLISECONDS_ABOVE else time
    return BlockStamp(quantity(answer["number"]), str(answer["hash"]).lower(), seconds)


def receipt_of(answer: Any) -> Receipt | None:
    """Return a receipt, None while there is none or its block is unknown."""
    if answer is None or answer.get("blockHash") is None:
        return None
    created = answer.get("contractAddress")
    return Receipt(
        tx_hash=str(answer["transactionHash"]).lower(),
        succeeded=quantity(answer["status"]) == 1,
        block_number=quantity(answer["blockNumber"]),
        block_hash=str(answer["blockHash"]).lower(),
        gas_used=quantity(answer["gasUsed"]),
        contract_address=str(created).lower() if created else None,
        logs=tuple(raw_log(log) for log in answer.get("logs") or ()),
    )


def raw_log(answer: Any) -> RawLog:
    """Return a log that stands in the chain.

    Raises:
        RpcRefusedError: the node says that the log was removed, or its block is unknown.
    """
    if answer.get("removed") or answer.get("blockHash") is None:
        raise RpcRefusedError("the node gave a log of no block", field="log", got=str(answer))
    return RawLog(
        address=str(answer["address"]).lower(),
        topics=tuple(bytes.fromhex(topic[2:]) for topic in answer["topics"]),
        data=bytes.fromhex(answer["data"][2:]),
        block_number=quantity(answer["blockNumber"]),
        block_hash=str(answer["blockHash"]).lower(),
        tx_hash=str(answer["transactionHash"]).lower(),
        log_index=quantity(answer["logIndex"]),
    )


def revert_data(error: Any) -> bytes | None:
    """Return the revert data in a node's error, empty when it says only that it reverted.

    Nodes differ: the data stands in `data`, or one level deeper, and the code may be anything.
    Returns None when the error is not a contract's refusal.
    """
    if not isinstance(error, dict):
        return None
    found = error.get("data")
    if isinstance(found, dict):
        found = found.get("data") or found.get("result") or found.get("output")
    if isinstance(found, str) and found.startswith("0x") and len(found) % 2 == 0:
        return bytes.fromhex(found[2:])
    return b"" if "revert" in str(error.get("message", "")).lower() else None
