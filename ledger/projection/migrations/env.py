"""Alembic's entry: migrations run on the connection that the caller hands over."""

from __future__ import annotations

from alembic import context

from ledger.projection.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
