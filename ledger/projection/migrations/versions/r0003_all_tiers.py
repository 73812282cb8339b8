"""All tiers of a split, corrections, versions of schemes, the close of years and cycles.

Projections follow from the chain, so they are made anew: the copy of the chain is emptied, and the
indexer reads it again.
"""

from __future__ import annotations

from alembic import op

from ledger.projection.migrations.anew import columns_of, make_anew

revision = "0003_all_tiers"
down_revision = "0002_meters"


def upgrade() -> None:
    """Make the projections anew where they have their first shape."""
    connection = op.get_bind()
    if "entry_no" not in columns_of(connection, "splits"):
        make_anew(connection)


def downgrade() -> None:
    """Keep the tables: the shape before has no place for what they hold."""
