"""Which entries of the catalogue have a value of a facet; orders by title under indexes.

The catalogue follows from other tables, so it is emptied, and the next search fills it again.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

from ledger.projection.tables import CATALOGUE, METADATA
from ledger.projection.text_index import create_index, drop_index

revision = "0012_catalogue_values"
down_revision = "0011_derived"


def upgrade() -> None:
    """Make the catalogue's tables anew where they have their former shape."""
    connection = op.get_bind()
    if "catalogue_values" in inspect(connection).get_table_names():
        return
    drop_index(connection)
    METADATA.drop_all(connection, tables=list(CATALOGUE))
    METADATA.create_all(connection, tables=list(CATALOGUE))
    create_index(connection)


def downgrade() -> None:
    """Keep the tables: the revision before reads those of its own and passes over the others."""
