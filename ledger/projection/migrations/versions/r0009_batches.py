"""A transaction of the outbox may carry several commands."""

from __future__ import annotations

from alembic import op

from ledger.projection.tables import outbox_members

revision = "0009_batches"
down_revision = "0008_catalogue"


def upgrade() -> None:
    """Add the table, where the tables were not made with it."""
    outbox_members.create(op.get_bind(), checkfirst=True)


def downgrade() -> None:
    """Drop the table; the transactions stay, and what they carried is no longer known."""
    outbox_members.drop(op.get_bind(), checkfirst=True)
