"""Working days, registration with its clocks, opening policies, duties.

Projections follow from the chain, so they are made anew: the copy of the chain is emptied, and the
indexer reads it again.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

from ledger.projection.migrations.anew import make_anew

revision = "0004_registration"
down_revision = "0003_all_tiers"


def upgrade() -> None:
    """Make the projections anew where they have their former shape."""
    connection = op.get_bind()
    present = set(inspect(connection).get_table_names())
    if "working_days" in present:
        return
    make_anew(connection)


def downgrade() -> None:
    """Keep the tables: the shape before has no place for what they hold."""
