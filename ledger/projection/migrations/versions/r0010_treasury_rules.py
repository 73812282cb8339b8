"""Cities' rules on public institutions' income, and how accounts are parted by them.

Kinds of organisation say who is paid for them by a number instead of a flag, so the projections are
made anew: the copy of the chain is emptied, and the indexer reads it again.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect, text

from ledger.projection.tables import CHAIN_COPY, METADATA, PROJECTIONS

revision = "0010_treasury_rules"
down_revision = "0009_batches"


def upgrade() -> None:
    """Make the projections anew where they have their former shape."""
    connection = op.get_bind()
    columns = {column["name"] for column in inspect(connection).get_columns("kinds")}
    if "payee_rule" in columns:
        return
    present = set(inspect(connection).get_table_names())
    for table in reversed(PROJECTIONS):
        if table.name in present:
            connection.execute(text(f"DROP TABLE {table.name}"))
    METADATA.create_all(connection, tables=list(PROJECTIONS))
    for table in reversed(CHAIN_COPY):
        connection.execute(table.delete())


def downgrade() -> None:
    """Keep the tables: the shape before has no place for what they hold."""
