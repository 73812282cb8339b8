"""What comes before a licence: applications for conditional use, and negotiations."""

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

application_rules = Table(
    "application_rules",
    METADATA,
    id_of("dataset_id", primary_key=True),
    Column("is_required", Boolean, nullable=False),
    digest_of("decision_digest"),
    integer("decided_at"),
)
"""Whether a dataset needs an application, where its provider ever decided on it."""

applications = Table(
    "applications",
    METADATA,
    id_of("application_id", primary_key=True),
    id_of("dataset_id", index=True),
    id_of("applicant_id", index=True),
    code_of("purpose"),
    code_of("modes"),
    code_of("state"),
    uint64("valid_until"),
    digest_of("form_digest"),
    digest_of("decision_digest", nullable=True),
    integer("submitted_at"),
    integer("decided_at", nullable=True),
)

threads = Table(
    "threads",
    METADATA,
    id_of("thread_id", primary_key=True),
    id_of("product_id", index=True),
    id_of("operator_id"),
    id_of("buyer_id", index=True),
    code_of("state"),
    digest_of("last_digest"),
    uint64("deadline"),
    digest_of("acceptance_digest", nullable=True),
    digest_of("decision_digest", nullable=True),
    integer("licence_no", nullable=True),
    integer("opened_at"),
)
"""`last_digest` is the last offer's, or the agreement's once it was put forward."""

offers = Table(
    "offers",
    METADATA,
    id_of("thread_id", primary_key=True),
    code_of("offer_no", primary_key=True, autoincrement=False),
    code_of("state"),
    digest_of("previous_digest"),
    digest_of("offer_digest"),
    uint64("deadline"),
    integer("offered_at"),
    text_of("tx_hash", 66),
)
