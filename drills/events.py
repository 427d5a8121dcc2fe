"""What the record can hold: one pydantic model per kind of event.

The record is read for years, so a kind may gain fields with a default and never lose or rename
one; kinds can be added freely (the database does not know them).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, Literal, NewType, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field, model_validator

from drills import schedule, score
from drills.errors import DrillsError

LearnerId = NewType("LearnerId", int)

MAX_TEXT = 10_000  # characters of a free text
MAX_TYPED = 400  # characters of a typed line
MAX_NOTE = 2_000  # characters of a learner's own note on a card
MAX_ANSWER_MS = 3_600_000  # milliseconds on one card; beyond, the learner was elsewhere
LATEST_MS = 7_258_118_400_000  # the year 2200: dates beyond a card's longest interval still exist
REVIEWS = "reviews"  # the item of wishes that concern all cards
MAX_PAYLOAD = 65_536  # characters of a payload as JSON
LINE_GIVEN = 3  # the grade of the hint that gives the line
_ITEM = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?")
_MAX_ITEM = 200

Scalar = bool | int | float | Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=60)]


class Payload(BaseModel):
    """What an event says besides who, what about and when. Immutable.

    Raises:
        DrillsError: on values it does not take, in a learner's words.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    kind: ClassVar[str]  # the name in the database; never changes

    def __init__(self, /, **values: object) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise DrillsError(_in_words(type(self).__name__, error)) from error


class Belief(Payload):
    """A probability per option, stated before the right one was shown."""

    probabilities: tuple[float, ...]  # each at least score.FLOOR, sum 1
    right: int  # index of the right option when it was asked
    hint: bool = False  # whether the hint was open

    @computed_field  # type: ignore[prop-decorator]  # mypy does not take decorated properties
    @cached_property
    def bits(self) -> float:
        """The log score of this belief."""
        return score.log_score_bits(self.probabilities, self.right)

    @model_validator(mode="after")
    def _can_be_scored(self) -> "Belief":
        score.log_score_bits(self.probabilities, self.right)
        if min(self.probabilities) < score.FLOOR - score.TOLERANCE:
            raise DrillsError(
                f"No option can be given less than {score.FLOOR:.0%}; "
                f"one was given {min(self.probabilities):.2%}. Apply the floor before recording."
            )
        return self


class Predicted(Belief):
    """A prediction, before the text that settles it. Item: lesson/prediction."""

    kind: ClassVar[str] = "predicted"


class Repredicted(Belief):
    """The same question after the section. Item: lesson/prediction."""

    kind: ClassVar[str] = "repredicted"


class Answered(Belief):
    """A question of the quiz. Item: lesson/question."""

    kind: ClassVar[str] = "answered"


class Wrote(Payload):
    """A free text, recorded before the model answer was shown. Item: lesson/question."""

    kind: ClassVar[str] = "wrote"
    text: str

    @model_validator(mode="after")
    def _fits(self) -> "Wrote":
        if not self.text.strip():
            raise DrillsError("There is no text yet. Write an answer, then continue.")
        if len(self.text) > MAX_TEXT:
            raise DrillsError(
                f"The text has {len(self.text):,} characters; {MAX_TEXT:,} are kept. "
                f"Shorten it by {len(self.text) - MAX_TEXT:,}."
            )
        return self


class SelfGraded(Payload):
    """The rubric's points a learner found in their own text. Item: lesson/question."""

    kind: ClassVar[str] = "self_graded"
    met: tuple[Annotated[int, Field(ge=0)], ...]  # indexes into the rubric
    of: int = Field(gt=0)  # points of the rubric

    @property
    def fraction(self) -> float:
        """The share of the points that were met."""
        return len(self.met) / self.of

    @model_validator(mode="after")
    def _points_exist(self) -> "SelfGraded":
        if len(set(self.met)) != len(self.met) or any(point >= self.of for point in self.met):
            raise DrillsError(
                f"The points met are different numbers from 0 to {self.of - 1}; "
                f"these came: {list(self.met)}."
            )
        return self


class Read(Payload):
    """A section was opened to its end. Item: lesson/section."""

    kind: ClassVar[str] = "read"


class Stepped(Payload):
    """A line of a derivation was reached. Item: lesson/derivation."""

    kind: ClassVar[str] = "stepped"
    line: int = Field(ge=1)  # counted from 1, as on the screen
    of: int = Field(ge=1)

    @model_validator(mode="after")
    def _line_exists(self) -> "Stepped":
        if self.line > self.of:
            raise DrillsError(f"There are {self.of} lines; there is no line {self.line}.")
        return self


class Ran(Payload):
    """A lab was run to its end. Item: lesson/lab."""

    kind: ClassVar[str] = "ran"
    settings: dict[Name, Scalar] = Field(default={}, max_length=50)
    results: dict[Name, float | None] = Field(default={}, max_length=50)  # None: not finite


class Verified(Payload):
    """A claim was recomputed. Item: lesson/claim."""

    kind: ClassVar[str] = "verified"
    expected: float
    got: float | None  # None: not finite
    agreed: bool


class Attempted(Payload):
    """Something done towards proving a derivation by typing. Item: lesson/derivation.

    `outcome` is None where nothing was judged: a hint was opened, a line was taken back.
    """

    kind: ClassVar[str] = "attempted"
    line: Name  # the id of the line that was asked for
    of: int = Field(ge=1)  # lines of the derivation that can be proved by typing
    way: Literal["fill", "prove", "spot", "review"]  # review: asked for as a card
    asked: Literal["line", "rule", "place", "hint", "undo"] = "line"
    typed: str = Field(default="", max_length=MAX_TYPED)  # or the rule or line that was picked
    outcome: Literal["equivalent", "different", "undecided", "unreadable"] | None = None
    mistake: str = Field(default="", max_length=60)
    hint: int = Field(default=0, ge=0, le=3)  # the highest grade seen; the third gives the line
    form: bool = True
    rewriting: bool = False  # equivalent to the line before, and so an intermediate one

    @property
    def proves(self) -> bool:
        """Whether the line that was asked for was typed without being given."""
        right = self.asked == "line" and self.outcome == "equivalent"
        return right and not self.rewriting and self.hint < LINE_GIVEN


class Exported(Payload):
    """Cards or the record were taken along. Item: a lesson, `course` or `record`."""

    kind: ClassVar[str] = "exported"
    form: Literal["apkg", "tsv", "json", "csv"]
    count: int = Field(ge=0)  # cards, or events of the record


class Reviewed(Payload):
    """A card was graded by its learner, here or in Anki. Item: lesson/card."""

    kind: ClassVar[str] = "reviewed"
    rating: int = Field(ge=1, le=4)  # Again, Hard, Good, Easy
    milliseconds: int = Field(default=0, ge=0, le=MAX_ANSWER_MS)  # from the question to the grade
    at_ms: int | None = Field(default=None, ge=0, le=LATEST_MS)  # UTC; None: event.at
    where: Literal["here", "anki"] = "here"
    buttons: Literal["four", "two"] = "four"  # two: only Again and Good were offered


class Unreviewed(Payload):
    """A review was taken back; it stays in the log and no longer counts. Item: lesson/card."""

    kind: ClassVar[str] = "unreviewed"
    nonce: str = Field(min_length=1, max_length=100)  # of the event that is taken back


class Suspended(Payload):
    """A card is not to be asked until further notice. Item: lesson/card."""

    kind: ClassVar[str] = "suspended"


class Unsuspended(Payload):
    """A suspended card may be asked again. Item: lesson/card."""

    kind: ClassVar[str] = "unsuspended"


class Queued(Payload):
    """A card was added to the reviews by choice. Item: lesson/card."""

    kind: ClassVar[str] = "queued"


class Noted(Payload):
    """What a learner wants to see beside a card; it replaces their note before. Item: lesson/card.

    An empty text takes the note away.
    """

    kind: ClassVar[str] = "noted"
    text: str

    @model_validator(mode="after")
    def _fits(self) -> "Noted":
        if len(self.text) > MAX_NOTE:
            raise DrillsError(
                f"The note has {len(self.text):,} characters; {MAX_NOTE:,} are kept. "
                f"Shorten it by {len(self.text) - MAX_NOTE:,}."
            )
        return self


class Preferred(Payload):
    """How a learner wants to review; None leaves a wish as it was. Item: `reviews`."""

    kind: ClassVar[str] = "preferred"
    new_per_day: int | None = Field(default=None, ge=0, le=9_999)  # cards
    reviews_per_day: int | None = Field(default=None, ge=0, le=99_999)
    buttons: Literal["four", "two"] | None = None
    retention: float | None = Field(
        default=None, ge=schedule.LEAST_RETENTION, le=schedule.MOST_RETENTION
    )
    zone: str | None = Field(default=None, max_length=64, pattern=r"^[A-Za-z0-9_+\-/]*$")  # IANA
    utc_offset: int | None = Field(default=None, ge=-1_080, le=1_080)  # minutes east; if no zone
    parameters: tuple[float, ...] | None = None  # of FSRS, optimized; empty: the default ones

    @model_validator(mode="after")
    def _can_schedule(self) -> "Preferred":
        if self.parameters:
            schedule.check_parameters(self.parameters)
        return self


KINDS: Mapping[str, type[Payload]] = {
    each.kind: each
    for each in (
        *(Predicted, Repredicted, Answered, Wrote, SelfGraded),
        *(Read, Stepped, Ran, Verified, Attempted, Exported),
        *(Reviewed, Unreviewed, Suspended, Unsuspended, Queued, Noted, Preferred),
    )
}

P = TypeVar("P", bound=Payload)
P_co = TypeVar("P_co", bound=Payload, covariant=True)


@dataclass(frozen=True)
class Event(Generic[P_co]):
    """One line of the record. Events are never changed."""

    id: int  # grows with every event of the learner
    learner: LearnerId
    kind: str
    item: str  # "lesson/id"
    at: datetime  # UTC
    nonce: str  # unique for the learner; the same one is never recorded twice
    text: str  # the payload as JSON, as stored

    @cached_property
    def payload(self) -> P_co:
        """What the event says; parsed when first read, since most events are only counted."""
        try:
            return cast(P_co, KINDS[self.kind].model_validate_json(self.text))
        except (KeyError, ValidationError) as error:
            raise DrillsError(
                f"Event {self.id} ({self.kind} {self.item}) was not written by this version of "
                f"Surprisal. Update it; the record itself is unharmed."
            ) from error

    @property
    def lesson(self) -> str:
        """The lesson that the item belongs to."""
        return self.item.partition("/")[0]


def item(lesson: str, name: str) -> str:
    """The item of something in a lesson: a question, a section, a derivation, a lab."""
    return check_item(f"{lesson}/{name}")


def check_item(text: str) -> str:
    """Return `text` if it can be an item.

    Raises:
        DrillsError: it is not one or two ids in kebab case with a slash between them.
    """
    if len(text) > _MAX_ITEM or not _ITEM.fullmatch(text):
        raise DrillsError(
            f"An event is about an item such as 'dpo/why-beta' (at most {_MAX_ITEM} characters); "
            f"this one is about {text[:80]!r}."
        )
    return text


def to_json(payload: Payload) -> str:
    """Return a payload as it is stored.

    Raises:
        DrillsError: it is too long.
    """
    try:
        text = payload.model_dump_json()
    except ValueError as error:  # half of a surrogate pair, from a broken paste
        raise DrillsError(
            "The text has a character that cannot be stored. Type it anew."
        ) from error
    if len(text) > MAX_PAYLOAD:
        raise DrillsError(
            f"One event holds at most {MAX_PAYLOAD:,} characters; this one has {len(text):,}."
        )
    return text


def _in_words(name: str, error: ValidationError) -> str:
    """Return what a learner can be told about values that a model refused."""
    return " ".join(_fault_in_words(name, fault) for fault in error.errors(include_url=False))


def _fault_in_words(name: str, fault: Mapping[str, Any]) -> str:
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, DrillsError):
        return str(cause)
    place = ".".join(str(part) for part in (name, *fault["loc"]))
    return f"{place}: {fault['msg']}; this came: {str(fault['input'])[:80]!r}."
