"""Alembic's way in: it runs this file, on the connection that `bot.store.upgrading` opened and locked."""

from alembic import context

from bot.store.migrations import VERSION_TABLE
from bot.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite alters a table by making it anew
    transactional_ddl=True,
)
context.run_migrations()
