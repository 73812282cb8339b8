"""Registration, graded opening, responsibility lists and quality."""

from __future__ import annotations

from sqlalchemy import Column, Table

from ledger.projection.tables.base import METADATA, code_of, digest_of, id_of, integer, text_of
from ledger.projection.types import Json

procedures = Table(
    "procedures",
    METADATA,
    id_of("dataset_id", primary_key=True),
    code_of("procedure_no", primary_key=True, autoincrement=False),
    code_of("kind"),
    code_of("state"),
    integer("applied_at"),
    integer("since"),
    integer("ended_at", nullable=True),
    digest_of("application_digest"),
)

registration_steps = Table(
    "registration_steps",
    METADATA,
    id_of("dataset_id", primary_key=True),
    code_of("step_no", primary_key=True, autoincrement=False),
    code_of("kind"),
    code_of("from_state"),
    code_of("to_state"),
    id_of("actor_id"),
    digest_of("decision_digest"),
    integer("decided_at"),
    text_of("tx_hash", 66),
)

notice_objections = Table(
    "notice_objections",
    METADATA,
    id_of("objection_id", primary_key=True),
    id_of("dataset_id", index=True),
    code_of("procedure_no"),
    id_of("objector_id"),
    code_of("state"),
    digest_of("statement_digest"),
    digest_of("evidence_digest"),
    digest_of("decision_digest", nullable=True),
    integer("objected_at"),
    integer("decided_at", nullable=True),
)

version_maskings = Table(
    "version_maskings",
    METADATA,
    id_of("dataset_id", primary_key=True),
    integer("version_no", primary_key=True, autoincrement=False),
    digest_of("source_digest"),
    digest_of("report_digest"),
    integer("masked_at"),
)

opening_policies = Table(
    "opening_policies",
    METADATA,
    code_of("policy_no", primary_key=True, autoincrement=False),
    code_of("city_code", index=True),
    integer("effective_at"),
    Column("words", Json, nullable=False),
    digest_of("document_digest"),
    integer("published_at"),
    text_of("tx_hash", 66),
)
"""City zero is the whole region; `words` are the cells of both classes, as integers."""

opening_decisions = Table(
    "opening_decisions",
    METADATA,
    integer("licence_no", primary_key=True, autoincrement=False),
    code_of("tier"),
    Column("policy_nos", Json, nullable=False),
    integer("decided_at"),
)
"""The tier at which a licence opens data, and the table that said so by dataset of its lineage."""

inspections = Table(
    "inspections",
    METADATA,
    id_of("dataset_id", primary_key=True),
    code_of("inspection_no", primary_key=True, autoincrement=False),
    code_of("grade"),
    text_of("scores", 14),
    id_of("inspector_id"),
    digest_of("report_digest"),
    integer("inspected_at"),
)
"""Scores as 0x and two hex digits a dimension."""

rectifications = Table(
    "rectifications",
    METADATA,
    id_of("dataset_id", primary_key=True),
    code_of("opened_by", primary_key=True, autoincrement=False),
    integer("opened_at"),
    code_of("closed_by", nullable=True),
    integer("closed_at", nullable=True),
)
"""Tasks that an inspection with grade E opened, and the inspection that closed them."""

duty_lists = Table(
    "duty_lists",
    METADATA,
    code_of("city_code", primary_key=True, autoincrement=False),
    code_of("quarter_id", primary_key=True, autoincrement=False),
    integer("duty_count"),
    integer("overdue_count"),
    id_of("registrar_id"),
    digest_of("list_digest"),
    integer("anchored_at"),
    text_of("tx_hash", 66),
)
