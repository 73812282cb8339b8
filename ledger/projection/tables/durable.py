"""What cannot be replayed: commands on their way to the chain, and keys of the API."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Table, UniqueConstraint

from ledger.projection.tables.base import METADATA, digest_of, id_of, integer, text_of
from ledger.projection.types import Blob

outbox = Table(
    "outbox",
    METADATA,
    id_of("intent_id", primary_key=True),
    text_of("scope", 80),
    text_of("idempotency_key", 255),
    digest_of("body_digest"),
    Column("answer", Blob, nullable=False),
    text_of("account", 42),
    integer("nonce"),
    Column("raw", Blob, nullable=False),
    text_of("tx_hash", 66, unique=True),
    text_of("state", 16, index=True),
    integer("block_number", nullable=True),
    text_of("block_hash", 66, nullable=True),
    integer("gas_used", nullable=True),
    Column("revert_data", Blob, nullable=True),
    integer("created_at_ms"),
    UniqueConstraint("scope", "idempotency_key"),
    UniqueConstraint("account", "nonce"),
)

outbox_members = Table(
    "outbox_members",
    METADATA,
    id_of("intent_id", primary_key=True),
    id_of("carrier_id"),
    integer("place"),
    text_of("scope", 80),
    text_of("idempotency_key", 255),
    digest_of("body_digest"),
    Column("answer", Blob, nullable=False),
    integer("turn"),
    integer("gas_used", nullable=True),
    Column("revert_data", Blob, nullable=True),
    UniqueConstraint("scope", "idempotency_key"),
    UniqueConstraint("carrier_id", "place"),
)
"""Commands that one transaction of the outbox, the carrier, takes along; `revert_data` is null for
those that succeeded. What the two columns say holds while the carrier is mined."""

api_keys = Table(
    "api_keys",
    METADATA,
    digest_of("key_digest", primary_key=True),
    id_of("organisation_id", index=True),
    integer("licence_no", nullable=True),
    text_of("scope", 64),
    integer("created_at"),
    integer("revoked_at", nullable=True),
    integer("meter_no", nullable=True),
    integer("log_no", nullable=True),
    text_of("signer", 42, nullable=True),
)
"""API keys by digest only; `licence_no` is null for keys that are bound to no licence, `meter_no`
and `log_no` for all but meters' keys, `signer` for keys that were issued before it was kept."""

members = Table(
    "members",
    METADATA,
    id_of("member_id", primary_key=True),
    id_of("organisation_id", index=True),
    text_of("state", 16),
    Column("sealed", Blob, nullable=True),
    Column("is_delegated", Boolean, nullable=False),
    integer("joined_at"),
    integer("left_at", nullable=True),
    integer("retain_until", nullable=True),
    integer("erased_at", nullable=True),
    text_of("erasure_reason", 64, nullable=True),
)
"""Natural persons who act for an organisation. `sealed` opens with a key that lies elsewhere."""

member_terms = Table(
    "member_terms",
    METADATA,
    id_of("member_id", primary_key=True),
    text_of("address", 42, primary_key=True),
    integer("from_at", primary_key=True, autoincrement=False),
    integer("until_at", nullable=True),
)
"""Which account a member had, from when until when."""

signed_calls = Table(
    "signed_calls",
    METADATA,
    text_of("tx_hash", 66, primary_key=True),
    integer("log_begin", primary_key=True, autoincrement=False),
    integer("log_end"),
    text_of("signer", 42, index=True),
    text_of("contract", 40),
    text_of("function", 80),
)
"""Who signed the calls of a transaction, read from its bytes: a hash never means another. The
events of a call are those from `log_begin` on, before `log_end`."""
