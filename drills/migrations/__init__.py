"""The history of the tables, applied by `drills.store.Store.migrate`.

A change of the tables is a new file in `versions/`: copy the last one, give it the next number,
name the one before it in `down_revision`, and describe the same change in `drills.tables`.
Released files never change, and events are never rewritten.
"""

from pathlib import Path

import sqlalchemy as sa


def upgrade(connection: sa.Connection) -> None:
    """Bring the tables up to the newest version, within the transaction of `connection`.

    Raises:
        alembic.util.CommandError: the database is newer than this program.
    """
    from alembic import command  # only needed at start, and slow to load
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    command.upgrade(config, "head")
