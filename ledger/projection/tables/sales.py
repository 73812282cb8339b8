"""What is sold and used: products, tariffs, licences, and the anchored logs of use."""

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

products = Table(
    "products",
    METADATA,
    id_of("product_id", primary_key=True),
    id_of("operator_id", index=True),
    code_of("city_code", index=True),
    code_of("state"),
    code_of("modes"),
    integer("tariff_no"),
    Column("is_derived", Boolean, nullable=False),
    digest_of("metadata_digest"),
    digest_of("decision_digest", nullable=True),
    integer("listed_at"),
)

lineage = Table(
    "lineage",
    METADATA,
    id_of("product_id", primary_key=True),
    code_of("position", primary_key=True, autoincrement=False),
    id_of("claimant_id", index=True),
    code_of("kind"),
    integer("weight_ppm"),
)

sources = Table(
    "sources",
    METADATA,
    id_of("product_id", primary_key=True),
    code_of("position", primary_key=True, autoincrement=False),
    integer("licence_no", index=True),
    id_of("ancestor_id", index=True),
    integer("share_ppm"),
)
"""What a derived product was made from; its `lineage` is the ancestors with their flattened shares,
then the platform with its fee and the developer with the rest."""

caps = Table(
    "caps",
    METADATA,
    id_of("product_id", primary_key=True),
    id_of("authority_id"),
    Column("bands", Json, nullable=False),
    digest_of("decision_digest"),
    integer("approved_at"),
)
"""The approved caps now in force: bands of {up_to_units, price_micro_yuan}."""

tariffs = Table(
    "tariffs",
    METADATA,
    id_of("product_id", primary_key=True),
    integer("tariff_no", primary_key=True, autoincrement=False),
    code_of("basis"),
    uint64("free_quota_units"),
    integer("discount_ppm"),
    Column("bands", Json, nullable=False),
    integer("published_at"),
)

licences = Table(
    "licences",
    METADATA,
    integer("licence_no", primary_key=True, autoincrement=False),
    id_of("agreement_id", unique=True),
    id_of("product_id", index=True),
    id_of("operator_id"),
    id_of("buyer_id", index=True),
    integer("tariff_no"),
    code_of("purpose"),
    code_of("modes"),
    code_of("state"),
    uint64("valid_from"),
    uint64("valid_until"),
    uint64("quota_units"),
    integer("platform_liability_ppm"),
    integer("outcome_ppm"),
    code_of("team_max"),
    Column("is_accepted_by_use", Boolean, nullable=False),
    digest_of("terms_digest"),
    digest_of("agreed_terms_digest"),
    digest_of("agreement_digest"),
    digest_of("decision_digest", nullable=True),
    integer("granted_at"),
    text_of("tx_hash", 66),
)
"""`agreement_digest` is the EIP-712 digest of the agreement or of its latest supplement;
`agreed_terms_digest` stays the agreement's."""

supplements = Table(
    "supplements",
    METADATA,
    integer("licence_no", primary_key=True, autoincrement=False),
    code_of("supplement_no", primary_key=True, autoincrement=False),
    digest_of("previous_digest"),
    digest_of("agreement_digest"),
    digest_of("terms_digest"),
    uint64("valid_until"),
    uint64("quota_units"),
    integer("platform_liability_ppm"),
    integer("agreed_at"),
)

logs = Table(
    "logs",
    METADATA,
    integer("log_no", primary_key=True, autoincrement=False),
    id_of("keeper_id"),
    digest_of("origin_digest"),
    uint64("size"),
    digest_of("root"),
    uint64("time_ms"),
)
"""The logs with their last anchored head; size 0 and zero root before the first."""

anchors = Table(
    "anchors",
    METADATA,
    integer("log_no", primary_key=True, autoincrement=False),
    integer("anchor_no", primary_key=True, autoincrement=False),
    uint64("size"),
    digest_of("root"),
    uint64("time_ms"),
    integer("anchored_at"),
    text_of("tx_hash", 66),
)
