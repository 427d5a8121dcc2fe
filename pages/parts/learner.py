"""Who is learning here, and their record: kept in the database, or in this tab without a cookie."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from drills import transfer
from drills.errors import DrillsError
from drills.events import Event, LearnerId, Payload, check_item, to_json
from drills.record import Record
from drills.store import Entry, Store
from pages import cookie, resources
from pages.parts import state


@dataclass
class Learner:
    """One visitor of one tab. `kept` is False when progress lives in this tab only."""

    token: str | None
    store: Store | None
    id: LearnerId | None = None
    record: Record = field(default_factory=lambda: Record(()))  # as of the last refresh

    @property
    def kept(self) -> bool:
        """Whether what is answered here will be there next time."""
        return self.token is not None and self.store is not None

    @property
    def events(self) -> tuple[Event[Any], ...]:
        """Everything this learner has done, oldest first, as of the last refresh."""
        return self.record.events

    def refresh(self) -> None:
        """Read what was added since; another tab may also have deleted or changed the record."""
        if self.store is None or self.token is None:
            return
        who = self.store.learner(self.token, now=now())
        record = Record(()) if who is None else self.store.record(who)
        self.id, self.record = who, record

    def add(self, item: str, payload: Payload, *, nonce: str | None = None) -> None:
        """Append to the record. When this returns, the database has it on disk.

        Raises:
            DrillsError: in the learner's words; then nothing was kept.
        """
        if self.store is None or self.token is None:
            self.record = self.record.after((_tab_event(len(self.events) + 1, item, payload),))
            return
        known = self.store.learner(self.token, now=now()) or self.id
        who = known or self.store.ensure_learner(self.token, now=now())
        self.store.append(who, item, payload, now=now(), nonce=nonce)
        self.refresh()

    def note(self, item: str, payload: Payload) -> None:
        """Append to the record from any thread; this tab reads it with its next run.

        Raises:
            DrillsError: in the learner's words; then nothing was kept.
        """
        if self.store is not None and self.token is not None:
            who = self.store.ensure_learner(self.token, now=now())
            self.store.append(who, item, payload, now=now())

    def bring(self, entries: Sequence[Entry]) -> int:
        """Add what was brought from elsewhere, all or nothing; return how many were new.

        Raises:
            DrillsError: in the learner's words; then nothing was kept.
        """
        new = transfer.fresh(entries, self.events)
        if not new:
            return 0
        if self.store is None or self.token is None:
            first = len(self.events) + 1
            brought = [_brought(n, entry) for n, entry in enumerate(new, first)]
            self.record = self.record.after(brought)
            return len(new)
        who = self.store.ensure_learner(self.token, now=now())
        added = self.store.append_all(who, new, now=now())
        self.refresh()
        return added

    def take_up(self, code: str, *, bring: bool) -> int:
        """Continue, in this browser, the record of a recovery link; return the entries brought.

        Raises:
            DrillsError: if the code is unknown or was replaced by a newer one.
        """
        if self.store is None or self.token is None:
            raise DrillsError("There is no record to continue: this browser refuses our cookie.")
        redeemed = self.store.redeem(code, self.token, now=now(), bring=bring)
        self.refresh()
        return redeemed.brought

    def recovery_code(self) -> str:
        """Return a new code for this record; it replaces the one before.

        Raises:
            DrillsError: if there is no record yet, or it cannot be reached.
        """
        store, who = self._opened()
        return store.recovery_code(who, now=now())

    def export(self) -> dict[str, Any]:
        """Return everything recorded about this learner, ready for JSON."""
        store, who = self._opened()
        return store.export(who)

    def delete(self) -> None:
        """Delete the record, in the database and in this tab."""
        store, who = self._opened()
        store.delete(who)
        self.id, self.record = None, Record(())

    def _opened(self) -> tuple[Store, LearnerId]:
        if self.store is None or self.id is None:
            raise DrillsError("Nothing of yours is in the database yet.")
        return self.store, self.id


def current() -> Learner:
    """Return this session's learner, as the router refreshed them for this run."""
    learner: Learner = state.once("learner", _arrive)
    return learner


def arrive() -> Learner:
    """Return this session's learner, with the record as it is now. Once a run, by the router."""
    learner = current()
    try:
        learner.refresh()
    except DrillsError:
        learner.store = None  # the tab goes on by itself; `notice` says so
    return learner


def notice(learner: Learner) -> None:
    """Say it when progress will not be kept, and what can be done."""
    if learner.kept:
        return
    if learner.token is None:
        st.info(
            "This browser refuses our cookie, so progress lasts until you close the tab. "
            "Everything else works. To keep your progress, allow cookies for this site and reload.",
            icon=":material/cookie_off:",
        )
    else:
        st.warning(
            "Your record cannot be reached just now. You can go on, but what you answer "
            "will not be kept. Reload the page in a minute to try again.",
            icon=":material/cloud_off:",
        )


def now() -> datetime:
    """Return the time of what is happening now, in UTC."""
    return datetime.now(UTC)


def _tab_event(number: int, item: str, payload: Payload) -> Event[Any]:
    """An event that no database holds: gone with the tab."""
    name, text = check_item(item), to_json(payload)
    return Event(number, LearnerId(0), payload.kind, name, now(), f"tab-{number}", text)


def _brought(number: int, entry: Entry) -> Event[Any]:
    """An event from elsewhere that no database holds; its nonce stays, so that it comes once."""
    made = _tab_event(number, entry.item, entry.payload)
    return replace(made, at=entry.at or made.at, nonce=entry.nonce)


def _arrive() -> Learner:
    token = cookie.valid_token(st.context.cookies.get(cookie.NAME))
    return Learner(token, resources.reachable_store())
