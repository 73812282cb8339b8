"""The port to the outbox: where a command is kept before anything is sent, and until it is final.

Rules kept by every implementation:
1. `sign_next` assigns the nonce, takes the signed bytes and stores both with the intent in ONE
   transaction; nothing is ever broadcast that is not stored.
2. (scope, idempotency key) is unique; an intent keeps its first body digest.
3. Only `resign` ever replaces signed bytes, and only when their nonce was used by someone else.

4. A transaction may carry several commands (its members). Each keeps its own key, answer and
   outcome; `find` and `get` show it with the state of what carries it.

States: signed → broadcast → mined, or failed when it was mined and reverted. A fork that takes a
block away leads mined and failed entries back to signed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class IntentState(StrEnum):
    """How far a stored command has come."""

    SIGNED = "signed"
    BROADCAST = "broadcast"
    MINED = "mined"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A signed transaction and its hash, computed here and never taken from a node."""

    raw: bytes
    tx_hash: str


@dataclass(frozen=True, slots=True)
class Member:
    """One of several commands that a transaction carries; fields as in `Intent`.

    `turn` is the number of its request among those of its signer.
    """

    intent_id: UUID
    scope: str
    idempotency_key: str
    body_digest: bytes
    answer: bytes
    turn: int


class OutboxEntry(Protocol):
    """One command as stored. `account` is the relayer's address; hashes are 0x text.

    `carrier_id` is the intent of the transaction that carries it with others, None when it is sent
    alone. The gas of a member is its even share.
    """

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
    def account(self) -> str: ...
    @property
    def nonce(self) -> int: ...
    @property
    def raw(self) -> bytes: ...
    @property
    def tx_hash(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def block_number(self) -> int | None: ...
    @property
    def block_hash(self) -> str | None: ...
    @property
    def gas_used(self) -> int | None: ...
    @property
    def revert_data(self) -> bytes | None: ...
    @property
    def carrier_id(self) -> UUID | None: ...


class Outbox(Protocol):
    """Durable storage of commands; each method is one transaction of its own."""

    def find(self, scope: str, idempotency_key: str) -> OutboxEntry | None:
        """Return the command stored under a key, None when there is none."""
        ...

    def get(self, intent_id: UUID) -> OutboxEntry | None:
        """Return one command."""
        ...

    def sign_next(
        self,
        *,
        intent_id: UUID,
        scope: str,
        idempotency_key: str,
        body_digest: bytes,
        answer: bytes,
        account: str,
        chain_nonce: int,
        sign: Callable[[int], SignedBytes],
        members: Sequence[Member] = (),
    ) -> OutboxEntry:
        """Store a new command, and those that it carries, signed with the account's next nonce.

        The nonce is the largest of the own counter plus one and `chain_nonce`. When the key (or
        the intent, or a member's key) is stored already, that entry is returned and nothing is
        signed.
        """
        ...

    def resign(
        self, intent_id: UUID, *, chain_nonce: int, sign: Callable[[int], SignedBytes]
    ) -> OutboxEntry:
        """Give a command whose nonce was used by a foreign transaction its next nonce."""
        ...

    def mark_broadcast(self, intent_id: UUID, tx_hash: str) -> None:
        """Note that a node has taken these bytes."""
        ...

    def mark_mined(
        self,
        intent_id: UUID,
        *,
        tx_hash: str,
        block_number: int,
        block_hash: str,
        gas_used: int,
        revert_data: bytes | None,
        member_reverts: Sequence[bytes | None] = (),
    ) -> None:
        """Note the block; `revert_data` is None when the command succeeded, as is a member's."""
        ...

    def turns_of(self, intent_id: UUID) -> Sequence[int]:
        """Return the turns of the commands that a transaction carries, in their order."""
        ...

    def members_of(self, intent_id: UUID) -> Sequence[OutboxEntry]:
        """Return the commands that a transaction carries, in their order; none for most."""
        ...

    def open_entries(self, account: str) -> Sequence[OutboxEntry]:
        """Return all commands of an account that are not mined, by nonce."""
        ...

    def mined_entries(
        self, account: str, *, before_nonce: int | None, limit: int
    ) -> Sequence[OutboxEntry]:
        """Return the last mined commands of an account below a nonce, newest first."""
        ...

    def reopen(self, intent_ids: Sequence[UUID]) -> None:
        """Lead mined and failed commands back to signed: their block is gone."""
        ...

    def reopen_above(self, account: str, block_number: int) -> int:
        """Reopen all commands of an account mined above a block; return how many."""
        ...
