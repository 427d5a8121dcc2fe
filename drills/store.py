"""The learner's record: who a browser is, and what happened, append-only and on disk.

A write that returned is committed. Events are never changed, which the database itself enforces;
they go only when a learner deletes all of their data. A browser is known by a random token, of
which only a hash is stored.
"""

import json
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, cast, overload

import platformdirs
import sqlalchemy as sa

from drills import identity, migrations
from drills.errors import DrillsError, RecordUnavailableError
from drills.events import KINDS, Event, LearnerId, Payload, check_item, to_json
from drills.identity import is_token as is_token
from drills.identity import new_token as new_token
from drills.recent import Known, News, Recent
from drills.record import Record
from drills.tables import (
    WAIT_SECONDS,
    WRITES,
    UtcDateTime,
    events,
    learners,
    open_engine,
    sqlite_path,
)

MAX_NONCE = 100
_FIELDS: tuple[sa.ColumnElement[Any], ...] = (  # of an Event, in its order
    *(events.c.id, events.c.learner, events.c.kind, events.c.item),
    *(events.c.at, events.c.nonce, events.c.payload),
)
_MIGRATION_LOCK, _IDENTITY_LOCK = 7_364_001, 7_364_002  # PostgreSQL advisory locks

P = TypeVar("P", bound=Payload)


class NonceTakenError(DrillsError):
    """The nonce stands for another event, which `event` holds; nothing was recorded."""

    def __init__(self, event: Event[Payload]) -> None:
        super().__init__(
            "Something else was recorded here before, perhaps in another window. "
            "Reload the page to see it."
        )
        self.event = event


@dataclass(frozen=True)
class Redeemed:
    """What a recovery code gave."""

    learner: LearnerId  # who this browser is now
    brought: int  # how many events of this browser's earlier learner came along


class Entry(NamedTuple):
    """An event to be written with others."""

    item: str
    payload: Payload
    nonce: str
    at: datetime | None = None  # when it happened, if that was not now


def default_url() -> str:
    """Return the address of a SQLite file in the user's data folder."""
    file = platformdirs.user_data_path("surprisal", appauthor=False) / "record.sqlite3"
    return sa.URL.create("sqlite", database=str(file)).render_as_string(hide_password=False)


class Store:
    """The record in one database. Any number of threads and processes may share it.

    All methods raise RecordUnavailableError when the database does not answer; trying again with
    the same nonce is then safe.
    """

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        self._writer = self._engine.execution_options(**{WRITES: True})
        self._turn = threading.Lock()  # SQLite has one writer; in line, nobody starves
        self._recent = Recent(self._news)

    def migrate(self) -> None:
        """Make the tables or bring them up to date; several processes may do so at once.

        Raises:
            DrillsError: a newer version of Surprisal wrote this database.
        """
        from alembic.util import CommandError  # slow to load, and only needed here

        with self._writing(lock=_MIGRATION_LOCK) as connection:
            try:
                migrations.upgrade(connection)
            except CommandError as error:
                raise DrillsError(
                    f"This version of Surprisal cannot read the record, which a newer one wrote "
                    f"({error}). Update Surprisal; the record is unharmed."
                ) from error

    def reachable(self) -> bool:
        """Whether the database answers and has the tables."""
        file = sqlite_path(self._engine)
        if file is not None and not file.exists():
            return False
        try:
            with self._reading() as connection:
                connection.execute(sa.text("SELECT 1 FROM alembic_version")).all()
        except RecordUnavailableError:
            return False
        return True

    def learner(self, token: str, *, now: datetime) -> LearnerId | None:
        """Return who the browser with this token is, None if it never wrote anything."""
        if not is_token(token):
            return None
        with self._reading() as connection:
            return identity.holder(connection, token, kind="cookie", now=now)

    def ensure_learner(self, token: str, *, now: datetime) -> LearnerId:
        """Return who the browser with this token is; at its first write a learner is made.

        Raises:
            DrillsError: the token does not come from `new_token`.
        """
        known = self.learner(token, now=now)
        if known is not None:
            return known
        identity.check_token(token)
        with self._writing(lock=_IDENTITY_LOCK) as connection:
            return identity.holder(connection, token, kind="cookie", now=now) or identity.create(
                connection, token, now
            )

    def append(
        self,
        learner: LearnerId,
        item: str,
        payload: P,
        *,
        now: datetime,
        nonce: str | None = None,
    ) -> Event[P]:
        """Record that something happened; it is on disk when this returns.

        The same `nonce` (1 to 100 characters, chosen by the caller) is recorded once: a retry
        returns the event of the first call, with its time.

        Raises:
            LearnerGoneError: the learner's data were deleted.
            NonceTakenError: the nonce stands for an event with another content.
            DrillsError: the item, nonce or payload cannot be recorded.
        """
        values = _values(item, payload, now, nonce)
        with self._writing() as connection:
            values["learner"] = identity.lock(connection, learner)
            earlier = _with_nonce(connection, learner, nonce) if nonce else None
            if earlier is None:
                return _insert(connection, values)
        return _same(earlier, item, payload)

    def append_all(self, learner: LearnerId, entries: Sequence[Entry], *, now: datetime) -> int:
        """Record many events, all or none; return how many were new.

        An entry whose nonce is on record already, or stood earlier among the entries, is passed
        over: whoever brings the same file twice changes nothing.

        Raises:
            LearnerGoneError: the learner's data were deleted.
            DrillsError: an item, nonce or payload cannot be recorded.
        """
        rows = {
            each.nonce: _values(each.item, each.payload, each.at or now, each.nonce)
            for each in reversed(entries)
        }
        with self._writing() as connection:
            root = identity.lock(connection, learner)
            known = _nonces(connection, learner)
            new = [
                {**row, "learner": root}
                for nonce, row in reversed(rows.items())
                if nonce not in known
            ]
            if new:
                connection.execute(sa.insert(events), new)
        return len(new)

    @overload
    def events(
        self,
        learner: LearnerId,
        *,
        kind: type[P],
        item: str | None = None,
        after: int | None = None,
    ) -> tuple[Event[P], ...]: ...
    @overload
    def events(
        self,
        learner: LearnerId,
        *,
        kind: None = None,
        item: str | None = None,
        after: int | None = None,
    ) -> tuple[Event[Payload], ...]: ...
    def events(
        self,
        learner: LearnerId,
        *,
        kind: type[Payload] | None = None,
        item: str | None = None,
        after: int | None = None,
    ) -> tuple[Event[Any], ...]:
        """Return the learner's events, oldest first: of one kind, of one item, after an event id.

        Events of kinds that only a newer version knows are left out.
        """
        wanted = sa.select(*_FIELDS).order_by(events.c.id)
        if kind is not None:
            wanted = wanted.where(events.c.kind == kind.kind)
        if item is not None:
            wanted = wanted.where(events.c.item == item)
        if after is not None:
            wanted = wanted.where(events.c.id > after)
        with self._reading() as connection:
            return _read(connection, wanted, identity.family_of(connection, learner))

    def record(self, learner: LearnerId) -> Record:
        """Return all of a learner's events, filed and folded; empty if the learner is gone.

        It is kept for the next call, which reads only what came since, and shared by all threads.
        """
        return self._recent.of(learner)

    def recovery_code(self, learner: LearnerId, *, now: datetime) -> str:
        """Return a new code that makes another browser this learner; older codes end.

        Raises:
            LearnerGoneError: the learner's data were deleted.
        """
        code = identity.new_code()
        with self._writing(lock=_IDENTITY_LOCK) as connection:
            root = identity.lock(connection, learner)
            identity.end_codes(connection, identity.family_of(connection, root), now)
            identity.add_token(
                connection, root, identity.plain_code(code), kind="recovery", now=now
            )
        return code

    def recover(self, code: str, *, now: datetime) -> LearnerId:
        """Return whose recovery code this is, without making any browser theirs.

        Raises:
            CodeRefusedError: no such code, or a newer one replaced it.
        """
        plain = identity.plain_code(code)
        with self._reading() as connection:
            learner = identity.holder(connection, plain, kind="recovery", now=now)
        if learner is None:
            raise identity.code_refused()
        return learner

    def redeem(self, code: str, token: str, *, now: datetime, bring: bool) -> Redeemed:
        """Make the browser with this token the learner whose recovery code this is.

        With `bring`, what this browser recorded before becomes part of that learner's record
        (and its other devices become that learner too). Without, it stays behind, for whoever
        has its own recovery code.

        Raises:
            CodeRefusedError: no such code, or a newer one replaced it.
        """
        identity.check_token(token)
        plain = identity.plain_code(code)
        with self._writing(lock=_IDENTITY_LOCK) as connection:
            root = identity.holder(connection, plain, kind="recovery", now=now)
            if root is None:
                raise identity.code_refused()
            return Redeemed(root, identity.move(connection, token, root, now=now, bring=bring))

    def export(self, learner: LearnerId) -> dict[str, Any]:
        """Return everything recorded about a learner, ready for JSON.

        Raises:
            LearnerGoneError: the learner's data were deleted.
        """
        with self._reading() as connection:
            family = identity.family_of(connection, learner)
            created = connection.scalar(
                sa.select(sa.func.min(learners.c.created, type_=UtcDateTime)).where(
                    learners.c.id.in_(family)
                )
            )
            rows = connection.execute(
                sa.select(*_FIELDS).where(events.c.learner.in_(family)).order_by(events.c.id)
            ).all()
        if created is None:
            raise identity.gone()
        return {
            "format": "surprisal-record",
            "version": 1,
            "created": created.isoformat(),
            "events": [_exported(row) for row in rows],
        }

    def delete(self, learner: LearnerId) -> None:
        """Delete everything recorded about a learner, on all devices; not to be undone."""
        with self._writing(lock=_IDENTITY_LOCK) as connection:
            connection.execute(
                sa.delete(learners).where(learners.c.id == identity.root_of(learner))
            )
        self._recent.forget(learner)
        self._forget_journal()

    def dispose(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _news(self, learner: LearnerId, known: Known) -> News:
        wanted = sa.select(*_FIELDS).order_by(events.c.id)
        with self._reading() as connection:
            family = tuple(identity.family_of(connection, learner))
            if known.last is not None and family == known.family:
                wanted = wanted.where(events.c.id > known.last)
            return News(family, _read(connection, wanted, family))

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _unavailable_in_words(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self, *, lock: int | None = None) -> Iterator[sa.Connection]:
        """Open a transaction that writes; with `lock`, alone among those that name it."""
        with _unavailable_in_words(), self._in_turn(), self._writer.begin() as connection:
            if lock is not None and connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
            yield connection

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._engine.dialect.name != "sqlite":
            yield
            return
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise _unavailable()
        try:
            yield
        finally:
            self._turn.release()

    def _forget_journal(self) -> None:
        """Overwrite what SQLite's journal still holds of deleted rows, as far as others let us."""
        if self._engine.dialect.name != "sqlite":
            return
        with suppress(sa.exc.DBAPIError):
            connection = self._engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection.close()


@contextmanager
def _unavailable_in_words() -> Iterator[None]:
    try:
        yield
    except (sa.exc.StatementError, sa.exc.TimeoutError) as error:
        cause = getattr(error, "orig", None)  # ours, if a value could not even be sent
        raise (cause if isinstance(cause, DrillsError) else _unavailable()) from error


def _unavailable() -> RecordUnavailableError:
    return RecordUnavailableError(
        "The record did not answer, so this may not have been kept. Try again in a moment; "
        "nothing earlier is lost."
    )


def _values(item: str, payload: Payload, now: datetime, nonce: str | None) -> dict[str, Any]:
    if nonce is not None and not 1 <= len(nonce) <= MAX_NONCE:
        raise DrillsError(f"A nonce has 1 to {MAX_NONCE} characters; this one has {len(nonce)}.")
    return {
        "kind": payload.kind,
        "item": check_item(item),
        "payload": to_json(payload),
        "at": now,
        "nonce": nonce or secrets.token_hex(16),
    }


def _insert(connection: sa.Connection, values: dict[str, Any]) -> Event[Any]:
    inserted = sa.insert(events).values(values).returning(*_FIELDS)
    return _event(connection.execute(inserted).one())


def _with_nonce(connection: sa.Connection, learner: LearnerId, nonce: str) -> Event[Payload] | None:
    family = identity.family_of(connection, learner)
    found = sa.select(*_FIELDS).where(events.c.learner.in_(family), events.c.nonce == nonce)
    row = connection.execute(found.order_by(events.c.id).limit(1)).first()
    return None if row is None else _event(row)


def _nonces(connection: sa.Connection, learner: LearnerId) -> set[str]:
    family = identity.family_of(connection, learner)
    return set(connection.scalars(sa.select(events.c.nonce).where(events.c.learner.in_(family))))


def _same(earlier: Event[Payload], item: str, payload: P) -> Event[P]:
    """Return the earlier event if the new one says the same."""
    if (earlier.item, earlier.payload) != (item, payload):
        raise NonceTakenError(earlier)
    return cast(Event[P], earlier)


def _read(
    connection: sa.Connection, wanted: sa.Select[Any], family: Sequence[LearnerId]
) -> tuple[Event[Any], ...]:
    rows = connection.execute(wanted.where(events.c.learner.in_(family))).all()
    return tuple(_event(row) for row in rows if row.kind in KINDS)


def _event(row: sa.Row[*tuple[Any, ...]]) -> Event[Any]:
    return Event(*row)  # by place, see _FIELDS: by name it takes four times as long


def _exported(row: sa.Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "item": row.item,
        "at": row.at.isoformat(),
        "nonce": row.nonce,
        "payload": json.loads(row.payload),
    }
