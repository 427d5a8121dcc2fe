"""A course as it was read, before anything is known to be right: entries with their lines."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from content.explain import explain, shown
from content.faults import suggest
from content.files import At, Document, Reader
from content.markdown import Page
from content.markdown import lesson as read_page
from content.schema import (
    CARDS,
    QUESTIONS,
    BasicCard,
    Choice,
    Claim,
    Course,
    Entry,
    Erratum,
    FrontMatter,
    Source,
    Term,
    Texts,
)
from content.syntax import KEBAB

# Addresses of screens and downloads: a lesson of that name could not be opened.
TAKEN = (
    *("home", "progress", "decks", "restore", "glossary", "errata", "sources"),
    *("review", "practice"),
    *("lab", "course", "health", "prove"),
)

Models = Mapping[str, type[Entry]]  # kind -> model; "" where no kind is given


@dataclass(frozen=True)
class Item:
    """One entry of a file; `entry` is None if it does not fit its model."""

    what: str  # "card", "question", ...
    document: Document
    at: At
    model: type[Entry]
    entry: Any

    @property
    def raw(self) -> Any:  # noqa: ANN401 - whatever the file holds
        """The entry as the file has it."""
        return self.document.get(self.at)

    @property
    def name(self) -> str:
        """How messages call it: by its id, else by its number."""
        if not self.at:
            return self.what
        last = self.text("id") or self.at[-1]
        return f"{self.what} `{last}`" if isinstance(last, str) else f"{self.what} {last + 1}"

    def text(self, name: str) -> str | None:
        """A field that is text, else None."""
        value = self.raw.get(name) if isinstance(self.raw, dict) else None
        return value.strip() if isinstance(value, str) else None

    def line(self, *at: str | int) -> int:
        """The line of a part of it."""
        return self.document.line(*self.at, *at)


@dataclass
class LessonDraft:
    """The four files of a lesson. A list is None if its file could not be read."""

    id: str
    page: Page | None = None
    head: Item | None = None
    predictions: list[Item] | None = None
    questions: list[Item] | None = None
    cards: list[Item] | None = None
    claims: list[Item] | None = None
    pictures: frozenset[str] = frozenset()  # figures of which there is a PNG, for cards

    def file(self, name: str) -> str:
        """The path of one of its files."""
        return f"lessons/{self.id}/{name}"

    def items(self) -> Iterator[Item]:
        """Every entry, the head first."""
        if self.head:
            yield self.head
        for items in (self.predictions, self.questions, self.cards, self.claims):
            yield from items or ()


@dataclass
class Draft:
    """A whole course. A list is None if its file could not be read."""

    course: Item | None = None
    sources: list[Item] | None = None
    glossary: list[Item] | None = None
    errata: list[Item] | None = None
    texts: Item | None = None
    lessons: list[LessonDraft] = field(default_factory=list)

    def shared(self) -> Iterator[Item]:
        """Every entry that belongs to no lesson."""
        if self.course:
            yield self.course
        if self.texts:
            yield self.texts
        for items in (self.sources, self.glossary, self.errata):
            yield from items or ()


def read(reader: Reader) -> Draft:
    """Read every file of a course; what is wrong with one is left with the reader."""
    course = reader.document("course.yaml")
    return Draft(
        course=_item(reader, "course", course, (), Course) if course else None,
        sources=_mapping(reader, "source", "sources.yaml", Source),
        glossary=_mapping(reader, "term", "glossary.yaml", Term),
        errata=_list(reader, "erratum", reader.document("errata.yaml"), (), {"": Erratum}),
        texts=_texts(reader),
        lessons=[_lesson(reader, name) for name in _lessons(reader, course)],
    )


def _texts(reader: Reader) -> Item | None:
    """Texts to compare, which a course need not have."""
    if not (reader.folder / "texts.yaml").exists():
        return None
    document = reader.document("texts.yaml")
    return _item(reader, "texts", document, (), Texts) if document else None


# --- lessons ------------------------------------------------------------------------------------


def _lessons(reader: Reader, course: Document | None) -> list[str]:
    """The ids of the lessons that are both listed and there."""
    there = _folders(reader)
    listed = course.data.get("lessons") if course and isinstance(course.data, dict) else None
    if not course or not isinstance(listed, list):
        return sorted(name for name in there if KEBAB.fullmatch(name))
    names = dict.fromkeys(name for name in listed if isinstance(name, str))
    _compare(reader, course, listed, there)
    return [name for name in names if name in there and KEBAB.fullmatch(name)]


def _folders(reader: Reader) -> set[str]:
    folder = reader.folder / "lessons"
    try:
        found = {path.name for path in folder.iterdir() if path.is_dir()}
    except OSError:  # not there, or closed to us: each lesson is then reported as missing
        return set()
    return {name for name in found if name[0] not in "._"}


def _compare(reader: Reader, course: Document, listed: list[object], there: set[str]) -> None:
    for index, name in enumerate(listed):
        line = course.line("lessons", index)
        if name in listed[:index]:
            reader.fault(course.path, line, f"lesson `{name}` is listed twice")
        elif name in TAKEN:
            message = f"lesson `{name}` needs another name: /{name} is a screen of every course"
            reader.fault(course.path, line, message)
        elif isinstance(name, str) and KEBAB.fullmatch(name) and name not in there:
            message = f"lesson `{name}` has no folder lessons/{name}{suggest(name, there)}"
            reader.fault(course.path, line, message)
    for name in sorted(there - {name for name in listed if isinstance(name, str)}):
        message = f"the folder lessons/{ascii(name)[1:-1]} is not listed under `lessons`"
        reader.fault(course.path, course.line("lessons"), message)


def _lesson(reader: Reader, name: str) -> LessonDraft:
    draft = LessonDraft(name, pictures=_pictures(reader, name))
    text = reader.text(draft.file("lesson.md"))
    if text is not None:
        draft.page = read_page(text)
        draft.head = _head(reader, draft.file("lesson.md"), draft.page)
    _quiz(reader, draft)
    draft.cards = _list(reader, "card", reader.document(draft.file("cards.yaml")), (), _CARDS)
    claims = reader.document(draft.file("claims.yaml"))
    draft.claims = _list(reader, "claim", claims, (), {"": Claim})
    return draft


def _pictures(reader: Reader, name: str) -> frozenset[str]:
    return frozenset(path.stem for path in (reader.folder / "lessons" / name).glob("*.png"))


_CARDS: Models = {"": BasicCard, **CARDS}
_QUESTIONS: Models = {"": Choice, **QUESTIONS}
_PREDICTIONS: Models = {"": Choice, "factual": Choice, "conceptual": Choice}


def _head(reader: Reader, path: str, page: Page) -> Item | None:
    if page.front is None:
        reader.fault(path, 1, "no front matter: a lesson starts with `---`, its head, `---`")
        return None
    document = reader.parse(path, page.front, above=1)
    return _item(reader, "front matter", document, (), FrontMatter) if document else None


def _quiz(reader: Reader, draft: LessonDraft) -> None:
    document = reader.document(draft.file("quiz.yaml"))
    if document is None:
        return
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        message = f"expected the fields `predictions` and `questions`, not {shown(data)}"
        reader.fault(document.path, document.line(), message)
        return
    for name in data:
        if name not in {"predictions", "questions"}:
            message = f"unknown field `{name}`{suggest(name, ('predictions', 'questions'))}"
            reader.fault(document.path, document.line(name), message)
    predictions, questions = ("predictions",), ("questions",)
    draft.predictions = _list(reader, "prediction", document, predictions, _PREDICTIONS)
    draft.questions = _list(reader, "question", document, questions, _QUESTIONS)


# --- entries ------------------------------------------------------------------------------------


def _mapping(reader: Reader, what: str, path: str, model: type[Entry]) -> list[Item] | None:
    document = reader.document(path)
    if document is None:
        return None
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        message = f"expected a mapping from keys to entries, not {shown(data)}"
        reader.fault(path, document.line(), message)
        return None
    for key in data:
        if not KEBAB.fullmatch(key):
            message = f"{what} `{key}`: a key is in lower case with hyphens, such as `shannon1948`"
            reader.fault(path, document.line(key), message)
    return [_item(reader, what, document, (key,), model) for key in data]


def _list(
    reader: Reader, what: str, document: Document | None, at: At, models: Models
) -> list[Item] | None:
    """The entries of the list at `at`, each by the model of its kind."""
    if document is None:
        return None
    data = document.data
    for step in at:
        data = data.get(step) if isinstance(data, dict) else None
    if data is not None and not isinstance(data, list):
        message = f"expected a list of entries (`- id: ...`), not {shown(data)}"
        reader.fault(document.path, document.line(*at), message)
        return None
    places = [(*at, index) for index in range(len(data or []))]
    return [_of_kind(reader, what, document, place, models) for place in places]


def _of_kind(reader: Reader, what: str, document: Document, at: At, models: Models) -> Item:
    """The entry at `at`, by the model of its kind."""
    item = Item(what, document, at, models[""], None)
    kind = item.text("kind") or ""
    if kind in models:
        return _item(reader, what, document, at, models[kind])
    kinds = " or ".join(f"`{name}`" for name in models if name)
    message = f"{item.name}: `kind` should be {kinds}, not {shown(kind)}"
    reader.fault(document.path, item.line("kind"), message)
    return item


def _item(reader: Reader, what: str, document: Document, at: At, model: type[Entry]) -> Item:
    item = Item(what, document, at, model, None)
    if not isinstance(item.raw, dict):
        message = f"{item.name} should be a mapping of fields, not {shown(item.raw)}"
        reader.fault(document.path, item.line(), message)
        return item
    try:
        return Item(what, document, at, model, model.model_validate(item.raw))
    except ValidationError as error:
        for place, message in explain(error, model.model_fields):
            reader.fault(document.path, item.line(*place), f"{item.name}: {message}")
    return item
