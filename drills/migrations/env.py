"""What Alembic runs: the migrations, on the connection that `drills.migrations` hands over."""

from alembic import context

from drills.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # all or nothing, on SQLite too
)
with context.begin_transaction():
    context.run_migrations()
