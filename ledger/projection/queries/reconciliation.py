"""Sums of one scheme, made from its entries and not from the totals that are kept beside them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, and_, select

from ledger.domain.money import Tier
from ledger.domain.units import MICRO_FEN_PER_FEN
from ledger.projection.queries.base import total_of
from ledger.projection.queries.splits import fills_of
from ledger.projection.tables import (
    invoices,
    payments,
    receivables,
    remittance_lines,
    scheme_accounts,
    schemes,
    split_lines,
    splits,
)


@dataclass(frozen=True, slots=True)
class SchemeSums:
    """What a scheme took in and where it went."""

    gross_fen: int
    paid_fen: int
    income_micro_fen: int
    """Net income and what an earlier cycle brought."""
    tax_micro_fen: int
    entitled_micro_fen: int
    remitted_fen: int
    """What batches paid, less what corrections took back from what was paid."""
    reserve_micro_fen: int


def scheme_sums(connection: Connection, scheme_id: UUID) -> SchemeSums:
    """Return the sums of a scheme; amounts taken back are subtracted."""
    own = invoices.c.scheme_id == scheme_id
    paid = select(payments.c.amount_fen).join(
        invoices, invoices.c.invoice_id == payments.c.invoice_id
    )
    net = select(splits.c.net_fen).where(splits.c.scheme_id == scheme_id)
    carried = [detail for detail in fills_of(connection, scheme_id) if detail.fill.is_carry_in]
    income = _signed(connection, net) * MICRO_FEN_PER_FEN
    tax = (
        select(split_lines.c.amount_micro_fen)
        .join(
            splits,
            and_(
                splits.c.invoice_id == split_lines.c.invoice_id,
                splits.c.entry_no == split_lines.c.entry_no,
            ),
        )
        .where(splits.c.scheme_id == scheme_id, split_lines.c.tier == int(Tier.TAX))
    )
    entitled = scheme_accounts.c.entitled_micro_fen
    sent = total_of(
        connection,
        select(remittance_lines.c.amount_fen).where(remittance_lines.c.scheme_id == scheme_id),
    )
    owed_back = select(receivables.c.amount_fen).join(
        invoices, invoices.c.invoice_id == receivables.c.invoice_id
    )
    reserve = schemes.c.reserve_micro_fen
    return SchemeSums(
        gross_fen=total_of(connection, select(invoices.c.gross_fen).where(own)),
        paid_fen=total_of(connection, paid.where(own)),
        income_micro_fen=income + sum(detail.fill.amount_micro_fen for detail in carried),
        tax_micro_fen=_signed(connection, tax),
        entitled_micro_fen=total_of(
            connection, select(entitled).where(scheme_accounts.c.scheme_id == scheme_id)
        ),
        remitted_fen=sent - total_of(connection, owed_back.where(own)),
        reserve_micro_fen=total_of(
            connection, select(reserve).where(schemes.c.scheme_id == scheme_id)
        ),
    )


def _signed(connection: Connection, query: object) -> int:
    """Return the sum of the entries, those that take back subtracted."""
    posted = query.where(splits.c.is_correction.is_(False))  # type: ignore[attr-defined]
    taken_back = query.where(splits.c.is_correction.is_(True))  # type: ignore[attr-defined]
    return total_of(connection, posted) - total_of(connection, taken_back)


def invoice_ids_of(connection: Connection, scheme_id: UUID) -> list[UUID]:
    """Return the invoices of a scheme."""
    query = select(invoices.c.invoice_id).where(invoices.c.scheme_id == scheme_id)
    return list(connection.execute(query.order_by(invoices.c.invoice_id)).scalars())
