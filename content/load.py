"""Loading a course: one pass over a folder, which reports every fault or returns the course."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from content import check, cloze, draft, stamps, uses
from content.draft import Draft, LessonDraft
from content.faults import ContentError as ContentError
from content.faults import Fault as Fault
from content.files import Reader
from content.markdown import Directive, Formula, Section
from content.schema import (
    Card,
    Choice,
    Claim,
    ClozeCard,
    Course,
    Erratum,
    FrontMatter,
    Question,
    Source,
    Term,
    Texts,
)
from content.stamps import CardStamp as CardStamp

HERE = Path(__file__).parent


class AskedCard(NamedTuple):
    """A card as it is asked: of a sentence, one gap at a time."""

    card: Card
    gap: int  # its number; 0 of a card without gaps


@dataclass(frozen=True)
class Lesson:
    """One lesson, complete and free of faults."""

    id: str
    head: FrontMatter
    sections: tuple[Section, ...]
    predictions: dict[str, Choice]  # in the order of the file
    questions: tuple[Question, ...]
    cards: tuple[Card, ...]
    claims: dict[str, Claim]  # in the order of the file
    words: int  # of prose
    formulas: tuple[Formula, ...]  # displayed, in order

    def section(self, name: str) -> Section:
        """The section with that id; KeyError if there is none."""
        for section in self.sections:
            if section.id == name:
                return section
        raise KeyError(name)

    @cached_property
    def asked(self) -> dict[str, AskedCard]:
        """The cards that are asked, by id, in the order of the file: as many as Anki makes."""
        return {name: made for card in self.cards for name, made in asked(card).items()}

    def asked_by_labs(self, section: str) -> tuple[Choice, ...]:
        """The predictions of a section that no `:::{predict}` asks: they belong to its lab."""
        placed = {
            block.argument
            for section_ in self.sections
            for block in section_.blocks
            if isinstance(block, Directive) and block.name == "predict"
        }
        return tuple(
            prediction
            for prediction in self.predictions.values()
            if prediction.section == section and prediction.id not in placed
        )


@dataclass(frozen=True)
class LoadedCourse:
    """A whole course, free of faults."""

    course: Course
    lessons: dict[str, Lesson]  # in the course's order
    sources: dict[str, Source]
    glossary: dict[str, Term]
    errata: tuple[Erratum, ...]
    stamps: dict[str, CardStamp]  # card id -> its content when it was last stamped
    folder: Path
    texts: Texts | None = None  # to be compared by a learner

    def term(self, name: str) -> tuple[str, Term]:
        """What `{term}` points to, by the term in any case or by its key; KeyError if unknown."""
        key = self._terms[check.plain(name)]
        return key, self.glossary[key]

    def claim(self, target: str, *, lesson: str | None = None) -> Claim:
        """What `{claim}` points to: `id` within `lesson`, or `lesson/id`; KeyError if unknown."""
        there, _, name = target.rpartition("/")
        return self.lessons[there or lesson or ""].claims[name]

    def digest(self, card: Card) -> str:
        """The hash of everything a learner sees of a card of this course."""
        return stamps.digest(card, self)

    def changed(self, card: Card) -> datetime | None:
        """When the content of a card last changed, in UTC; None if it has not been stamped."""
        if card is self._cards.get(card.id):
            return self._changed[card.id]
        return self._changed_by_stamp(card)

    def lesson_of(self, card: Card) -> str:
        """The id of the lesson a card belongs to; KeyError if it is not of this course."""
        return self._homes[card.id]

    @cached_property
    def uses(self) -> uses.Uses:
        """Where each term, source and claim is used."""
        return uses.index(self)

    @cached_property
    def works(self) -> dict[str, dict[str, Any]]:
        """What a learner sees of each source."""
        return stamps.works(self.sources)

    @cached_property
    def _terms(self) -> dict[str, str]:
        keys = {check.plain(key): key for key in self.glossary}
        return keys | {check.plain(term.term): key for key, term in self.glossary.items()}

    def _changed_by_stamp(self, card: Card) -> datetime | None:
        stamp = self.stamps.get(card.id)
        return stamp.changed if stamp and stamp.digest == self.digest(card) else None

    @cached_property
    def _cards(self) -> dict[str, Card]:
        return {card.id: card for lesson in self.lessons.values() for card in lesson.cards}

    @cached_property
    def _changed(self) -> dict[str, datetime | None]:
        """Kept, since a deck asks for every card and a digest takes longer than a note."""
        return {name: self._changed_by_stamp(card) for name, card in self._cards.items()}

    @cached_property
    def _homes(self) -> dict[str, str]:
        return {card.id: lesson.id for lesson in self.lessons.values() for card in lesson.cards}


def asked(card: Card) -> dict[str, AskedCard]:
    """Return what one entry asks, by id: itself, or each gap of its sentence."""
    if not isinstance(card, ClozeCard):
        return {card.id: AskedCard(card, 0)}
    numbers = cloze.numbers(card.text)
    return {cloze.card_id(card.id, number): AskedCard(card, number) for number in numbers}


def load_course(folder: Path | str | None = None) -> LoadedCourse:
    """Load the course in `folder`, by default the one that ships in this package.

    Raises:
        ContentError: with every fault of every file, if there is any.
    """
    reader = Reader(HERE if folder is None else Path(folder))
    if not reader.folder.is_dir():
        message = f"there is no folder {reader.folder}; expected one that holds a course.yaml"
        raise ContentError([Fault("course.yaml", 1, message)])
    read = draft.read(reader)
    lock = stamps.read(reader)
    reader.faults += check.check(read)
    if reader.faults:
        raise ContentError(reader.faults)
    return _finished(read, lock, reader.folder)


def _finished(read: Draft, lock: dict[str, CardStamp], folder: Path) -> LoadedCourse:
    course: Any = read.course  # there, or the reader would have a fault
    return LoadedCourse(
        course=course.entry,
        lessons={lesson.id: _lesson(lesson) for lesson in read.lessons},
        sources={str(item.at[-1]): item.entry for item in read.sources or ()},
        glossary={str(item.at[-1]): item.entry for item in read.glossary or ()},
        errata=tuple(item.entry for item in read.errata or ()),
        stamps=lock,
        folder=folder,
        texts=read.texts.entry if read.texts else None,
    )


def _lesson(read: LessonDraft) -> Lesson:
    head: Any = read.head
    page: Any = read.page
    return Lesson(
        id=read.id,
        head=head.entry,
        sections=tuple(page.sections),
        predictions={item.entry.id: item.entry for item in read.predictions or ()},
        questions=tuple(item.entry for item in read.questions or ()),
        cards=tuple(item.entry for item in read.cards or ()),
        claims={item.entry.id: item.entry for item in read.claims or ()},
        words=page.words,
        formulas=tuple(page.formulas),
    )
