"""What is owed and paid: schemes and accounts, invoices, payments, splits, remittances."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table

from ledger.projection.tables.base import (
    METADATA,
    code_of,
    digest_of,
    id_of,
    integer,
    text_of,
    uint64,
)

schemes = Table(
    "schemes",
    METADATA,
    id_of("scheme_id", primary_key=True),
    id_of("operator_id", index=True),
    code_of("city_code"),
    code_of("year"),
    integer("bond_ppm"),
    integer("spread_ppm"),
    integer("surcharge_ppm"),
    integer("vat_ppm"),
    integer("hold_seconds"),
    uint64("tax_micro_fen"),
    uint64("tax_taken_micro_fen"),
    uint64("reserve_micro_fen"),
    integer("release_count"),
    integer("split_count"),
    digest_of("decision_digest"),
    integer("approved_at"),
)

scheme_accounts = Table(
    "scheme_accounts",
    METADATA,
    id_of("scheme_id", primary_key=True),
    id_of("claimant_id", primary_key=True),
    uint64("cost_micro_fen"),
    uint64("recovered_micro_fen"),
    uint64("entitled_micro_fen"),
    uint64("remitted_micro_fen"),
)

invoices = Table(
    "invoices",
    METADATA,
    id_of("invoice_id", primary_key=True),
    id_of("scheme_id", index=True),
    id_of("product_id", index=True),
    id_of("buyer_id", index=True),
    integer("licence_no", index=True),
    code_of("period_id"),
    code_of("state", index=True),
    integer("log_no"),
    uint64("receipt_index"),
    uint64("from_units"),
    uint64("to_units"),
    integer("gross_fen"),
    integer("paid_fen"),
    uint64("held_until"),
    integer("release_no"),
    Column("is_accepted", Boolean, nullable=False),
    digest_of("document_digest"),
    integer("issued_at"),
    text_of("tx_hash", 66),
)

payments = Table(
    "payments",
    METADATA,
    id_of("invoice_id", primary_key=True),
    code_of("payment_no", primary_key=True, autoincrement=False),
    integer("amount_fen"),
    digest_of("receipt_digest", unique=True),
    integer("recorded_at"),
    text_of("tx_hash", 66),
)

splits = Table(
    "splits",
    METADATA,
    id_of("invoice_id", primary_key=True),
    id_of("scheme_id", index=True),
    integer("release_no"),
    integer("net_fen"),
    integer("vat_fen"),
    integer("recorded_at"),
    text_of("tx_hash", 66),
)

split_lines = Table(
    "split_lines",
    METADATA,
    id_of("invoice_id", primary_key=True),
    code_of("tier", primary_key=True, autoincrement=False),
    code_of("position", primary_key=True, autoincrement=False),
    id_of("claimant_id", nullable=True, index=True),
    uint64("amount_micro_fen"),
)
"""Tiers: 1 tax, 2 lineage cost, 5 reserve. Tax and reserve belong to the scheme, to no claimant."""

remittances = Table(
    "remittances",
    METADATA,
    id_of("batch_id", primary_key=True),
    id_of("payee_id", index=True),
    code_of("state"),
    integer("amount_fen"),
    digest_of("document_digest"),
    digest_of("receipt_digest", nullable=True),
    integer("opened_at"),
    integer("closed_at", nullable=True),
    text_of("tx_hash", 66),
)

remittance_lines = Table(
    "remittance_lines",
    METADATA,
    id_of("batch_id", primary_key=True),
    code_of("position", primary_key=True, autoincrement=False),
    id_of("scheme_id"),
    id_of("claimant_id", index=True),
    integer("amount_fen"),
)
