"""Splits and what became of them: entries, pours, reductions, what payees owe back."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, select

from ledger.domain.money import Tier
from ledger.projection.errors import NotFoundError
from ledger.projection.queries.base import records, total_of
from ledger.projection.tables import (
    fill_lines,
    fills,
    receivables,
    reductions,
    remittances,
    split_lines,
    splits,
)


@dataclass(frozen=True, slots=True)
class SplitLineRow:
    """One line of a split; `tier` per `domain.money.Tier`; tax and reserve have no claimant."""

    tier: int
    position: int
    claimant_id: UUID | None
    amount_micro_fen: int


@dataclass(frozen=True, slots=True)
class SplitRow:
    """A recorded split, or the equal and opposite entries of one."""

    invoice_id: UUID
    entry_no: int
    event_no: int
    scheme_id: UUID
    release_no: int
    is_correction: bool
    net_fen: int
    vat_fen: int
    forgone_micro_fen: int
    basis: dict[str, Any]
    recorded_at: int
    tx_hash: str

    @property
    def sign(self) -> int:
        """1, or -1 where the lines are the opposite of what they say."""
        return -1 if self.is_correction else 1


@dataclass(frozen=True, slots=True)
class SplitDetail:
    """A split with its lines; they sum to the net income exactly."""

    split: SplitRow
    lines: tuple[SplitLineRow, ...]

    @property
    def is_outcome(self) -> bool:
        """Whether it shares what a derived product earned; such a split is corrected in part."""
        return all(line.tier == Tier.OUTCOME for line in self.lines)


@dataclass(frozen=True, slots=True)
class FillRow:
    """What no product earned, poured into a scheme."""

    scheme_id: UUID
    is_carry_in: bool
    event_no: int
    cycle_id: UUID
    amount_micro_fen: int
    forgone_micro_fen: int
    basis: dict[str, Any]
    recorded_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class FillDetail:
    """A pour with its lines."""

    fill: FillRow
    lines: tuple[SplitLineRow, ...]


@dataclass(frozen=True, slots=True)
class ReductionRow:
    """A credit note, or a refund when it has a bank's receipt."""

    invoice_id: UUID
    reduction_no: int
    amount_fen: int
    receipt_digest: bytes | None
    document_digest: bytes
    recorded_at: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class ReceivableRow:
    """What a payee owes back for a claimant since a correction."""

    invoice_id: UUID
    scheme_id: UUID
    payee_id: UUID
    claimant_id: UUID
    amount_fen: int
    recorded_at: int


def split_of(connection: Connection, invoice_id: UUID) -> SplitDetail:
    """Return the split of an invoice that holds now, its lines by tier and position.

    Raises:
        NotFoundError: it is not split, was for nothing, or its split was taken back.
    """
    entries = entries_of(connection, invoice_id)
    if entries and entries[0].is_outcome:
        left = _left_of(entries)
        if left.split.net_fen:
            return left
    elif entries and not entries[-1].split.is_correction:
        return entries[-1]
    raise NotFoundError("no such split", field="invoice_id", got=str(invoice_id))


def entries_of(connection: Connection, invoice_id: UUID) -> list[SplitDetail]:
    """Return the splits of an invoice and their corrections, in their order."""
    query = select(splits).where(splits.c.invoice_id == invoice_id).order_by(splits.c.entry_no)
    return [_detail(connection, row) for row in records(connection, query, SplitRow)]


def splits_of(connection: Connection, scheme_id: UUID) -> list[SplitDetail]:
    """Return the splits of a scheme and their corrections, in their order."""
    query = select(splits).where(splits.c.scheme_id == scheme_id).order_by(splits.c.event_no)
    lines: defaultdict[tuple[UUID, int], list[SplitLineRow]] = defaultdict(list)
    for invoice_id, entry_no, *line in connection.execute(_lines_of(scheme_id)):
        lines[invoice_id, entry_no].append(SplitLineRow(*line))
    return [
        SplitDetail(row, tuple(lines[row.invoice_id, row.entry_no]))
        for row in records(connection, query, SplitRow)
    ]


def fills_of(connection: Connection, scheme_id: UUID) -> list[FillDetail]:
    """Return what was poured into a scheme, in its order."""
    query = select(fills).where(fills.c.scheme_id == scheme_id).order_by(fills.c.event_no)
    return [
        FillDetail(row, tuple(_fill_lines(connection, row)))
        for row in records(connection, query, FillRow)
    ]


def reductions_of(connection: Connection, invoice_id: UUID) -> list[ReductionRow]:
    """Return the credit notes and refunds of an invoice in their order."""
    query = select(reductions).where(reductions.c.invoice_id == invoice_id)
    return records(connection, query.order_by(reductions.c.reduction_no), ReductionRow)


def receivables_list(connection: Connection) -> list[ReceivableRow]:
    """Return everything that corrections left payees to owe back, in its order."""
    own = and_(
        splits.c.invoice_id == receivables.c.invoice_id, splits.c.entry_no == receivables.c.entry_no
    )
    query = (
        select(
            receivables.c.invoice_id,
            splits.c.scheme_id,
            receivables.c.payee_id,
            receivables.c.claimant_id,
            receivables.c.amount_fen,
            splits.c.recorded_at,
        )
        .join(splits, own)
        .order_by(splits.c.event_no, receivables.c.position)
    )
    return records(connection, query, ReceivableRow)


def receivable_fen(connection: Connection, payee_id: UUID) -> int:
    """Return the whole fen that a payee owes back."""
    raised = select(receivables.c.amount_fen).where(receivables.c.payee_id == payee_id)
    set_off = select(remittances.c.set_off_fen).where(remittances.c.payee_id == payee_id)
    return total_of(connection, raised) - total_of(connection, set_off)


def debtors(connection: Connection) -> dict[UUID, int]:
    """Return every payee that owes whole fen back, with the amount."""
    ids = connection.execute(select(receivables.c.payee_id).distinct()).scalars()
    owed = {payee_id: receivable_fen(connection, payee_id) for payee_id in sorted(ids)}
    return {payee_id: amount for payee_id, amount in owed.items() if amount}


def _lines_of(scheme_id: UUID) -> Select[Any]:
    """Return the query of all lines of a scheme, each after invoice and entry."""
    wanted = ("invoice_id", "entry_no", *SplitLineRow.__dataclass_fields__)
    own = and_(
        splits.c.invoice_id == split_lines.c.invoice_id, splits.c.entry_no == split_lines.c.entry_no
    )
    return (
        select(*(split_lines.c[name] for name in wanted))
        .join(splits, own)
        .where(splits.c.scheme_id == scheme_id)
        .order_by(split_lines.c.tier, split_lines.c.position)
    )


def _detail(connection: Connection, row: SplitRow) -> SplitDetail:
    columns = [split_lines.c[name] for name in SplitLineRow.__dataclass_fields__]
    query = (
        select(*columns)
        .where(split_lines.c.invoice_id == row.invoice_id, split_lines.c.entry_no == row.entry_no)
        .order_by(split_lines.c.tier, split_lines.c.position)
    )
    return SplitDetail(row, tuple(records(connection, query, SplitLineRow)))


def _left_of(entries: list[SplitDetail]) -> SplitDetail:
    """Return what corrections in part left of a shared outcome."""
    first = entries[0]
    net_fen = sum(item.split.sign * item.split.net_fen for item in entries)
    vat_fen = sum(item.split.sign * item.split.vat_fen for item in entries)
    lines = []
    for line in first.lines:
        own = [
            item.split.sign * other.amount_micro_fen
            for item in entries
            for other in item.lines
            if other.position == line.position
        ]
        lines.append(replace(line, amount_micro_fen=sum(own)))
    return SplitDetail(replace(first.split, net_fen=net_fen, vat_fen=vat_fen), tuple(lines))


def _fill_lines(connection: Connection, row: FillRow) -> list[SplitLineRow]:
    columns = [fill_lines.c[name] for name in SplitLineRow.__dataclass_fields__]
    query = (
        select(*columns)
        .where(fill_lines.c.scheme_id == row.scheme_id, fill_lines.c.is_carry_in == row.is_carry_in)
        .order_by(fill_lines.c.tier, fill_lines.c.position)
    )
    return records(connection, query, SplitLineRow)
