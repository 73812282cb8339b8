"""Objections: the tables of the sixth contract.

The projections follow from the chain, so the copy of the chain is emptied where the tables are new,
and the indexer reads it again.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

from ledger.projection.tables import (
    CHAIN_COPY,
    METADATA,
    PROJECTIONS,
    objection_shares,
    objection_steps,
    objections,
)

revision = "0007_objections"
down_revision = "0006_members"

_TABLES = (objections, objection_steps, objection_shares)


def upgrade() -> None:
    """Make the tables where they are missing."""
    connection = op.get_bind()
    present = set(inspect(connection).get_table_names())
    if objections.name in present:
        return
    METADATA.create_all(connection, tables=list(_TABLES))
    for table in (*reversed(PROJECTIONS), *reversed(CHAIN_COPY)):
        if table.name in present:
            connection.execute(table.delete())


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(_TABLES):
        op.drop_table(table.name)
