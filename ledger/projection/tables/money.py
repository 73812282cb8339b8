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
from ledger.projection.types import Json

schemes = Table(
    "schemes",
    METADATA,
    id_of("scheme_id", primary_key=True),
    id_of("operator_id", index=True),
    id_of("platform_id"),
    id_of("governance_id", nullable=True),
    id_of("cycle_id", index=True),
    code_of("city_code"),
    code_of("year"),
    Column("is_trial", Boolean, nullable=False),
    integer("bond_ppm"),
    integer("spread_ppm"),
    integer("surcharge_ppm"),
    integer("vat_ppm"),
    integer("providers_ppm"),
    integer("operator_ppm"),
    integer("platform_ppm"),
    integer("governance_ppm"),
    integer("hold_days"),
    uint64("cost_micro_fen"),
    uint64("profit_micro_fen"),
    uint64("tax_micro_fen"),
    uint64("tax_taken_micro_fen"),
    uint64("recovered_micro_fen"),
    uint64("benefit_micro_fen"),
    uint64("forgone_micro_fen"),
    uint64("reserve_micro_fen"),
    integer("release_count"),
    integer("split_count"),
    code_of("state"),
    code_of("version_no"),
    digest_of("decision_digest"),
    integer("approved_at"),
)
"""`benefit` is permitted profit used up, `forgone` its part that no quality earned."""

scheme_versions = Table(
    "scheme_versions",
    METADATA,
    id_of("scheme_id", primary_key=True),
    code_of("version_no", primary_key=True, autoincrement=False),
    integer("change_from"),
    integer("in_force_at", nullable=True),
    Column("terms", Json, nullable=False),
    Column("costs", Json, nullable=False),
)
"""Versions as they were approved; `in_force_at` is empty while one is only announced."""

cycles = Table(
    "cycles",
    METADATA,
    id_of("cycle_id", primary_key=True),
    id_of("operator_id"),
    code_of("city_code"),
    code_of("first_year"),
    code_of("year_count"),
    id_of("previous_id", nullable=True),
    Column("is_poured", Boolean, nullable=False),
    code_of("instalment_count"),
    uint64("carry_out_micro_fen"),
    digest_of("decision_digest", nullable=True),
    integer("closed_at", nullable=True),
)

year_closes = Table(
    "year_closes",
    METADATA,
    id_of("scheme_id", primary_key=True),
    uint64("income_micro_fen"),
    uint64("permitted_micro_fen"),
    integer("deviation_ppm"),
    code_of("outcome"),
    digest_of("document_digest"),
    integer("closed_at"),
    digest_of("response_digest", nullable=True),
    integer("answered_at", nullable=True),
)
"""A year's deviation is a task of its price authority until `response_digest` is there."""

scheme_accounts = Table(
    "scheme_accounts",
    METADATA,
    id_of("scheme_id", primary_key=True),
    id_of("claimant_id", primary_key=True),
    uint64("cost_micro_fen"),
    uint64("recovered_micro_fen"),
    uint64("entitled_micro_fen"),
    uint64("remitted_micro_fen"),
    Column("is_pooled", Boolean, nullable=False),
)
"""`is_pooled`: the operator, the platform, or a claimant whose product was sold this year."""

account_parts = Table(
    "account_parts",
    METADATA,
    id_of("scheme_id", primary_key=True),
    id_of("claimant_id", primary_key=True),
    code_of("rule_no"),
    integer("treasury_ppm"),
    integer("own_fen"),
    integer("base_fen"),
    integer("base_own_fen"),
)
"""What an institution itself was paid of an account, since its city has a rule; see `Parting`."""

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
    Column("is_frozen", Boolean, nullable=False),
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

reductions = Table(
    "reductions",
    METADATA,
    id_of("invoice_id", primary_key=True),
    code_of("reduction_no", primary_key=True, autoincrement=False),
    integer("amount_fen"),
    digest_of("receipt_digest", nullable=True),
    digest_of("document_digest"),
    integer("recorded_at"),
    text_of("tx_hash", 66),
)
"""Credit notes and refunds; a receipt is there when money was paid back."""

splits = Table(
    "splits",
    METADATA,
    id_of("invoice_id", primary_key=True),
    code_of("entry_no", primary_key=True, autoincrement=False),
    integer("event_no"),
    id_of("scheme_id", index=True),
    integer("release_no"),
    Column("is_correction", Boolean, nullable=False),
    integer("net_fen"),
    integer("vat_fen"),
    uint64("forgone_micro_fen"),
    Column("basis", Json, nullable=False),
    integer("recorded_at"),
    text_of("tx_hash", 66),
)
"""Entries of an invoice in their order: a split, its correction, the split of what is left …
`basis` is what the lines were computed from, as `handlers.basis` has it."""

split_lines = Table(
    "split_lines",
    METADATA,
    id_of("invoice_id", primary_key=True),
    code_of("entry_no", primary_key=True, autoincrement=False),
    code_of("tier", primary_key=True, autoincrement=False),
    code_of("position", primary_key=True, autoincrement=False),
    id_of("claimant_id", nullable=True, index=True),
    uint64("amount_micro_fen"),
)
"""Tiers as in `ledger.domain.money.Tier`. Tax and reserve belong to the scheme, to no claimant. The
lines of a correction are the opposite entries of what they say."""

fills = Table(
    "fills",
    METADATA,
    id_of("scheme_id", primary_key=True),
    Column("is_carry_in", Boolean, primary_key=True),
    integer("event_no"),
    id_of("cycle_id"),
    uint64("amount_micro_fen"),
    uint64("forgone_micro_fen"),
    Column("basis", Json, nullable=False),
    integer("recorded_at"),
    text_of("tx_hash", 66),
)
"""What no product earned: an earlier cycle's excess poured in, or the cycle's own reserve."""

fill_lines = Table(
    "fill_lines",
    METADATA,
    id_of("scheme_id", primary_key=True),
    Column("is_carry_in", Boolean, primary_key=True),
    code_of("tier", primary_key=True, autoincrement=False),
    code_of("position", primary_key=True, autoincrement=False),
    id_of("claimant_id", nullable=True, index=True),
    uint64("amount_micro_fen"),
)

receivables = Table(
    "receivables",
    METADATA,
    id_of("invoice_id", primary_key=True),
    code_of("entry_no", primary_key=True, autoincrement=False),
    code_of("position", primary_key=True, autoincrement=False),
    id_of("payee_id", index=True),
    id_of("claimant_id"),
    integer("amount_fen"),
)
"""What a payee owes back since a correction; batches set it off (`remittances.set_off_fen`)."""

remittances = Table(
    "remittances",
    METADATA,
    id_of("batch_id", primary_key=True),
    id_of("payee_id", index=True),
    code_of("state"),
    integer("amount_fen"),
    integer("set_off_fen"),
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
    Column("parting", Json, nullable=True),
)
"""`parting` is there where a city's rule parted the account: as it stood before the line."""
