"""Alembic's entry. Runs on the connection, and in the transaction, that ``upgrade`` opened."""

from alembic import context

import storage.insight_tables  # noqa: F401  (its tables belong to the same metadata)
from storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
