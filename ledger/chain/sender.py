"""The sender: every command reaches exactly one effect on the chain, whatever dies in between.

Rules kept here:
1. Nonce, signed bytes, hash and intent are stored in one transaction before anything is sent.
2. Only the SAME bytes are ever sent again. What became of them is decided by their hash; a node's
   error text decides nothing ("already known" and "nonce too low" also follow a success).
3. New bytes are signed for a stored intent only when its nonce was used by a transaction that is
   not ours, seen several times in a row.
4. When blocks are gone, everything mined in them is sent again in nonce order.
5. A transaction that carries several commands succeeds as such; each of them succeeds or fails.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import rlp  # type: ignore[import-untyped]
from eth_account.signers.local import LocalAccount

from ledger.chain.client import Chain
from ledger.chain.errors import ChainError, RpcRefusedError, RpcUnavailableError
from ledger.chain.forwarded import is_batch, member_reverts
from ledger.chain.keys import address_of
from ledger.chain.outbox import IntentState, Member, Outbox, OutboxEntry, SignedBytes
from ledger.chain.reverts import ChainRefusedError, decode_revert
from ledger.chain.rpc_types import Receipt

_LOG = logging.getLogger(__name__)
_FOREIGN_SIGHTINGS = 3
_CHECKED_MAX = 64


class IdempotencyConflictError(ChainError):
    """The idempotency key was used before, with another body."""

    code = "chain.idempotency_conflict"


class ReceiptTimeoutError(ChainError):
    """The command is stored and will be sent until it is mined, but it is not mined yet."""

    code = "chain.receipt_timeout"
    retryable = True


class CommandStoredError(ChainError):
    """Another process has stored one of these commands meanwhile; asking again finds it."""

    code = "chain.command_stored"
    retryable = True


class UnknownIntentError(ChainError):
    """No command is stored under this id."""

    code = "chain.unknown_intent"


@dataclass(frozen=True, slots=True)
class Intent:
    """A command that the relayer shall send.

    Attributes:
        intent_id: UUIDv7 made by the caller, once.
        scope: whose idempotency keys these are: the signer's address, as a rule.
        idempotency_key: made once per intent by the client.
        body_digest: digest of the request's body; the same key with another is a conflict.
        to: contract, or None to create one.
        data: calldata or creation code.
        gas: gas limit of the transaction.
        answer: what the client is told when it repeats its key; kept as it is.
        members: the commands that it carries, in the order of its calldata; most carry none.
    """

    intent_id: UUID
    scope: str
    idempotency_key: str
    body_digest: bytes
    to: str | None
    data: bytes
    gas: int
    answer: bytes = b""
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command's effect: mined and successful."""

    intent_id: UUID
    tx_hash: str
    block_number: int
    block_hash: str
    gas_used: int


Explain = Callable[[bytes, int], bytes]
"""(calldata of the failed transaction, block) → revert data of what failed inside."""


class Sender:
    """Sends the commands of one relayer key; several processes may share key and outbox.

    Args:
        chain: where to.
        outbox: durable storage.
        relayer: the key that pays for gas. It must be used nowhere else.
        poll_seconds: pause between two looks for a receipt.
        timeout_seconds: how long `submit` and `wait` look before they give up looking.
        resend_seconds: pause between two sendings of the same bytes.
        explain: finds the reason behind a failed transaction; see `forwarder.explain`.
    """

    def __init__(
        self,
        chain: Chain,
        outbox: Outbox,
        relayer: LocalAccount,
        *,
        poll_seconds: float = 0.015,
        timeout_seconds: float = 60.0,
        resend_seconds: float = 1.0,
        explain: Explain | None = None,
    ) -> None:
        self.chain = chain
        self.outbox = outbox
        self.account = address_of(relayer)
        self.explain = explain
        self._relayer = relayer
        self._poll_seconds = poll_seconds
        self._timeout_seconds = timeout_seconds
        self._resend_seconds = resend_seconds
        self._last_answer = ""

    def submit(self, intent: Intent) -> Outcome:
        """Store, send and wait for a command.

        Raises:
            IdempotencyConflictError: the key was used with another body.
            ChainRefusedError: mined, and refused by the contract.
            ReceiptTimeoutError: stored but not mined in time; ask again with the same key.
            ChainUnreachableError: no endpoint answered and nothing was stored.
        """
        return self.wait(self.enqueue(intent).intent_id)

    def find(self, scope: str, idempotency_key: str, body_digest: bytes) -> OutboxEntry | None:
        """Return the command stored under a key, None when there is none.

        Raises:
            IdempotencyConflictError: the key was used with another body.
        """
        entry = self.outbox.find(scope, idempotency_key)
        if entry is not None and entry.body_digest != body_digest:
            raise IdempotencyConflictError(
                "this idempotency key was used for another request",
                field="idempotency_key",
                got="0x" + body_digest.hex(),
                expected="0x" + entry.body_digest.hex(),
            )
        return entry

    def enqueue(self, intent: Intent) -> OutboxEntry:
        """Store a command, durably signed, and hand it to the chain once; do not wait."""
        entry = self.find(intent.scope, intent.idempotency_key, intent.body_digest)
        if entry is None:
            entry = self._store(intent)
            if intent.members and entry.intent_id != intent.intent_id:
                raise CommandStoredError(
                    "another process has stored one of these commands",
                    field="idempotency_key",
                    got=entry.idempotency_key,
                )
        if entry.state == IntentState.SIGNED:
            self._broadcast(entry)
        return entry

    def wait(self, intent_id: UUID) -> Outcome:
        """Look for the receipt until the command is mined, sending again what is not."""
        deadline = time.monotonic() + self._timeout_seconds
        resend_at = time.monotonic() + self._resend_seconds
        sightings = 0
        while True:
            entry = self._settled(self._entry(intent_id))
            if entry.state in (IntentState.MINED, IntentState.FAILED):
                return _outcome(entry)
            if time.monotonic() > deadline:
                raise _timeout(entry, self._last_answer)
            if time.monotonic() > resend_at:
                resend_at = time.monotonic() + self._resend_seconds
                sightings = sightings + 1 if self._is_nonce_gone(entry) else 0
                if sightings >= _FOREIGN_SIGHTINGS:
                    self._replace_nonce(entry)
                    sightings = 0
                self.send_open()
            time.sleep(self._poll_seconds)

    def send_open(self) -> int:
        """Send all stored bytes that are not mined, in nonce order; return how many."""
        entries = self.outbox.open_entries(self.account)
        for entry in entries:
            if self._settled(entry).state in (IntentState.SIGNED, IntentState.BROADCAST):
                self._broadcast(entry)
        return len(entries)

    def resume(self) -> int:
        """At start-up: reopen what the chain has lost, and send everything that is open."""
        reopened = self.reopen_lost()
        return max(reopened, self.send_open())

    def reopen_lost(self) -> int:
        """Reopen mined commands whose transaction the chain no longer has; return how many.

        Looks back from the newest until one still stands: a chain loses its end, not its middle.
        """
        lost: list[UUID] = []
        before: int | None = None
        while entries := self.outbox.mined_entries(
            self.account, before_nonce=before, limit=_CHECKED_MAX
        ):
            receipts = self.chain.receipts([entry.tx_hash for entry in entries])
            for entry, receipt in zip(entries, receipts, strict=True):
                if receipt is not None and receipt.block_hash == entry.block_hash:
                    self.outbox.reopen(lost)
                    return len(lost)
                lost.append(entry.intent_id)
            before = entries[-1].nonce
        self.outbox.reopen(lost)
        return len(lost)

    def reopen_above(self, block_number: int) -> int:
        """Send everything again that was mined above a block; the blocks are gone."""
        reopened = self.outbox.reopen_above(self.account, block_number)
        if reopened:
            _LOG.warning("chain went back to %d: %d commands sent again", block_number, reopened)
            self.send_open()
        return reopened

    def _store(self, intent: Intent) -> OutboxEntry:
        return self.outbox.sign_next(
            intent_id=intent.intent_id,
            scope=intent.scope,
            idempotency_key=intent.idempotency_key,
            body_digest=intent.body_digest,
            answer=intent.answer,
            account=self.account,
            chain_nonce=self.chain.transaction_count(self.account, block="latest"),
            sign=self._signer(intent.to, intent.data, intent.gas),
            members=intent.members,
        )

    def outcomes(self, intent_id: UUID) -> list[Outcome | ChainError]:
        """Wait for a transaction; return what became of each command that it carries.

        Raises:
            ReceiptTimeoutError: as `wait`.
        """
        with contextlib.suppress(ChainRefusedError):
            self.wait(intent_id)
        found: list[Outcome | ChainError] = []
        for member in self.outbox.members_of(intent_id):
            try:
                found.append(_outcome(member))
            except ChainRefusedError as refused:
                found.append(refused)
        return found

    def _signer(self, to: str | None, data: bytes, gas: int) -> Callable[[int], SignedBytes]:
        price_wei = self.chain.gas_price_wei()

        def sign(nonce: int) -> SignedBytes:
            transaction = {
                "nonce": nonce,
                "gasPrice": price_wei,
                "gas": gas,
                "value": 0,
                "data": "0x" + data.hex(),
                "chainId": self.chain.expected_chain_id,
            } | ({"to": bytes.fromhex(to[2:])} if to else {})
            signed = self._relayer.sign_transaction(transaction)  # type: ignore[arg-type]
            return SignedBytes(bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex())

        return sign

    def _broadcast(self, entry: OutboxEntry) -> None:
        try:
            self.chain.send_raw(entry.raw)
        except RpcRefusedError as error:
            # Rule 2: the receipt decides. The text is kept for people only.
            _LOG.debug("node answered %s to %s", error.got, entry.tx_hash)
            self._last_answer = str(error.got)
            return
        except RpcUnavailableError as error:
            _LOG.warning("not sent yet, will be: %s (%s)", entry.tx_hash, error)
            return
        self.outbox.mark_broadcast(_sent_id(entry), entry.tx_hash)

    def _settled(self, entry: OutboxEntry) -> OutboxEntry:
        """Return the entry, marked as mined when the chain has it."""
        if entry.state in (IntentState.MINED, IntentState.FAILED):
            return entry
        try:
            receipt = self.chain.receipt(entry.tx_hash)
            if receipt is None:
                return entry
            revert = None if receipt.succeeded else self._reason(entry, receipt)
            reverts = self._member_reverts(entry, receipt) if revert is None else ()
        except RpcUnavailableError:
            return entry
        self.outbox.mark_mined(
            _sent_id(entry),
            tx_hash=entry.tx_hash,
            block_number=receipt.block_number,
            block_hash=receipt.block_hash,
            gas_used=receipt.gas_used,
            revert_data=revert,
            member_reverts=reverts,
        )
        return self._entry(entry.intent_id)

    def _member_reverts(self, entry: OutboxEntry, receipt: Receipt) -> Sequence[bytes | None]:
        to, data, _gas = parts_of(entry.raw)
        if to is None or not is_batch(data):
            return ()
        turns = self.outbox.turns_of(_sent_id(entry))
        return member_reverts(self.chain, to, data, turns, receipt)

    def _reason(self, entry: OutboxEntry, receipt: Receipt) -> bytes:
        """Return the best revert data that the chain still gives for a failed transaction."""
        to, data, _gas = parts_of(entry.raw)
        try:
            if self.explain is not None:
                return self.explain(data, receipt.block_number)
            if to is not None:
                self.chain.call(to, data, block=receipt.block_number, sender=self.account)
        except ChainRefusedError as refused:
            return refused.data
        except RpcRefusedError:
            _LOG.debug("no reason to be had for %s", entry.tx_hash)
        return b""

    def _is_nonce_gone(self, entry: OutboxEntry) -> bool:
        try:
            used = self.chain.transaction_count(self.account, block="latest")
            return used > entry.nonce and self.chain.receipt(entry.tx_hash) is None
        except RpcUnavailableError:
            return False

    def _replace_nonce(self, entry: OutboxEntry) -> None:
        _LOG.error("nonce %d of %s was used by a foreign transaction", entry.nonce, self.account)
        to, data, gas = parts_of(entry.raw)
        self.outbox.resign(
            _sent_id(entry),
            chain_nonce=self.chain.transaction_count(self.account, block="latest"),
            sign=self._signer(to, data, gas),
        )

    def _entry(self, intent_id: UUID) -> OutboxEntry:
        entry = self.outbox.get(intent_id)
        if entry is None:
            raise UnknownIntentError("no such command", field="intent_id", got=str(intent_id))
        return entry


def _sent_id(entry: OutboxEntry) -> UUID:
    return entry.carrier_id or entry.intent_id


def parts_of(raw: bytes) -> tuple[str | None, bytes, int]:
    """Return target, calldata and gas limit of a signed legacy transaction."""
    fields = rlp.decode(raw)
    to = "0x" + fields[3].hex() if fields[3] else None
    return to, bytes(fields[5]), int.from_bytes(fields[2], "big")


def _outcome(entry: OutboxEntry) -> Outcome:
    if entry.state == IntentState.FAILED:
        raise decode_revert(entry.revert_data or b"", "the transaction was mined and refused")
    return Outcome(
        intent_id=entry.intent_id,
        tx_hash=entry.tx_hash,
        block_number=entry.block_number or 0,
        block_hash=entry.block_hash or "",
        gas_used=entry.gas_used or 0,
    )


def _timeout(entry: OutboxEntry, answer: str) -> ReceiptTimeoutError:
    said = f"; the node's last answer: {answer}" if answer else ""
    return ReceiptTimeoutError(
        f"the command is stored and will be sent, but it is not mined yet{said}",
        field="intent_id",
        got=entry.state,
        expected=IntentState.MINED.value,
    )
