"""What Alembic runs: every step in the one transaction that the caller has opened."""

from __future__ import annotations

from alembic import context

from grader.store.model import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # The caller begins the transaction itself, on SQLite too, so a step that fails leaves nothing behind.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
