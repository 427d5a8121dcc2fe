"""What one entry cannot know: whether what it points to exists, and whether its name is free."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from content import cloze
from content.draft import Draft, Item, LessonDraft
from content.explain import path
from content.faults import Fault, suggest
from content.files import At
from content.markdown import Directive, Passage, Role, Section, passage
from content.proofread import Note
from content.schema import BasicCard, ClozeCard, texts

Names = Collection[str] | None  # None where a file could not be read: then nothing is unknown
ONCE = frozenset({"predict", "derivation", "lab", "quiz"})  # a page keeps state under their name


def check(draft: Draft) -> Iterator[Fault]:
    """Every fault that shows only when the files are held against each other."""
    names = _Names(draft)
    for item in draft.shared():
        yield from _item(item, names, None)
    yield from _glossary(draft.glossary or [])
    yield from _errata(draft.errata or [], names)
    for lesson in draft.lessons:
        yield from _lesson(lesson, names)
    cards = [item for lesson in draft.lessons for item in lesson.cards or []]
    yield from _repeats(cards)
    yield from _ids_of_gaps(cards)


def plain(name: str) -> str:
    """The name of a term as it is compared: in any case, with any spacing."""
    return " ".join(name.split()).casefold()


class _Names:
    """Everything that can be pointed to."""

    def __init__(self, draft: Draft) -> None:
        self.sources = _keys(draft.sources)
        self.lessons = [lesson.id for lesson in draft.lessons]
        self.claims = {lesson.id: _ids(lesson.claims) for lesson in draft.lessons}
        self.terms: list[str] | None = None
        if draft.glossary is not None:
            terms = [item.text("term") or "" for item in draft.glossary]
            self.terms = [*(_keys(draft.glossary) or ()), *(term for term in terms if term)]

    def unknown(self, role: Role, lesson: str | None) -> str | None:
        """What is wrong with what a role points to, or None."""
        if role.name == "cite":
            return unknown("source", role.target, self.sources)
        if role.name == "term":
            known = None if self.terms is None else [plain(term) for term in self.terms]
            found = known is None or plain(role.target) in known
            return None if found else unknown("term", role.target, self.terms)
        return self.unknown_claim(role.target, lesson) if role.name == "claim" else None

    def unknown_claim(self, target: str, lesson: str | None) -> str | None:
        """What is wrong with the name of a claim: `id` within a lesson, or `lesson/id`."""
        there, _, name = target.rpartition("/")
        if not there and lesson is None:
            return f"claim `{target}`: outside a lesson write `lesson/{target}`"
        if there and there not in self.claims:
            return unknown("lesson", there, self.lessons)
        return unknown("claim", name, self.claims[there or lesson or ""])


def unknown(what: str, name: str, known: Names) -> str | None:
    """The message about a name that is not among the known, or None."""
    if known is None or name in known:
        return None
    return f"unknown {what} `{name}`{suggest(name, known)}"


def _ids(items: Iterable[Item] | None) -> list[str] | None:
    return None if items is None else [name for item in items if (name := item.text("id"))]


def _keys(items: Iterable[Item] | None) -> list[str] | None:
    return None if items is None else [str(item.at[-1]) for item in items]


def _fault(item: Item, message: str, *at: str | int) -> Fault:
    return Fault(item.document.path, item.line(*at), f"{item.name}: {message}")


# --- any entry ----------------------------------------------------------------------------------


def _item(item: Item, names: _Names, lesson: str | None) -> Iterator[Fault]:
    """Its source and its texts."""
    source = item.text("source")
    if source is not None and (message := unknown("source", source, names.sources)):
        yield _fault(item, message, "source")
    for at, text in texts(item.model, item.raw):
        read = _read(item, at, text)
        for note in (*read.notes, *(read.unswitched if at != _VALUE else ())):
            yield _text_fault(item, at, note)
        for offset, role in read.roles:
            if message := names.unknown(role, lesson):
                yield _text_fault(item, at, Note(offset, message))


_VALUE = ("shown",)  # a claim's own value: the page knows its unit


def _read(item: Item, at: At, text: str) -> Passage:
    if item.model is not ClozeCard or at != ("text",):
        return passage(text)
    card = cloze.read(text)
    read = passage(card.filled)
    words = [Note(card.origin[note.offset], note.message) for note in read.notes]
    places = tuple(place._replace(offset=card.origin[place.offset]) for place in read.roles)
    found = (*(cloze.torn(card) or words), *cloze.notes(card))
    return Passage(read.parts, found, places, unswitched=read.unswitched)


def _text_fault(item: Item, at: At, note: Note) -> Fault:
    line = item.document.line_within((*item.at, *at), note.offset)
    return Fault(item.document.path, line, f"{item.name}: `{path(at)}`: {note.message}")


def _repeats(items: Iterable[Item]) -> Iterator[Fault]:
    """Ids that are taken."""
    first: dict[str, Item] = {}
    for item in items:
        name = item.text("id")
        if name and name in first:
            there = f"{first[name].document.path}:{first[name].line('id')}"
            message = f"{item.what} id `{name}` is taken, by the {first[name].what} at {there}"
            yield Fault(item.document.path, item.line("id"), message)
        elif name:
            first[name] = item


# --- the course ---------------------------------------------------------------------------------


def _glossary(items: Iterable[Item]) -> Iterator[Fault]:
    first: dict[str, Item] = {}
    for item in items:
        name = plain(item.text("term") or "")
        if name in first:
            yield _fault(item, f"the term is also defined at line {first[name].line()}", "term")
        elif name:
            first[name] = item


def _errata(items: list[Item], names: _Names) -> Iterator[Fault]:
    yield from _repeats(items)
    for item in items:
        claim = item.text("claim")
        if claim is not None and (message := names.unknown_claim(claim, None)):
            yield _fault(item, message, "claim")


# --- a lesson -----------------------------------------------------------------------------------


def _lesson(lesson: LessonDraft, names: _Names) -> Iterator[Fault]:
    for item in lesson.items():
        yield from _item(item, names, lesson.id)
        yield from _place(item, lesson)
    yield from _repeats([*(lesson.predictions or []), *(lesson.questions or [])])
    yield from _repeats(lesson.claims or [])
    yield from _taught(lesson)
    yield from _cards(lesson.cards or [])
    yield from _pictures(lesson)
    yield from _head(lesson)
    yield from _page(lesson, names)


def _place(item: Item, lesson: LessonDraft) -> Iterator[Fault]:
    """The section and the objective an entry belongs to."""
    sections, objectives = _sections(lesson), _objectives(lesson)
    for name, known in (("section", sections), ("objective", objectives)):
        value = item.text(name)
        if value is not None and (message := unknown(name, value, known)):
            yield _fault(item, message, name)


def _sections(lesson: LessonDraft) -> Names:
    page = lesson.page
    names = [section.id for section in page.sections] if page and page.whole else None
    return names if names and all(names) else None


def _objectives(lesson: LessonDraft) -> Names:
    return None if lesson.head is None else [name for name, _ in _listed(lesson.head, "objectives")]


def _listed(head: Item, name: str) -> Iterator[tuple[str, int]]:
    """The ids in a list of the front matter, with their lines."""
    entries = head.raw.get(name) if isinstance(head.raw, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        value = entry.get("id") if isinstance(entry, dict) else None
        if isinstance(value, str):
            yield value, head.line(name, index, "id")


def _taught(lesson: LessonDraft) -> Iterator[Fault]:
    """The section that each objective names."""
    entries = lesson.head.raw.get("objectives") if lesson.head and lesson.head.entry else None
    for index, entry in enumerate(entries or []):
        if lesson.head and (message := unknown("section", entry["section"], _sections(lesson))):
            yield _fault(lesson.head, message, "objectives", index, "section")


def _cards(items: Iterable[Item]) -> Iterator[Fault]:
    for item in items:
        for at, text in texts(item.model, item.raw) if item.model is BasicCard else ():
            if cloze.read(text).gaps:
                yield _fault(item, "a basic card has no gaps: add `kind: cloze`", *at)


def _ids_of_gaps(cards: Sequence[Item]) -> Iterator[Fault]:
    """Cards with an id that the further gaps of a sentence have."""
    sentences = {item.text("id"): item for item in cards if item.model is ClozeCard}
    given = {
        cloze.card_id(name, number): name
        for name, item in sentences.items()
        if name
        for number in cloze.numbers(item.text("text") or "")[1:]
    }
    for item in cards:
        if sentence := given.get(item.text("id") or ""):
            yield _fault(
                item, f"the id is that of a gap of card `{sentence}`: choose another", "id"
            )


def _pictures(lesson: LessonDraft) -> Iterator[Fault]:
    """The figures that cards show: of this lesson, and drawn for decks."""
    figures = [name for name, _ in _listed(lesson.head, "figures")] if lesson.head else None
    for item in lesson.cards or []:
        name = item.text("figure")
        if name is None:
            continue
        if message := unknown("figure", name, figures):
            yield _fault(item, message, "figure")
        elif name not in lesson.pictures:
            missing = lesson.file(f"{name}.png")
            yield _fault(item, f"there is no {missing}: a deck needs the figure as PNG", "figure")


def _head(lesson: LessonDraft) -> Iterator[Fault]:
    head = lesson.head
    if head is None or not isinstance(head.raw, dict):
        return
    figures = head.raw.get("key_figures")
    for index, name in enumerate(figures if isinstance(figures, list) else []):
        message = unknown("claim", name, _ids(lesson.claims)) if isinstance(name, str) else None
        if message:
            yield _fault(head, f"key figure: {message}", "key_figures", index)
    for what in ("objectives", "figures"):
        seen: set[str] = set()
        for name, line in _listed(head, what):
            if name in seen:
                message = f"{what.removesuffix('s')} id `{name}` is taken"
                yield Fault(head.document.path, line, message)
            seen.add(name)


# --- the text of a lesson -----------------------------------------------------------------------


def _page(lesson: LessonDraft, names: _Names) -> Iterator[Fault]:
    page, file = lesson.page, lesson.file("lesson.md")
    if page is None:
        return
    for line, message in page.mistakes:
        yield Fault(file, line, message)
    for line, role in page.roles:
        if wrong := names.unknown(role, lesson.id):
            yield Fault(file, line, wrong)
    for line, message in [*_same_sections(page.sections), *_pointing(lesson, names)]:
        yield Fault(file, line, message)
    for line, message in _formulas(lesson):
        yield Fault(file, line, message)
    yield from _predictions(lesson)
    yield from _figures(lesson)


def _formulas(lesson: LessonDraft) -> Iterator[tuple[int, str]]:
    """What each displayed formula says it rests on. That a derivation has a line, tests check."""
    for line, basis, target in lesson.page.formulas if lesson.page else ():
        if not basis:
            yield line, _BASELESS
        elif basis == "line" and not _LINE.fullmatch(target):
            yield line, f"`% line {target}`: expected derivation/line, as `% line dpo/reward`"
        elif basis == "claim" and (message := unknown("claim", target, _ids(lesson.claims))):
            yield line, message


_LINE = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")
_BASELESS = (
    "the formula does not say what it rests on: start it with a line `% definition`, "
    "`% line derivation/line` or `% claim its-id`"
)


def _same_sections(sections: list[Section]) -> Iterator[tuple[int, str]]:
    first: dict[str, int] = {}
    for section in sections:
        if section.id and section.id in first:
            yield section.line, f"section id `{section.id}` is taken, at line {first[section.id]}"
        first.setdefault(section.id, section.line)


def directives(sections: Iterable[Section]) -> Iterator[tuple[Section, Directive]]:
    """Every directive with its section."""
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Directive):
                yield section, block


def _pointing(lesson: LessonDraft, names: _Names) -> Iterator[tuple[int, str]]:
    """What directives point to, and those that may stand only once."""
    page, head = lesson.page, lesson.head
    figures = None if head is None else [name for name, _ in _listed(head, "figures")]
    known: dict[str, tuple[str, Names]] = {
        "predict": ("prediction", _ids(lesson.predictions)),
        "figure": ("figure", figures),
        "paper": ("source", names.sources),
    }
    count: Counter[tuple[str, str]] = Counter()
    for _, directive in directives(page.sections if page else ()):
        name, argument = directive.name, directive.argument
        what, there = known.get(name, ("", None))
        if argument and (message := unknown(what, argument, there)):
            yield directive.line, message
        count[name, argument] += 1
        if name in ONCE and count[name, argument] == 2:
            yield directive.line, f"`:::{{{name}}} {argument}".strip() + "` stands here twice"


def _predictions(lesson: LessonDraft) -> Iterator[Fault]:
    """Each is asked in its own section: by `:::{predict}`, or by the lab of that section."""
    page = lesson.page
    if page is None or _sections(lesson) is None:
        return
    found = list(directives(page.sections))
    asked = {made.argument: section.id for section, made in found if made.name == "predict"}
    labs = {section.id for section, made in found if made.name == "lab"}
    for item in lesson.predictions or []:
        name, section = item.text("id"), item.text("section")
        if name in asked and section not in {None, asked[name]}:
            yield _fault(item, f"it is asked in section `{asked[name]}`, not here", "section")
        elif name and name not in asked and section not in labs:
            yield _fault(item, f"never asked: put `:::{{predict}} {name}` into the lesson", "id")


def _figures(lesson: LessonDraft) -> Iterator[Fault]:
    page, head = lesson.page, lesson.head
    if page is None or head is None or not page.whole:
        return
    drawn = {made.argument for _, made in directives(page.sections) if made.name == "figure"}
    for name, line in _listed(head, "figures"):
        if name not in drawn:
            message = f"figure `{name}` is never drawn: put `:::{{figure}} {name}` into the text"
            yield Fault(head.document.path, line, message)
