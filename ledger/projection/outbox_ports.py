"""What the outbox is given to store, by shape; the chain layer makes it."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID


class Signed(Protocol):
    """Signed bytes and their hash."""

    @property
    def raw(self) -> bytes: ...
    @property
    def tx_hash(self) -> str: ...


class Carried(Protocol):
    """One of several commands that a transaction carries."""

    @property
    def intent_id(self) -> UUID: ...
    @property
    def scope(self) -> str: ...
    @property
    def idempotency_key(self) -> str: ...
    @property
    def body_digest(self) -> bytes: ...
    @property
    def answer(self) -> bytes: ...
    @property
    def turn(self) -> int: ...
