"""The outbox on a database: commands are durable before anything is sent (port of `chain`).

Every method is one transaction. The write lock is taken at its start, so two processes can never
assign the same nonce.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    bindparam,
    func,
    select,
    text,
    update,
)

from ledger.projection.database import read, write
from ledger.projection.outbox_ports import Carried, Signed
from ledger.projection.tables import outbox, outbox_members

_OPEN = ("signed", "broadcast")


@dataclass(frozen=True, slots=True)
class StoredIntent:
    """One command as stored; see `ledger.chain.outbox.OutboxEntry`."""

    intent_id: UUID
    scope: str
    idempotency_key: str
    body_digest: bytes
    answer: bytes
    account: str
    nonce: int
    raw: bytes
    tx_hash: str
    state: str
    block_number: int | None
    block_hash: str | None
    gas_used: int | None
    revert_data: bytes | None
    created_at_ms: int
    carrier_id: UUID | None = None


class SqlOutbox:
    """The outbox in the `outbox` table."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, scope: str, idempotency_key: str) -> StoredIntent | None:
        """Return the command stored under a key, None when there is none."""
        with read(self._engine) as connection:
            return _find(connection, scope, idempotency_key)

    def get(self, intent_id: UUID) -> StoredIntent | None:
        """Return one command, None when it is unknown."""
        with read(self._engine) as connection:
            return _get(connection, intent_id)

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
        sign: Callable[[int], Signed],
        members: Sequence[Carried] = (),
    ) -> StoredIntent:
        """Store a new command with its nonce and signed bytes, or return the one stored before."""
        with write(self._engine) as connection:
            _lock(connection)
            found = _find(connection, scope, idempotency_key) or _get(connection, intent_id)
            found = found or _find_any(connection, members)
            if found is not None:
                return found
            nonce = _next_nonce(connection, account, chain_nonce)
            signed = sign(nonce)
            values: dict[str, Any] = {
                "intent_id": intent_id,
                "scope": scope,
                "idempotency_key": idempotency_key,
                "body_digest": body_digest,
                "answer": answer,
                "account": account,
                "nonce": nonce,
                "raw": signed.raw,
                "tx_hash": signed.tx_hash,
                "state": "signed",
                "block_number": None,
                "block_hash": None,
                "gas_used": None,
                "revert_data": None,
                "created_at_ms": time.time_ns() // 1_000_000,
            }
            connection.execute(outbox.insert().values(**values))
            if members:
                rows = [_row(member, intent_id, place) for place, member in enumerate(members)]
                connection.execute(outbox_members.insert(), rows)
            return StoredIntent(**values)

    def resign(
        self, intent_id: UUID, *, chain_nonce: int, sign: Callable[[int], Signed]
    ) -> StoredIntent:
        """Give an open command its next nonce and new bytes; its old nonce was used elsewhere."""
        query = select(outbox).where(outbox.c.intent_id == intent_id)
        with write(self._engine) as connection:
            _lock(connection)
            found = _one(connection, query)
            if found is None or found.state not in _OPEN or found.nonce >= chain_nonce:
                return _required(found)
            nonce = _next_nonce(connection, found.account, chain_nonce)
            signed = sign(nonce)
            connection.execute(
                update(outbox)
                .where(outbox.c.intent_id == intent_id)
                .values(nonce=nonce, raw=signed.raw, tx_hash=signed.tx_hash, state="signed")
            )
            return _required(_one(connection, query))

    def mark_broadcast(self, intent_id: UUID, tx_hash: str) -> None:
        """Note that a node has taken these bytes, unless more is known already."""
        self._update(intent_id, tx_hash, ("signed",), {"state": "broadcast"})

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
        """Note the block of a command; `revert_data` is None for what succeeded."""
        values = {
            "state": "mined" if revert_data is None else "failed",
            "block_number": block_number,
            "block_hash": block_hash,
            "gas_used": gas_used,
            "revert_data": revert_data,
        }
        share = gas_used // max(1, len(member_reverts))
        members = [
            {"at": place, "share": share, "revert": revert}
            for place, revert in enumerate(member_reverts)
        ]
        self._update(intent_id, tx_hash, _OPEN, values, members)

    def turns_of(self, intent_id: UUID) -> Sequence[int]:
        """Return the turns of the commands that a transaction carries, in their order."""
        query = select(outbox_members.c.turn).where(outbox_members.c.carrier_id == intent_id)
        with read(self._engine) as connection:
            return connection.execute(query.order_by(outbox_members.c.place)).scalars().all()

    def members_of(self, intent_id: UUID) -> Sequence[StoredIntent]:
        """Return the commands that a transaction carries, in their order."""
        query = select(outbox_members).where(outbox_members.c.carrier_id == intent_id)
        with read(self._engine) as connection:
            carrier = _required(_get(connection, intent_id))
            rows = connection.execute(query.order_by(outbox_members.c.place)).mappings()
            return [_carried(carrier, dict(row)) for row in rows]

    def open_entries(self, account: str) -> Sequence[StoredIntent]:
        """Return the commands of an account that are not mined, by nonce."""
        query = select(outbox).where(outbox.c.account == account, outbox.c.state.in_(_OPEN))
        with read(self._engine) as connection:
            return _all(connection, query.order_by(outbox.c.nonce))

    def mined_entries(
        self, account: str, *, before_nonce: int | None, limit: int
    ) -> Sequence[StoredIntent]:
        """Return the last mined commands below a nonce, newest first."""
        query = select(outbox).where(outbox.c.account == account, outbox.c.state.not_in(_OPEN))
        if before_nonce is not None:
            query = query.where(outbox.c.nonce < before_nonce)
        with read(self._engine) as connection:
            return _all(connection, query.order_by(outbox.c.nonce.desc()).limit(limit))

    def reopen(self, intent_ids: Sequence[UUID]) -> None:
        """Lead mined and failed commands back to signed: their block is gone."""
        if not intent_ids:
            return
        change = update(outbox).where(outbox.c.intent_id.in_(intent_ids)).values(**_REOPENED)
        with write(self._engine) as connection:
            connection.execute(change)

    def reopen_above(self, account: str, block_number: int) -> int:
        """Reopen all commands of an account mined above a block; return how many."""
        change = update(outbox).where(
            outbox.c.account == account, outbox.c.block_number > block_number
        )
        with write(self._engine) as connection:
            return connection.execute(change.values(**_REOPENED)).rowcount

    def _update(
        self,
        intent_id: UUID,
        tx_hash: str,
        states: tuple[str, ...],
        values: dict[str, Any],
        members: Sequence[dict[str, Any]] = (),
    ) -> None:
        change = update(outbox).where(
            outbox.c.intent_id == intent_id,
            outbox.c.tx_hash == tx_hash,
            outbox.c.state.in_(states),
        )
        with write(self._engine) as connection:
            if connection.execute(change.values(**values)).rowcount and members:
                connection.execute(_SETTLED, [{"carrier": intent_id, **one} for one in members])


_SETTLED = (
    update(outbox_members)
    .where(
        outbox_members.c.carrier_id == bindparam("carrier"),
        outbox_members.c.place == bindparam("at"),
    )
    .values(gas_used=bindparam("share"), revert_data=bindparam("revert"))
)
_REOPENED: dict[str, Any] = {
    "state": "signed",
    "block_number": None,
    "block_hash": None,
    "gas_used": None,
    "revert_data": None,
}


def _lock(connection: Connection) -> None:
    # SQLite took its write lock at the beginning; PostgreSQL needs one lock for "next nonce".
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(4027432)"))


def _next_nonce(connection: Connection, account: str, chain_nonce: int) -> int:
    query = select(func.max(outbox.c.nonce)).where(outbox.c.account == account)
    last = connection.execute(query).scalar_one()
    return chain_nonce if last is None else max(int(last) + 1, chain_nonce)


def _find(connection: Connection, scope: str, idempotency_key: str) -> StoredIntent | None:
    sent = select(outbox).where(
        outbox.c.scope == scope, outbox.c.idempotency_key == idempotency_key
    )
    return _one(connection, sent) or _member(
        connection,
        outbox_members.c.scope == scope,
        outbox_members.c.idempotency_key == idempotency_key,
    )


def _find_any(connection: Connection, members: Sequence[Carried]) -> StoredIntent | None:
    """Return a command that is stored under the key of one of these, None when there is none."""
    wanted = {(member.scope, member.idempotency_key) for member in members}
    for table in (outbox, outbox_members) if wanted else ():
        query = select(table.c.scope, table.c.idempotency_key).where(
            table.c.idempotency_key.in_([key for _scope, key in wanted])
        )
        for row in connection.execute(query):
            if tuple(row) in wanted:
                return _find(connection, *row)
    return None


def _get(connection: Connection, intent_id: UUID) -> StoredIntent | None:
    sent = select(outbox).where(outbox.c.intent_id == intent_id)
    return _one(connection, sent) or _member(connection, outbox_members.c.intent_id == intent_id)


def _member(connection: Connection, *which: ColumnElement[bool]) -> StoredIntent | None:
    """Return a command that a transaction carries with others, None when there is none."""
    row = connection.execute(select(outbox_members).where(*which)).mappings().one_or_none()
    if row is None:
        return None
    carrier = select(outbox).where(outbox.c.intent_id == row["carrier_id"])
    return _carried(_required(_one(connection, carrier)), dict(row))


def _carried(carrier: StoredIntent, row: dict[str, Any]) -> StoredIntent:
    row = {key: value for key, value in row.items() if key not in ("place", "turn")}
    if carrier.state == "mined":
        row["state"] = "mined" if row["revert_data"] is None else "failed"
    else:
        row |= {"gas_used": carrier.gas_used, "revert_data": carrier.revert_data}
    return replace(carrier, **row)


def _row(member: Carried, carrier_id: UUID, place: int) -> dict[str, Any]:
    return {
        "intent_id": member.intent_id,
        "carrier_id": carrier_id,
        "place": place,
        "scope": member.scope,
        "idempotency_key": member.idempotency_key,
        "body_digest": member.body_digest,
        "answer": member.answer,
        "turn": member.turn,
    }


def _one(connection: Connection, query: Select[Any]) -> StoredIntent | None:
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else StoredIntent(**row)


def _all(connection: Connection, query: Select[Any]) -> list[StoredIntent]:
    return [StoredIntent(**row) for row in connection.execute(query).mappings()]


def _required(entry: StoredIntent | None) -> StoredIntent:
    if entry is None:
        raise KeyError("no such command")
    return entry
