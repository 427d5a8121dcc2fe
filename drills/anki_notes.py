"""A course's cards as Anki notes: the fields, tags and place of each, whatever file carries them.

The field lists are frozen. Anki tells note types apart by them, and a learner's notes of another
note type are never updated again: what a later version needs goes into a spare.

A card that the course drops stays with its learners, as it was. To retire one, keep it, say in its
text what took its place and set `topic: retired`: the note is updated, and `tag:topic::retired`
finds it in Anki's browser. (A deck cannot suspend it: Anki imports new cards as new.)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from content.faults import suggest
from content.load import Lesson, LoadedCourse, asked
from content.markdown import words
from content.schema import BasicCard, Card, ClozeCard, Figure, Source
from drills.anki_html import Cloze, to_html
from drills.anki_markdown import Names, escaped
from drills.errors import DeckError

BASIC, CLOZE = "Surprisal", "Surprisal Cloze"  # the names of the note types
BASIC_FIELDS = (
    "Question", "Answer", "Why", "Source", "SourceURL", "CardID", "Spare1", "Spare2",
)  # fmt: skip
CLOZE_FIELDS = ("Text", "Extra", "Source", "SourceURL", "CardID", "Spare1", "Spare2")


@dataclass(frozen=True)
class Selection:
    """Which cards of a lesson, or of the course, go into a deck, and what they carry.

    Anki makes a card of every gap of a sentence, so these go or stay together.
    """

    topic: str | None = None  # of this topic only
    only: frozenset[str] | None = None  # of these items ("lesson/card") only
    without: frozenset[str] = frozenset()  # not these items, such as suspended ones
    pictures: bool = True

    def takes(self, lesson: str, card: Card) -> bool:
        """Whether a card of a lesson is among them."""
        if self.topic is not None and card.topic != self.topic:
            return False
        if self.only is None and not self.without:
            return True
        names = {f"{lesson}/{name}" for name in asked(card)}
        return (self.only is None or bool(names & self.only)) and not names <= self.without

    def cards(self, lessons: Iterable[Lesson]) -> Iterator[Card]:
        """Yield the cards of these lessons that are among them, a sentence once for each gap."""
        for lesson in lessons:
            yield from (
                part.card for part in lesson.asked.values() if self.takes(lesson.id, part.card)
            )


EVERYTHING = Selection()


class Picture(NamedTuple):
    """A figure of a lesson as a card shows it."""

    name: str  # of the file in Anki's media folder, which all decks share
    path: Path
    alt: str

    @property
    def html(self) -> str:
        """Return the image's element."""
        return f'<img src="{self.name}" alt="{escaped(self.alt)}">'


class AnkiNote(NamedTuple):
    """One card, ready for Anki."""

    card: Card
    lesson: Lesson
    place: int  # in the whole course, counted from 1: the order in which Anki shows new cards
    text: tuple[str, str, str] | tuple[Cloze, str]  # question, answer, why; or sentence, extra
    source: str
    link: str
    picture: Picture | None

    @property
    def fields(self) -> tuple[str, ...]:
        """Return BASIC_FIELDS or CLOZE_FIELDS, as HTML."""
        first, *rest = self.text
        sentence = first.field if isinstance(first, Cloze) else first
        return (sentence, *rest, self.source, self.link, self.card.id, "", "")

    @property
    def ordinals(self) -> list[int]:
        """Return which cards Anki makes of it, counted from 0: one, or one for each gap number."""
        first = self.text[0]
        return [number - 1 for number in first.numbers] if isinstance(first, Cloze) else [0]

    @property
    def tags(self) -> list[str]:
        """Return the tags that each note carries, in Anki's order: kind, lesson and topic."""
        card = self.card
        return [f"kind::{card.kind}", f"surprisal::{self.lesson.id}", f"topic::{card.topic}"]


def notes(
    course: LoadedCourse,
    *,
    lesson: str | None,
    base_url: str | None,
    selection: Selection = EVERYTHING,
) -> list[AnkiNote]:
    """Return the notes of a lesson, or of all, in course order.

    Raises:
        DeckError: there is no such lesson, no card is selected, or a cloze has no gap.
    """
    wanted = chosen(course, lesson)
    links = (base_url or str(course.course.url)).rstrip("/")
    sources = {key: source_line(source) for key, source in course.sources.items()}
    made = [
        note
        for each in wanted
        for note in _of_lesson(course, each, links, sources, selection=selection)
    ]
    if not made and any(each.cards for each in wanted):
        raise DeckError("expected cards, got none: nothing fits this selection; choose a wider one")
    if not made:
        raise DeckError(f"expected cards, got none: write {_files(wanted)} first")
    return made


def chosen(course: LoadedCourse, lesson: str | None) -> list[Lesson]:
    """Return the one lesson asked for, or all of them.

    Raises:
        DeckError: there is no such lesson.
    """
    if lesson is None:
        return list(course.lessons.values())
    if lesson not in course.lessons:
        raise DeckError(f"there is no lesson `{lesson}`{suggest(lesson, course.lessons)}")
    return [course.lessons[lesson]]


def topics(course: LoadedCourse) -> list[str]:
    """Return the topics of the course's cards, in the order of the alphabet."""
    return sorted({card.topic for lesson in course.lessons.values() for card in lesson.cards})


def deck_name(course: LoadedCourse, lesson: Lesson) -> str:
    """Return the Anki deck of a lesson; `::` parts a deck from the deck above it."""
    return f"{course.course.deck}::{lesson.head.title.replace('::', ': ')}"


def source_line(source: Source) -> str:
    """Return the work that a card rests on, as HTML."""
    work, link = escaped(source.title), escaped(str(source.url))
    where = f'<a href="{link}">{escaped(source.identifier)}</a>'
    return f"{escaped(source.author_year)}, <cite>{work}</cite>, {where}"


def _of_lesson(
    course: LoadedCourse,
    lesson: Lesson,
    links: str,
    sources: dict[str, str],
    *,
    selection: Selection,
) -> Iterator[AnkiNote]:
    names = _names(course, lesson)
    pictures = {each.id: _picture(course, lesson, each) for each in lesson.head.figures}
    first = _cards_before(course, lesson) + 1
    for place, card in enumerate(lesson.cards, start=first):
        if not selection.takes(lesson.id, card):
            continue
        link = f"{links}/{lesson.id}?section={card.section}"
        shown = pictures[card.figure] if card.figure and selection.pictures else None
        text = _text(card, names, picture=shown.html if shown else "")
        yield AnkiNote(card, lesson, place, text, sources[card.source], link, shown)


def _picture(course: LoadedCourse, lesson: Lesson, figure: Figure) -> Picture:
    path = course.folder / "lessons" / lesson.id / f"{figure.id}.png"
    return Picture(f"surprisal-{lesson.id}-{figure.id}.png", path, words(figure.alt))


def _names(course: LoadedCourse, lesson: Lesson) -> Names:
    claim = partial(course.claim, lesson=lesson.id)
    return Names(
        cite=lambda key: f"({course.sources[key].author_year})",
        claim=lambda target: claim(target).shown,
    )


def _text(card: Card, names: Names, *, picture: str) -> tuple[str, str, str] | tuple[Cloze, str]:
    """Convert a card's text; the picture stands under Why or Extra."""
    if isinstance(card, BasicCard):
        why = to_html(card.why, names) if card.why else ""
        return to_html(card.question, names), to_html(card.answer, names), why + picture
    return _cloze(card, names), (to_html(card.extra, names) if card.extra else "") + picture


def _cloze(card: ClozeCard, names: Names) -> Cloze:
    try:
        return Cloze.of(card.text, names)
    except DeckError as error:
        raise DeckError(f"card `{card.id}`: {error}") from None


def _cards_before(course: LoadedCourse, lesson: Lesson) -> int:
    ids = list(course.lessons)
    earlier = ids[: ids.index(lesson.id)]
    return sum(len(course.lessons[each].cards) for each in earlier)


def _files(lessons: list[Lesson]) -> str:
    return " or ".join(f"lessons/{lesson.id}/cards.yaml" for lesson in lessons)
