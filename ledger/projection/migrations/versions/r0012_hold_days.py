"""The hold of a payment in working days, no longer in seconds.

The projections are made anew: the copy of the chain is emptied, and the indexer reads it again.
"""

from __future__ import annotations

from alembic import op

from ledger.projection.migrations.anew import columns_of, make_anew

revision = "0012_hold_days"
down_revision = "0011_derived"


def upgrade() -> None:
    """Make the projections anew where they have their former shape."""
    connection = op.get_bind()
    if "hold_days" not in columns_of(connection, "schemes"):
        make_anew(connection)


def downgrade() -> None:
    """Keep the tables: the shape before has no place for what they hold."""
