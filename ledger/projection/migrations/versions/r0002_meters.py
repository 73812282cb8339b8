"""API keys may be a meter's: bound to its number and to its log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_meters"
down_revision = "0001"

_COLUMNS = ("meter_no", "log_no")


def upgrade() -> None:
    """Add the columns, where the tables were not made with them."""
    known = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("api_keys")}
    for name in _COLUMNS:
        if name not in known:
            op.add_column("api_keys", sa.Column(name, sa.BigInteger, nullable=True))


def downgrade() -> None:
    """Drop the columns; meters' keys are worth nothing without them."""
    op.execute(sa.text("DELETE FROM api_keys WHERE meter_no IS NOT NULL"))
    with op.batch_alter_table("api_keys") as batch:
        for name in _COLUMNS:
            batch.drop_column(name)
