"""Members of organisations, what their accounts may use, and who signed what.

Projections follow from the chain, so they are made anew; keys of the API gain their signer.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from ledger.projection.migrations.anew import make_anew
from ledger.projection.tables import DURABLE, METADATA, PROJECTIONS

revision = "0006_members"
down_revision = "0005_dealings"


def upgrade() -> None:
    """Add the tables and columns, where they were not made with them."""
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    METADATA.create_all(connection, tables=list(DURABLE))
    if "signer" not in {column["name"] for column in inspector.get_columns("api_keys")}:
        op.add_column("api_keys", sa.Column("signer", sa.String(42), nullable=True))
    if "roles" in {column["name"] for column in inspector.get_columns("signers")}:
        METADATA.create_all(connection, tables=list(PROJECTIONS))
        return
    make_anew(connection)


def downgrade() -> None:
    """Keep the tables: the shape before has no place for what they hold."""
