"""Cities' rules on public institutions' income, and how accounts are parted by them.

Kinds of organisation say who is paid for them by a number instead of a flag, so the projections are
made anew: the copy of the chain is emptied, and the indexer reads it again.
"""

from __future__ import annotations

from alembic import op

from ledger.projection.migrations.anew import columns_of, make_anew

revision = "0010_treasury_rules"
down_revision = "0009_batches"


def upgrade() -> None:
    """Make the projections anew where they have their former shape."""
    connection = op.get_bind()
    if "payee_rule" not in columns_of(connection, "kinds"):
        make_anew(connection)


def downgrade() -> None:
    """Keep the tables: the shape before has no place for what they hold."""
