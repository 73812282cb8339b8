"""Accounts that sign, what they may use, what they prepared and signed. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from ledger.projection.queries.base import columns, records
from ledger.projection.tables import (
    events,
    organisations,
    prepared_works,
    signed_calls,
    signer_terms,
    signers,
)


@dataclass(frozen=True, slots=True)
class SignerRow:
    """An account that signs for an organisation; `roles` is a bitmap with administration."""

    address: str
    organisation_id: UUID
    roles: int


@dataclass(frozen=True, slots=True)
class SignerTermRow:
    """What an account might use from one event until another."""

    address: str
    organisation_id: UUID
    roles: int
    from_block: int
    from_at: int
    until_block: int | None
    until_at: int | None


@dataclass(frozen=True, slots=True)
class PreparedWorkRow:
    """A call that an account prepared for another of its organisation."""

    organisation_id: UUID
    work_digest: bytes
    address: str
    prepared_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class SignedCallRow:
    """Who signed a call of a transaction, which function, and the logs that it left."""

    tx_hash: str
    log_begin: int
    log_end: int
    signer: str
    contract: str
    function: str


@dataclass(frozen=True, slots=True)
class ActionRow:
    """A call that changed something: when, by whom, what."""

    tx_hash: str
    block_number: int
    block_time: int
    signer: str
    contract: str
    function: str


def signer(connection: Connection, address: str) -> SignerRow | None:
    """Return an account that signs now, None when it signs for nobody."""
    query = select(signers).where(signers.c.address == address.lower())
    return next(iter(records(connection, query, SignerRow)), None)


def signers_list(connection: Connection, organisation_id: UUID) -> list[SignerRow]:
    """Return the accounts of an organisation with what they may use."""
    query = select(signers).where(signers.c.organisation_id == organisation_id)
    return records(connection, query.order_by(signers.c.address), SignerRow)


def signer_terms_list(connection: Connection) -> list[SignerTermRow]:
    """Return every term of every account, in the order of the chain."""
    query = select(*columns(signer_terms, SignerTermRow)).order_by(signer_terms.c.from_event_no)
    return records(connection, query, SignerTermRow)


def joint_acts(connection: Connection, organisation_id: UUID) -> int:
    """Return the bitmap of acts that take two accounts of an organisation."""
    query = select(organisations.c.joint_acts).where(
        organisations.c.organisation_id == organisation_id
    )
    return int(connection.execute(query).scalar_one_or_none() or 0)


def prepared_works_of(connection: Connection, organisation_id: UUID) -> list[PreparedWorkRow]:
    """Return what accounts of an organisation prepared, newest first."""
    query = select(prepared_works).where(prepared_works.c.organisation_id == organisation_id)
    return records(connection, query.order_by(prepared_works.c.prepared_at.desc()), PreparedWorkRow)


def unread_transactions(connection: Connection, limit: int) -> list[str]:
    """Return hashes of transactions with events whose signer was not read yet."""
    query = (
        select(events.c.tx_hash)
        .outerjoin(signed_calls, signed_calls.c.tx_hash == events.c.tx_hash)
        .where(signed_calls.c.tx_hash.is_(None))
        .distinct()
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def add_signed_calls(connection: Connection, rows: list[SignedCallRow]) -> None:
    """Remember who signed; what another process stored meanwhile is passed over."""
    wanted = [row.tx_hash for row in rows]
    query = select(signed_calls.c.tx_hash).where(signed_calls.c.tx_hash.in_(wanted))
    known = set(connection.execute(query).scalars())
    new = [asdict(row) for row in rows if row.tx_hash not in known]
    if new:
        connection.execute(signed_calls.insert(), new)


def actions_list(
    connection: Connection,
    *,
    addresses: list[str] | None = None,
    from_at: int | None = None,
    until_at: int | None = None,
) -> list[ActionRow]:
    """Return calls that changed something, newest first.

    Args:
        addresses: only of these signers.
        from_at: first instant.
        until_at: first instant after the last.
    """
    query = (
        select(
            events.c.tx_hash,
            events.c.block_number,
            events.c.block_time,
            signed_calls.c.signer,
            signed_calls.c.contract,
            signed_calls.c.function,
        )
        .join(
            signed_calls,
            (signed_calls.c.tx_hash == events.c.tx_hash)
            & (signed_calls.c.log_begin <= events.c.log_index)
            & (signed_calls.c.log_end > events.c.log_index),
        )
        .distinct()
        .order_by(events.c.block_number.desc(), events.c.tx_hash)
    )
    if addresses is not None:
        query = query.where(signed_calls.c.signer.in_(addresses))
    if from_at is not None:
        query = query.where(events.c.block_time >= from_at)
    if until_at is not None:
        query = query.where(events.c.block_time < until_at)
    return records(connection, query, ActionRow)
