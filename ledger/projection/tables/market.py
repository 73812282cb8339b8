"""Who and what there is: organisations with signers and roles, datasets with versions."""

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

cities = Table("cities", METADATA, code_of("city_code", primary_key=True, autoincrement=False))

kinds = Table(
    "kinds",
    METADATA,
    code_of("kind", primary_key=True, autoincrement=False),
    integer("roles"),
    Column("is_institution", Boolean, nullable=False),
    code_of("payee_rule"),
)

working_days = Table(
    "working_days",
    METADATA,
    code_of("year", primary_key=True, autoincrement=False),
    Column("words", Json, nullable=False),
)
"""The two words of a year's table, as integers."""

notice_rules = Table(
    "notice_rules",
    METADATA,
    code_of("rule_no", primary_key=True, autoincrement=False),
    code_of("working_days"),
    Column("is_trial", Boolean, nullable=False),
    integer("set_at"),
)

treasury_rules = Table(
    "treasury_rules",
    METADATA,
    code_of("city_code", primary_key=True, autoincrement=False),
    code_of("rule_no", primary_key=True, autoincrement=False),
    integer("treasury_ppm"),
    id_of("treasury_id"),
    digest_of("decision_digest"),
    integer("in_force_at"),
    text_of("tx_hash", 66),
)
"""Which part of its public institutions' income a city's treasury is paid; the newest holds."""

organisations = Table(
    "organisations",
    METADATA,
    id_of("organisation_id", primary_key=True),
    code_of("kind"),
    code_of("status"),
    code_of("city_code", index=True),
    integer("joined_at"),
    digest_of("profile_digest"),
    digest_of("decision_digest", nullable=True),
    integer("joint_acts"),
)

signers = Table(
    "signers",
    METADATA,
    text_of("address", 42, primary_key=True),
    id_of("organisation_id", index=True),
    integer("roles"),
)

signer_terms = Table(
    "signer_terms",
    METADATA,
    text_of("address", 42, primary_key=True),
    integer("from_event_no", primary_key=True, autoincrement=False),
    id_of("organisation_id", index=True),
    integer("roles"),
    integer("from_block"),
    integer("from_at"),
    integer("until_block", nullable=True),
    integer("until_at", nullable=True),
)
"""What each account might use, and when: a change of its roles ends a term and begins the next."""

prepared_works = Table(
    "prepared_works",
    METADATA,
    id_of("organisation_id", primary_key=True),
    digest_of("work_digest", primary_key=True),
    text_of("address", 42),
    integer("prepared_at"),
    text_of("tx_hash", 66),
)

roles = Table(
    "roles",
    METADATA,
    id_of("organisation_id", primary_key=True),
    code_of("role", primary_key=True, autoincrement=False),
    code_of("city_code", primary_key=True, autoincrement=False),
)

affiliates = Table(
    "affiliates",
    METADATA,
    id_of("one_id", primary_key=True),
    id_of("other_id", primary_key=True, index=True),
    id_of("declared_by_id"),
    integer("declared_at"),
)
"""Pairs that are declared and not ended, the lower id first."""

datasets = Table(
    "datasets",
    METADATA,
    id_of("dataset_id", primary_key=True),
    id_of("provider_id", index=True),
    code_of("city_code", index=True),
    code_of("state"),
    code_of("open_class"),
    code_of("sensitivity"),
    code_of("update_frequency"),
    code_of("grade"),
    code_of("delivery_modes"),
    Column("contains_personal_information", Boolean, nullable=False),
    Column("is_shared_in", Boolean, nullable=False),
    Column("is_suspended", Boolean, nullable=False),
    digest_of("metadata_digest"),
    digest_of("masking_report_digest"),
    digest_of("source_consent_digest"),
    digest_of("quality_report_digest", nullable=True),
    digest_of("registration_code", nullable=True),
    integer("valid_until"),
    integer("latest_version_no"),
    integer("evidenced_at", index=True),
)

dataset_versions = Table(
    "dataset_versions",
    METADATA,
    id_of("dataset_id", primary_key=True),
    integer("version_no", primary_key=True, autoincrement=False),
    digest_of("sha256_digest", unique=True),
    digest_of("sm3_digest", index=True),
    digest_of("schema_digest"),
    uint64("row_count"),
    uint64("byte_size"),
    integer("registered_at"),
    text_of("tx_hash", 66),
)

version_parents = Table(
    "version_parents",
    METADATA,
    id_of("dataset_id", primary_key=True),
    integer("version_no", primary_key=True, autoincrement=False),
    code_of("position", primary_key=True, autoincrement=False),
    digest_of("parent_digest"),
    id_of("parent_dataset_id", index=True),
    integer("parent_version_no"),
)
