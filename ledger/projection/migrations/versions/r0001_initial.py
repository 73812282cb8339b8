"""The tables as they were first."""

from __future__ import annotations

from alembic import op

from ledger.projection.tables import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    METADATA.create_all(op.get_bind())


def downgrade() -> None:
    """Drop every table."""
    METADATA.drop_all(op.get_bind())
