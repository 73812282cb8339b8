"""Applications, negotiations, the team limit of licences.

Projections follow from the chain, so they are made anew: the copy of the chain is emptied, and the
indexer reads it again.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

from ledger.projection.migrations.anew import columns_of, make_anew

revision = "0005_dealings"
down_revision = "0004_registration"


def upgrade() -> None:
    """Make the projections anew where they have their former shape."""
    connection = op.get_bind()
    present = set(inspect(connection).get_table_names())
    columns = columns_of(connection, "licences")
    if "team_max" in columns and "threads" in present:
        return
    make_anew(connection)


def downgrade() -> None:
    """Keep the tables: the shape before has no place for what they hold."""
