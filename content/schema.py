"""What a course may say: one pydantic model per kind of content file.

A model checks one entry on its own. What needs a second file (does the source exist, is the id
unique) is checked in `content.check`; the line each entry stands on is known to `content.files`.
Values are taken as written: the number 3 is not text, `"3"` is not a number.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Discriminator, Field, HttpUrl, Tag, model_validator

MARKDOWN = "markdown"  # marks the fields that are Markdown; `texts` finds them

Key = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]  # ids: kebab case, also in URLs
Text = Annotated[str, Field(min_length=1), MARKDOWN]  # with $..$ mathematics and roles
Plain = Annotated[str, Field(min_length=1)]  # shown as it is written
Argument = float | int | str | list[float] | list[list[float]]


class Entry(BaseModel):
    """The base of everything written in a file: immutable, and no field it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)


class Course(Entry):
    """`course.yaml`: the chapter, its place in the series, its lessons in order."""

    series: Plain
    chapter: int = Field(gt=0)
    chapters: int = Field(gt=0)
    title: Plain
    promise: Text
    deck: Plain  # Anki deck name; the lesson's title is appended
    url: HttpUrl  # where cards link to unless the server says otherwise
    lessons: list[Key] = Field(min_length=1)


class Source(Entry):
    """`sources.yaml`: one work that a statement rests on."""

    title: Plain
    authors: list[Plain] = Field(min_length=1)
    year: int = Field(ge=1900, le=2100)
    url: HttpUrl
    identifier: Plain  # arXiv:2305.18290, doi:10.1119/1.1374249, ...
    opened: bool  # whether the statement was checked in the work itself

    @property
    def author_year(self) -> str:
        """The work as prose names it: "Rafailov et al. 2023"."""
        families = [
            name.split(",")[0] if "," in name else name.split()[-1] for name in self.authors
        ]
        who = f"{families[0]} et al." if len(families) > 2 else " & ".join(families)
        return f"{who} {self.year}"


class Term(Entry):
    """`glossary.yaml`: one term."""

    term: Plain
    definition: Text
    source: str | None = None


class Erratum(Entry):
    """`errata.yaml`: a claim as popular texts make it, and what is right.

    `corrected` puts the claim right in one sentence like it: of about its length and in its tone,
    so that who sees both cannot tell by their form which is right. `right` explains.
    """

    id: Key
    often_written: Text
    corrected: Text  # the sentence often written, put right in one parallel sentence
    right: Text
    source: str
    claim: str | None = None  # "lesson/claim-id" that settles it by computation


class Texts(Entry):
    """`texts.yaml`, which a course may have: eight answers to one question, to be compared."""

    question: Plain
    lists: dict[Key, list[Plain]] = Field(max_length=4)  # what to count -> its words, lower case
    answers: list[Plain] = Field(min_length=8, max_length=8)

    @model_validator(mode="after")
    def _answers_differ(self) -> "Texts":
        if len(set(self.answers)) < len(self.answers):
            raise ValueError("two answers are the same: there is nothing to compare")
        return self


class Objective(Entry):
    """What a learner can do after a lesson."""

    id: Key
    text: Text
    section: Key  # where the lesson teaches it


class Figure(Entry):
    """A drawing that `engine.figures` makes, referenced by `:::{figure} id`."""

    id: Key
    function: Plain  # name in engine.figures
    caption: Text
    alt: Text  # what to see, for who cannot; without mathematics


class FrontMatter(Entry):
    """The head of `lesson.md`."""

    title: Plain
    short: Plain  # for navigation
    promise: Text
    minutes: int = Field(gt=0)
    key_figures: list[Key] = Field(min_length=3, max_length=3)  # claim ids
    objectives: list[Objective] = Field(min_length=1)
    figures: list[Figure] = []


class Option(Entry):
    """One answer on offer, and what to say to who believed it."""

    text: Text
    feedback: Text


class Choice(Entry):
    """A question with options, exactly one of them right. Predictions are choices too."""

    id: Key
    prompt: Text
    options: list[Option] = Field(min_length=2, max_length=6)
    answer: int = Field(ge=0)  # index of the right option
    section: Key
    source: str
    kind: Literal["factual", "conceptual"] = "conceptual"
    hint: Text | None = None
    objective: Key | None = None

    @model_validator(mode="after")
    def _answer_is_an_option(self) -> "Choice":
        if self.answer >= len(self.options):
            raise ValueError(
                f"answer {self.answer} is out of range: there are {len(self.options)} options, "
                f"counted from 0"
            )
        return self


class Synthesis(Entry):
    """A question answered in free text, graded by the learner against a rubric."""

    id: Key
    kind: Literal["synthetic"]
    prompt: Text
    model_answer: Text
    rubric: list[Text] = Field(min_length=2)
    section: Key
    source: str
    hint: Text | None = None
    objective: Key | None = None


class BasicCard(Entry):
    """A question and its answer."""

    id: Key
    kind: Literal["basic"] = "basic"
    topic: Key
    question: Text
    answer: Text
    why: Text | None = None
    figure: Key | None = None  # of the lesson, shown with the answer
    section: Key
    source: str
    objective: Key | None = None


class ClozeCard(Entry):
    """A sentence with `{{c1::...}}` gaps."""

    id: Key
    kind: Literal["cloze"]
    topic: Key
    text: Text
    extra: Text | None = None
    figure: Key | None = None
    section: Key
    source: str
    objective: Key | None = None


Card = BasicCard | ClozeCard
Question = Choice | Synthesis

QUESTIONS: dict[str, type[Question]] = {  # kind -> model
    "factual": Choice,
    "conceptual": Choice,
    "synthetic": Synthesis,
}
CARDS: dict[str, type[Card]] = {"basic": BasicCard, "cloze": ClozeCard}


def _question_model(data: object) -> str:
    kind = data.get("kind") if isinstance(data, dict) else getattr(data, "kind", None)
    return "synthesis" if kind == "synthetic" else "choice"


class Quiz(Entry):
    """`quiz.yaml`: what is asked before reading, and what is asked afterwards."""

    predictions: list[Choice] = []
    questions: list[
        Annotated[
            Annotated[Choice, Tag("choice")] | Annotated[Synthesis, Tag("synthesis")],
            Discriminator(_question_model),
        ]
    ] = []


class Claim(Entry):
    """A sentence with a value, and the call that recomputes the value."""

    id: Key
    label: Text  # two or three words, for a key figure
    statement: Text
    value: float  # may be .inf, never .nan
    unit: str = ""
    shown: Text  # the value as prose shows it: "0.693 nats"
    function: Plain  # name in engine.checks
    arguments: dict[str, Argument] = {}
    tolerance: float = Field(ge=0, allow_inf_nan=False)
    source: str
    fixed: bool = False  # its unit is the point: it stays in nats or bits whatever a reader prefers

    @model_validator(mode="after")
    def _value_is_a_number(self) -> "Claim":
        if math.isnan(self.value):
            raise ValueError("value is .nan: a claim needs a value to hold the computation against")
        return self


class Stamp(Entry):
    """`cards.lock.yaml`: the content a card had when it was last stamped, and since when."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    changed: str  # UTC, ISO 8601

    @model_validator(mode="after")
    def _changed_is_a_time(self) -> "Stamp":
        try:
            zone = self.time.tzinfo
        except ValueError:
            zone = None
        if zone is None:
            raise ValueError(
                f"changed `{self.changed}` is no time in UTC: expected one such as "
                f"2025-01-31T12:00:00Z"
            )
        return self

    @property
    def time(self) -> datetime:
        """When the content last changed."""
        return datetime.fromisoformat(self.changed)


@cache
def _hints(model: type[Entry]) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)


def texts(kind: object, data: object) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every Markdown text in raw `data` of the annotated type `kind`, with its path.

    Works on data that does not validate, so that a text with a fault in it is found even when
    another field of the same entry is missing.
    """
    children: list[tuple[str | int, Any, Any]] = []
    if MARKDOWN in getattr(kind, "__metadata__", ()):
        if isinstance(data, str):
            yield (), data
    elif get_origin(kind) is list and isinstance(data, list):
        children = [(index, get_args(kind)[0], item) for index, item in enumerate(data)]
    elif isinstance(kind, type) and issubclass(kind, Entry) and isinstance(data, dict):
        children = [(name, hint, data.get(name)) for name, hint in _hints(kind).items()]
    else:  # text or nothing
        for part in get_args(kind):
            yield from texts(part, data)
    for name, hint, item in children:
        for path, text in texts(hint, item):
            yield (name, *path), text
