"""What can be searched: entries made of projections, documents and harvested records."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from ledger.projection.tables.base import (
    METADATA,
    code_of,
    digest_of,
    id_of,
    integer,
    text_of,
)
from ledger.projection.types import Json

# A database's own collation would sort, and so page, unlike another's.
_BYTEWISE = String(80).with_variant(String(80, collation="C"), "postgresql")

catalogue_entries = Table(
    "catalogue_entries",
    METADATA,
    Column("entry_no", Integer, primary_key=True, autoincrement=False),
    id_of("entry_id", unique=True),
    code_of("kind", index=True),
    integer("facets"),
    integer("price_micro_yuan", nullable=True),
    integer("issued_at"),
    Column("title_zh_key", _BYTEWISE, nullable=False),
    Column("title_en_key", _BYTEWISE, nullable=False),
    digest_of("record_digest"),
    integer("tariff_no"),
    Index("ix_catalogue_entries_newest", "issued_at", "entry_id"),
    Index("ix_catalogue_entries_title_zh", "title_zh_key", "entry_id"),
    Index("ix_catalogue_entries_title_en", "title_en_key", "entry_id"),
)
"""Narrow, because searches scan it. `record_digest` and `tariff_no` say what an entry was made of;
`price_micro_yuan` is the lowest price of a unit, 0 when free, null without a tariff in force."""

catalogue_texts = Table(
    "catalogue_texts",
    METADATA,
    Column("entry_no", Integer, primary_key=True, autoincrement=False),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("summary_zh", Text, nullable=False),
    Column("summary_en", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("source", Text, nullable=False),
)
"""What a list of results shows; `source` is empty but for harvested entries."""

catalogue_values = Table(
    "catalogue_values",
    METADATA,
    text_of("facet", 20, primary_key=True),
    integer("number", primary_key=True, autoincrement=False),
    Column("entries", LargeBinary, nullable=False),
)
"""Which entries have a value of a facet: a set of entry numbers, as `entry_sets` stores it."""

catalogue_position = Table(
    "catalogue_position",
    METADATA,
    code_of("position_id", primary_key=True, autoincrement=False),
    text_of("block_hash", 66),
)
"""The block up to which the entries follow the projections; one row."""

harvests = Table(
    "harvests",
    METADATA,
    text_of("source", 200, primary_key=True),
    Column("title", Text, nullable=False),
    digest_of("file_digest"),
    id_of("harvested_by"),
    integer("harvested_at"),
)
"""The catalogues of others that were read, each by its source; the last file of each."""

harvested_datasets = Table(
    "harvested_datasets",
    METADATA,
    id_of("entry_id", primary_key=True),
    text_of("source", 200, index=True),
    Column("uri", Text, nullable=False),
    digest_of("record_digest"),
    Column("record", Json, nullable=False),
    integer("harvested_at"),
)
"""What other catalogues say of their datasets. Nothing here can be sold: no chain knows it."""
