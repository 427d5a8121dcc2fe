"""The tables of the record, and how a database is opened.

The tables are made by `drills.migrations`; a test holds both against each other.
"""

import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPIConnection

from drills.errors import DrillsError

WRITES = "surprisal_writes"  # execution option: this transaction will write
WAIT_SECONDS = 10  # for a lock or a connection, before a write is given up

_HELP = "sqlite:///folder/record.sqlite3 or postgresql://user:password@host/database"
_PRAGMAS = (
    "PRAGMA synchronous = FULL",  # a commit returns when it is on disk
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what a learner deletes is overwritten
)


class UtcDateTime(sa.TypeDecorator[datetime]):
    """Moments with a time zone, which SQLite does not keep by itself."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn any moment into UTC.

        Raises:
            DrillsError: the moment has no time zone.
        """
        if value is not None and value.tzinfo is None:
            raise DrillsError("A moment needs a time zone. Pass datetime.now(UTC).")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the database gives into UTC; SQLite gives it without a time zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
metadata = sa.MetaData()

learners = sa.Table(
    "learners",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("created", UtcDateTime, nullable=False),
    # Set when this learner turned out to be another one, on another device. Its events stay as
    # they were written and are read as the other's.
    sa.Column("same_as", Id, sa.ForeignKey("learners.id", ondelete="CASCADE"), index=True),
    sqlite_autoincrement=True,  # the id of a deleted learner is never given to another
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column(
        "learner",
        Id,
        sa.ForeignKey("learners.id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    sa.Column("kind", sa.String(10), nullable=False),  # cookie or recovery
    sa.Column("hash", sa.String(64), nullable=False, unique=True),  # SHA-256, hexadecimal
    sa.Column("created", UtcDateTime, nullable=False),
    sa.Column("revoked", UtcDateTime),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("learner", Id, sa.ForeignKey("learners.id", ondelete="CASCADE"), nullable=False),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("item", sa.String(200), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),  # JSON, exactly as it was written
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("nonce", sa.String(100), nullable=False),
    sa.UniqueConstraint("learner", "nonce", name="events_learner_nonce"),
    sa.Index("events_learner_id", "learner", "id"),
    sa.Index("events_learner_kind_item", "learner", "kind", "item"),
    sqlite_autoincrement=True,
)


def open_engine(url: str) -> sa.Engine:
    """Return an engine for `url`; nothing is opened before its first use.

    A SQLite file's folder is made if need be.

    Raises:
        DrillsError: not the address of a SQLite file or a PostgreSQL database.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address)
    return sa.create_engine(
        address,
        pool_pre_ping=True,
        pool_timeout=WAIT_SECONDS,
        connect_args={"connect_timeout": WAIT_SECONDS},
    )


def sqlite_path(engine: sa.Engine) -> Path | None:
    """Return the file of a SQLite database, None for a server."""
    if engine.dialect.name != "sqlite":
        return None
    return Path(str(engine.url.database))


def _address(url: str) -> sa.URL:
    try:
        address = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise DrillsError(f"The record needs the address of a database: {_HELP}.") from error
    if address.drivername in ("postgres", "postgresql"):
        return address.set(drivername="postgresql+psycopg")
    file = address.database not in (None, "", ":memory:")
    if address.drivername == "postgresql+psycopg" or (address.drivername == "sqlite" and file):
        return address
    raise DrillsError(
        f"The record is kept in a SQLite file or in PostgreSQL; "
        f"{address.render_as_string(hide_password=True)!r} is neither. Give {_HELP}."
    )


def _sqlite(address: sa.URL) -> sa.Engine:
    folder = Path(str(address.database)).absolute().parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DrillsError(
            f"The folder {folder} cannot be made ({error.strerror}). Name a folder that can be "
            f"written to."
        ) from error
    engine = sa.create_engine(address, pool_timeout=WAIT_SECONDS)
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin in `_begin`, also around DDL
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {1000 * WAIT_SECONDS}")
    _patiently(lambda: cursor.execute("PRAGMA journal_mode = WAL"))
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    """Begin; who will write takes the lock at once, or could fail halfway when others write."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _patiently(call: Callable[[], Any]) -> None:
    """Repeat while the file is locked: SQLite's own waiting does not cover the switch to WAL."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            call()
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.01)
