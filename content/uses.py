"""Where each term, source and claim of a course is used: computed once from the loaded course."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from content.markdown import Directive, Part, Role, Section, parts
from content.schema import Entry, texts

if TYPE_CHECKING:
    from content.load import Lesson, LoadedCourse

Kind = Literal["text", "prediction", "question", "card", "claim", "erratum", "term"]


class Use(NamedTuple):
    """One place that uses something. A lesson's head has no section; errata and terms no lesson."""

    kind: Kind
    lesson: str = ""
    section: str = ""
    name: str = ""  # id of the prediction, question, card, claim or erratum; key of the term


@dataclass(frozen=True)
class Uses:
    """Every use, in the order of the course and without doubles."""

    terms: Mapping[str, tuple[Use, ...]]  # by the term's key
    sources: Mapping[str, tuple[Use, ...]]  # by the source's key
    claims: Mapping[str, tuple[Use, ...]]  # by lesson/claim

    def stated_in(self, claim: str) -> str | None:
        """Return the first section of its own lesson that states a claim, None if none does."""
        home = claim.partition("/")[0]
        there = (use for use in self.claims.get(claim, ()) if use.kind == "text")
        return next((use.section for use in there if use.lesson == home and use.section), None)


def index(course: "LoadedCourse") -> Uses:
    """Walk the whole course once."""
    found: dict[tuple[str, str], dict[Use, None]] = {}
    for what, key, use in _walk(course):
        found.setdefault((what, key), {})[use] = None
    gathered = {
        each: {key: tuple(uses) for (what, key), uses in found.items() if what == each}
        for each in ("term", "cite", "claim")
    }
    return Uses(gathered["term"], gathered["cite"], gathered["claim"])


Found = tuple[str, str, Use]  # role, what it points to, where


def _walk(course: "LoadedCourse") -> Iterator[Found]:
    for lesson in course.lessons.values():
        yield from _lesson(lesson, course)
    for erratum in course.errata:
        yield from _entry(erratum, Use("erratum", name=erratum.id), course)
        if erratum.claim:
            yield "claim", erratum.claim, Use("erratum", name=erratum.id)
    for key, term in course.glossary.items():
        yield from _entry(term, Use("term", name=key), course)


def _lesson(lesson: "Lesson", course: "LoadedCourse") -> Iterator[Found]:
    yield from _head(lesson, course)
    for section in lesson.sections:
        yield from _section(section, lesson, course)
    for prediction in lesson.predictions.values():
        use = Use("prediction", lesson.id, prediction.section, prediction.id)
        yield from _entry(prediction, use, course)
    for question in lesson.questions:
        use = Use("question", lesson.id, question.section, question.id)
        yield from _entry(question, use, course)
    for card in lesson.cards:
        yield from _entry(card, Use("card", lesson.id, card.section, card.id), course)
    for claim in lesson.claims.values():
        yield from _entry(claim, Use("claim", lesson.id, "", claim.id), course)


def _head(lesson: "Lesson", course: "LoadedCourse") -> Iterator[Found]:
    """What the front matter points to; a figure's caption stands where the figure is drawn."""
    yield from _roles(parts(lesson.head.promise), Use("text", lesson.id), course)
    for objective in lesson.head.objectives:
        use = Use("text", lesson.id, objective.section)
        yield from _roles(parts(objective.text), use, course)


def _section(section: Section, lesson: "Lesson", course: "LoadedCourse") -> Iterator[Found]:
    use = Use("text", lesson.id, section.id)
    captions = {figure.id: figure.caption for figure in lesson.head.figures}
    for block in section.blocks:
        yield from _roles(block.parts, use, course)
        if isinstance(block, Directive) and block.name == "paper":
            yield "cite", block.argument, use
        if isinstance(block, Directive) and block.name == "figure":
            yield from _roles(parts(captions[block.argument]), use, course)


def _entry(entry: Entry, use: Use, course: "LoadedCourse") -> Iterator[Found]:
    """What the Markdown fields of an entry point to, and the source it rests on."""
    raw = entry.model_dump()
    for _at, text in texts(type(entry), raw):
        yield from _roles(parts(text), use, course)
    if raw.get("source"):
        yield "cite", raw["source"], use


def _roles(pieces: Iterable[Part], use: Use, course: "LoadedCourse") -> Iterator[Found]:
    for piece in pieces:
        if isinstance(piece, Role) and piece.target:
            yield piece.name, _key(piece, use, course), use


def _key(role: Role, use: Use, course: "LoadedCourse") -> str:
    """The one name of what a role points to, however the author spelled it."""
    if role.name == "term":
        return course.term(role.target)[0]
    if role.name == "claim" and "/" not in role.target:
        return f"{use.lesson}/{role.target}"
    return role.target
