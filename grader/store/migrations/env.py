"""What Alembic runs: every step in the one transaction that the caller has begun, so a failure leaves no trace."""

from __future__ import annotations

from alembic import context

from grader.store.model import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
