"""Sums over the whole market and over one organisation. Sums are made in Python integers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Column, Connection, and_, func, select

from ledger.projection.chain_copy import position_of
from ledger.projection.queries.base import records, total_of
from ledger.projection.queries.money import InvoiceRow, invoices_list
from ledger.projection.queries.remittances import RemittanceRow, remittances_list
from ledger.projection.queries.sales import LicenceRow, licences_list
from ledger.projection.queries.schemes import AccountRow
from ledger.projection.tables import (
    anchors,
    dataset_versions,
    datasets,
    events,
    invoices,
    licences,
    logs,
    organisations,
    payments,
    products,
    remittances,
    scheme_accounts,
    schemes,
    split_lines,
    splits,
)


@dataclass(frozen=True, slots=True)
class MarketTotals:
    """The market at one block; receipts are those that are anchored."""

    block_number: int
    event_count: int
    organisation_count: int
    dataset_count: int
    version_count: int
    product_count: int
    licence_count: int
    log_count: int
    anchor_count: int
    receipt_count: int
    invoice_count: int
    invoiced_fen: int
    paid_fen: int
    net_fen: int
    vat_fen: int
    tax_micro_fen: int
    entitled_micro_fen: int
    reserve_micro_fen: int
    remitted_fen: int


@dataclass(frozen=True, slots=True)
class SupplyLine:
    """What one claimant was credited for one invoice."""

    invoice_id: UUID
    scheme_id: UUID
    product_id: UUID
    buyer_id: UUID
    period_id: int
    release_no: int
    claimant_id: UUID
    amount_micro_fen: int
    is_correction: bool
    """Whether the credit is taken back by this line."""


@dataclass(frozen=True, slots=True)
class Statement:
    """Everything about money that concerns one organisation.

    Attributes:
        accounts: accounts of the organisation itself and of its datasets.
        supplied: credits to those accounts, in the order of release.
        bought: invoices to the organisation.
        licences: licences that it holds.
        received: remittance batches that pay it.
    """

    organisation_id: UUID
    accounts: tuple[AccountRow, ...]
    supplied: tuple[SupplyLine, ...]
    bought: tuple[InvoiceRow, ...]
    licences: tuple[LicenceRow, ...]
    received: tuple[RemittanceRow, ...]


def market_totals(connection: Connection) -> MarketTotals:
    """Return the totals of the market as far as it is indexed."""
    position = position_of(connection)
    return MarketTotals(
        block_number=-1 if position is None else position.number,
        event_count=_count(connection, events),
        organisation_count=_count(connection, organisations),
        dataset_count=_count(connection, datasets),
        version_count=_count(connection, dataset_versions),
        product_count=_count(connection, products),
        licence_count=_count(connection, licences),
        log_count=_count(connection, logs),
        anchor_count=_count(connection, anchors),
        receipt_count=total_of(connection, select(logs.c.size)),
        invoice_count=_count(connection, invoices),
        invoiced_fen=total_of(connection, select(invoices.c.gross_fen)),
        paid_fen=total_of(connection, select(payments.c.amount_fen)),
        net_fen=_after_corrections(connection, splits.c.net_fen),
        vat_fen=_after_corrections(connection, splits.c.vat_fen),
        tax_micro_fen=total_of(connection, select(schemes.c.tax_taken_micro_fen)),
        entitled_micro_fen=total_of(connection, select(scheme_accounts.c.entitled_micro_fen)),
        reserve_micro_fen=total_of(connection, select(schemes.c.reserve_micro_fen)),
        remitted_fen=total_of(connection, select(remittances.c.amount_fen)),
    )


def latest_row_count(connection: Connection) -> int:
    """Return the rows of the latest versions of all datasets."""
    query = select(dataset_versions.c.row_count).join(
        datasets,
        and_(
            datasets.c.dataset_id == dataset_versions.c.dataset_id,
            datasets.c.latest_version_no == dataset_versions.c.version_no,
        ),
    )
    return total_of(connection, query)


def billed_unit_count(connection: Connection) -> int:
    """Return the units on all invoices, those of free use too."""
    ends, begins = (select(column) for column in (invoices.c.to_units, invoices.c.from_units))
    return total_of(connection, ends) - total_of(connection, begins)


def statement(connection: Connection, organisation_id: UUID) -> Statement:
    """Return what an organisation supplied, bought and received."""
    own = select(datasets.c.dataset_id).where(datasets.c.provider_id == organisation_id)
    claimants = [organisation_id, *connection.execute(own).scalars()]
    accounts = select(scheme_accounts).where(scheme_accounts.c.claimant_id.in_(claimants))
    ordered = accounts.order_by(scheme_accounts.c.scheme_id, scheme_accounts.c.claimant_id)
    return Statement(
        organisation_id=organisation_id,
        accounts=tuple(records(connection, ordered, AccountRow)),
        supplied=tuple(_supplied(connection, claimants)),
        bought=invoices_list(connection, buyer_id=organisation_id, limit=500).items,
        licences=licences_list(connection, buyer_id=organisation_id, limit=500).items,
        received=tuple(remittances_list(connection, payee_id=organisation_id)),
    )


def _supplied(connection: Connection, claimants: list[UUID]) -> list[SupplyLine]:
    query = (
        select(
            invoices.c.invoice_id,
            invoices.c.scheme_id,
            invoices.c.product_id,
            invoices.c.buyer_id,
            invoices.c.period_id,
            invoices.c.release_no,
            split_lines.c.claimant_id,
            split_lines.c.amount_micro_fen,
            splits.c.is_correction,
        )
        .join(invoices, invoices.c.invoice_id == split_lines.c.invoice_id)
        .join(
            splits,
            and_(
                splits.c.invoice_id == split_lines.c.invoice_id,
                splits.c.entry_no == split_lines.c.entry_no,
            ),
        )
        .where(split_lines.c.claimant_id.in_(claimants))
        .order_by(invoices.c.scheme_id, splits.c.event_no, split_lines.c.tier)
        .order_by(split_lines.c.position)
    )
    return records(connection, query, SupplyLine)


def _after_corrections(connection: Connection, column: Column[int]) -> int:
    """Return the sum of a column of the splits, those that were taken back subtracted."""
    posted = total_of(connection, select(column).where(splits.c.is_correction.is_(False)))
    return posted - total_of(connection, select(column).where(splits.c.is_correction.is_(True)))


def _count(connection: Connection, table: object) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]
