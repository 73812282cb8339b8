"""An event as it is kept: plain JSON values, so that a replay sees exactly what was seen first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event of the chain.

    Attributes:
        args: fields by name; ids and addresses as text, digests as 0x text, amounts as integers.
        block_time: Unix seconds.
    """

    block_hash: str
    log_index: int
    block_number: int
    block_time: int
    tx_hash: str
    contract: str
    event_no: int
    name: str
    args: dict[str, Any]


def plain(value: Any) -> Any:
    """Return a decoded value as plain JSON: UUIDs as text, bytes as 0x and hex."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return value
