"""A transaction of the outbox may carry several commands, and so several signed calls.

Who signed what is read from the transactions again, so the table before is dropped.
"""

from __future__ import annotations

from alembic import op
from sqlalchemy import inspect

from ledger.projection.tables import outbox_members, signed_calls

revision = "0009_batches"
down_revision = "0008_catalogue"


def upgrade() -> None:
    """Add the tables, where they were not made with the others."""
    connection = op.get_bind()
    outbox_members.create(connection, checkfirst=True)
    columns = {column["name"] for column in inspect(connection).get_columns("signed_calls")}
    if "log_begin" not in columns:
        op.drop_table("signed_calls")
        signed_calls.create(connection)


def downgrade() -> None:
    """Drop the table; the transactions stay, and what they carried is no longer known."""
    outbox_members.drop(op.get_bind(), checkfirst=True)
