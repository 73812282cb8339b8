"""Objections: the cases, their steps, and who bears what."""

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

objections = Table(
    "objections",
    METADATA,
    id_of("objection_id", primary_key=True),
    id_of("objector_id", index=True),
    id_of("respondent_id", index=True),
    id_of("handler_id", nullable=True),
    code_of("subject_kind"),
    id_of("subject_id", index=True),
    code_of("ground", index=True),
    code_of("city_code", index=True),
    code_of("state", index=True),
    code_of("outcome"),
    Column("is_of_platform", Boolean, nullable=False),
    Column("is_holding", Boolean, nullable=False),
    Column("is_extended", Boolean, nullable=False),
    code_of("escalation_count"),
    integer("suspend_due_at"),
    integer("due_at"),
    integer("decide_due_at"),
    integer("refund_fen"),
    code_of("relief_route"),
    uint64("relief_limit_at"),
    digest_of("fact_digest"),
    digest_of("statement_digest"),
    Column("evidence_digests", Json, nullable=False),
    integer("opened_at"),
    integer("ended_at"),
)
"""Times are Unix seconds. What is not yet is 0: a time, an outcome, a route."""

objection_steps = Table(
    "objection_steps",
    METADATA,
    id_of("objection_id", primary_key=True),
    code_of("step_no", primary_key=True, autoincrement=False),
    text_of("kind", 16),
    code_of("from_state"),
    code_of("to_state"),
    id_of("actor_id"),
    integer("due_at"),
    integer("escalation_no"),
    digest_of("document_digest", nullable=True),
    integer("happened_at"),
    text_of("tx_hash", 66),
)
"""`due_at`: when the next step is due; `escalation_no` is 0 for other steps."""

objection_shares = Table(
    "objection_shares",
    METADATA,
    id_of("objection_id", primary_key=True),
    id_of("organisation_id", primary_key=True),
    integer("share_ppm"),
)
