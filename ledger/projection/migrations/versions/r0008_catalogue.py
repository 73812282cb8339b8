"""The catalogue: entries to search, their index, and what was harvested from others."""

from __future__ import annotations

from alembic import op

from ledger.projection.tables import CATALOGUE, METADATA
from ledger.projection.tables.catalogue import harvested_datasets, harvests
from ledger.projection.text_index import create_index, drop_index

revision = "0008_catalogue"
down_revision = "0007_objections"

_TABLES = [*CATALOGUE, harvests, harvested_datasets]


def upgrade() -> None:
    """Make the tables, where they were not made with the others, and the index."""
    METADATA.create_all(op.get_bind(), tables=_TABLES)
    create_index(op.get_bind())


def downgrade() -> None:
    """Drop them; harvested records are lost."""
    drop_index(op.get_bind())
    METADATA.drop_all(op.get_bind(), tables=_TABLES)
