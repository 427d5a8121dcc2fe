"""Which card is in front of the learner in this tab, since when, and whether it is turned."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from drills.events import Payload, Reviewed
from pages.parts import state
from pages.parts.learner import Learner, now
from pages.parts.saving import save

LONGEST = timedelta(minutes=5)  # on one card; beyond, the learner was elsewhere
DOUBLE = timedelta(seconds=0.3)  # a click sooner than this is the second half of a double click


@dataclass(frozen=True)
class Showing:
    """One card, shown once. Its nonce makes a grade that is sent twice count once."""

    scope: str  # the screen
    item: str
    nonce: str
    at: datetime  # UTC
    turned: bool = False
    suggested: int | None = None  # the rating that what was typed suggests

    @property
    def settled(self) -> bool:
        """Whether a click now is meant for this card, and not for the one before."""
        return now() - self.at >= DOUBLE

    @property
    def milliseconds(self) -> int:
        """How long it has been shown."""
        return int(min(now() - self.at, LONGEST) / timedelta(milliseconds=1))

    def key(self, name: str) -> str:
        """Return a name for a widget, of this card shown this once."""
        return f"{self.scope}-{name}-{self.nonce}"

    def turn(self, suggested: int | None = None) -> None:
        """Show the answer; the first suggestion stays."""
        first = self.suggested or suggested
        state.put(_key(self.scope), replace(self, turned=True, suggested=first))

    def turn_by_hand(self) -> None:
        """Show the answer, unless the click was meant for the card before."""
        if self.settled:
            self.turn()

    def grade(self, who: Learner, rating: int, *, buttons: str) -> bool:
        """Record the grade; when this returns True, it is on disk and the card is put away."""
        said: Payload = Reviewed(rating=rating, milliseconds=self.milliseconds, buttons=buttons)
        if not self._graded(who) and not save(who, self.item, said, nonce=self.nonce):
            return False
        put_away(self.scope)
        return True

    def _graded(self, who: Learner) -> bool:
        learnt = who.record.reviews.cards.get(self.item)
        return learnt is not None and learnt.log[-1].nonce == self.nonce


def shown(scope: str) -> Showing | None:
    """Return the card that this screen shows, None before the first and between two."""
    found: Showing | None = state.get(_key(scope))
    return found


def show(scope: str, item: str) -> Showing:
    """Return the card as it is shown; begin to show it if another one was."""
    found = shown(scope)
    if found is None or found.item != item:
        found = Showing(scope, item, uuid4().hex, now())
        state.put(_key(scope), found)
    return found


def put_away(scope: str) -> None:
    """Show this card no longer."""
    state.drop(_key(scope))


def _key(scope: str) -> str:
    return f"{scope}-showing"
