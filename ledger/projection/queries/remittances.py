"""Who is owed whole fen, who is paid for whom, and the batches that pay them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, select

from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.payees import Payees, payable_fen, payees_of
from ledger.projection.queries.base import one, records
from ledger.projection.queries.schemes import AccountRow
from ledger.projection.tables import (
    remittance_lines,
    remittances,
    scheme_accounts,
    treasury_rules,
)


@dataclass(frozen=True, slots=True)
class RemittanceRow:
    """A batch that pays one payee."""

    batch_id: UUID
    payee_id: UUID
    state: int
    amount_fen: int
    set_off_fen: int
    document_digest: bytes
    receipt_digest: bytes | None
    opened_at: int
    closed_at: int | None
    tx_hash: str


@dataclass(frozen=True, slots=True)
class RemittanceLineRow:
    """One line of a batch."""

    batch_id: UUID
    position: int
    scheme_id: UUID
    claimant_id: UUID
    amount_fen: int
    parting: dict[str, int] | None = None


@dataclass(frozen=True, slots=True)
class TreasuryRuleRow:
    """Which part of its public institutions' income a city's treasury is paid, from then on."""

    city_code: int
    rule_no: int
    treasury_ppm: int
    treasury_id: UUID
    decision_digest: bytes
    in_force_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class Payable:
    """Whole fen that a claimant is owed in a scheme, and who gets them."""

    payee_id: UUID
    scheme_id: UUID
    claimant_id: UUID
    amount_fen: int


def remittance(connection: Connection, batch_id: UUID) -> RemittanceRow:
    """Return one batch.

    Raises:
        NotFoundError: it is unknown.
    """
    query = select(remittances).where(remittances.c.batch_id == batch_id)
    return one(connection, query, RemittanceRow, "remittance", batch_id)


def remittances_list(
    connection: Connection, *, payee_id: UUID | None = None, state: int | None = None
) -> list[RemittanceRow]:
    """Return batches in the order in which they were opened."""
    query = select(remittances)
    if payee_id is not None:
        query = query.where(remittances.c.payee_id == payee_id)
    if state is not None:
        query = query.where(remittances.c.state == state)
    ordered = query.order_by(remittances.c.opened_at, remittances.c.batch_id)
    return records(connection, ordered, RemittanceRow)


def remittance_lines_of(connection: Connection, batch_id: UUID) -> list[RemittanceLineRow]:
    """Return the lines of a batch in their order."""
    query = select(remittance_lines).where(remittance_lines.c.batch_id == batch_id)
    return records(connection, query.order_by(remittance_lines.c.position), RemittanceLineRow)


def payables(connection: Connection, *, scheme_id: UUID | None = None) -> dict[UUID, list[Payable]]:
    """Return what is owed in whole fen, by payee; claimants who are owed nothing are left out.

    Raises:
        PayeeUnknownError: a city has no treasury to receive its income.
    """
    query = select(scheme_accounts)
    if scheme_id is not None:
        query = query.where(scheme_accounts.c.scheme_id == scheme_id)
    ordered = query.order_by(scheme_accounts.c.scheme_id, scheme_accounts.c.claimant_id)
    found: defaultdict[UUID, list[Payable]] = defaultdict(list)
    for account in records(connection, ordered, AccountRow):
        if account.payable_fen > 0:
            payees = payees_of(connection, account.claimant_id)
            for payee_id, amount_fen in payable_of(connection, account, payees):
                found[payee_id].append(
                    Payable(payee_id, account.scheme_id, account.claimant_id, amount_fen)
                )
    return dict(sorted(found.items()))


def payee_of_claimant(connection: Connection, claimant_id: UUID) -> UUID:
    """Return who is paid for a claimant; of two the treasury.

    Raises:
        NotFoundError: the claimant is neither a dataset nor an organisation.
        PayeeUnknownError: the city has no treasury.
    """
    return payees_of(connection, claimant_id).payee_id


def payable_of(
    connection: Connection, account: AccountRow, payees: Payees
) -> tuple[tuple[UUID, int], ...]:
    """Return who is owed how many whole fen of an account; who is owed nothing is left out."""
    remitted_fen = account.remitted_micro_fen // MICRO_FEN_PER_FEN
    due_fen = account.entitled_micro_fen // MICRO_FEN_PER_FEN
    key = account.scheme_id, account.claimant_id
    own, treasury = payable_fen(connection, *key, payees, due_fen, remitted_fen)
    owed = ((payees.earner_id, own), (payees.treasury_id, treasury))
    return tuple((who, amount) for who, amount in owed if who is not None and amount > 0)


def treasury_rules_list(connection: Connection) -> list[TreasuryRuleRow]:
    """Return the rules of all cities, each city's in their order."""
    query = select(treasury_rules).order_by(treasury_rules.c.city_code, treasury_rules.c.rule_no)
    return records(connection, query, TreasuryRuleRow)
