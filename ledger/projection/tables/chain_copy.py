"""What the chain said: blocks with events, the events themselves, and how far we have read."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Table, UniqueConstraint

from ledger.projection.tables.base import METADATA, integer, text_of
from ledger.projection.types import Json

blocks = Table(
    "blocks",
    METADATA,
    integer("block_number", primary_key=True, autoincrement=False),
    text_of("block_hash", 66, unique=True),
    integer("block_time"),
)
"""Blocks that carry events, and the last block of each range that was read."""

events = Table(
    "events",
    METADATA,
    text_of("block_hash", 66, primary_key=True),
    integer("log_index", primary_key=True, autoincrement=False),
    Column(
        "block_number",
        ForeignKey("blocks.block_number", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    integer("block_time"),
    text_of("tx_hash", 66, index=True),
    text_of("contract", 32),
    integer("event_no"),
    text_of("name", 48),
    Column("args", Json, nullable=False),
    UniqueConstraint("contract", "event_no"),
)

cursor = Table(
    "cursor",
    METADATA,
    integer("cursor_id", primary_key=True, autoincrement=False),
    integer("block_number"),
    text_of("block_hash", 66),
    CheckConstraint("cursor_id = 1", name="one_row"),
)
