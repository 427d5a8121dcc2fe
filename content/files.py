"""Reading files so that every value keeps the line it stands on.

Nothing here trusts a file: size, encoding, depth and YAML features are bounded, because anybody
may be handed a course folder. YAML is read with the plain values of YAML 1.2 (only `true` and
`false` are booleans, `1e-6` is a number, a date is text), so that no word changes its meaning.
"""

import re
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from content.faults import Fault

MOST_BYTES = 1_000_000
MOST_LEVELS = 20
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # parsing only: no object is built

_Event = Any  # PyYAML's events have no typed base in common

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {
    "": None, "~": None, "null": None, "true": True, "false": False,
    ".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan"),
}  # fmt: skip

At = tuple[str | int, ...]  # where a value is in a document: ("options", 1, "text")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a value stands; lines and columns counted from 0."""

    named: int  # the line of its key, or its own in a list
    first: int
    column: int
    last: int
    style: str  # "|", ">", "'", '"' or "" for plain


@dataclass(frozen=True)
class Document:
    """Plain data out of YAML, and the line of everything in it."""

    path: str
    data: Any
    marks: dict[At, Mark]
    lines: list[str]
    above: int = 0  # lines of the file before this document: front matter starts below `---`

    def line(self, *at: str | int) -> int:
        """The line, from 1, of the value at `at`, or of the nearest thing that contains it."""
        while at and at not in self.marks:
            at = at[:-1]
        mark = self.marks.get(at)
        return (mark.named if mark else 0) + 1 + self.above

    def line_within(self, at: At, offset: int) -> int:
        """The line, from 1, of character `offset` in the text at `at`."""
        mark = self.marks[at]
        before = sum(not character.isspace() for character in self.get(at)[:offset])
        return _line_after(self._written(mark), mark.style, before) + mark.first + 1 + self.above

    def get(self, at: At) -> Any:  # noqa: ANN401 - whatever the file holds
        """The value at `at`."""
        value = self.data
        for step in at:
            value = value[step]
        return value

    def _written(self, mark: Mark) -> str:
        lines = self.lines[mark.first : mark.last + 1]
        if not lines:
            return ""
        head = "" if mark.style in {"|", ">"} else lines[0][mark.column :]
        return "\n".join([head, *lines[1:]])


_PIECE = {  # what stands for one character of the value, by style; else every character does
    "'": re.compile(r"''|\S"),
    '"': re.compile(r"\\(?:x(?P<a>..)|u(?P<b>.{4})|U(?P<c>.{8})|(?P<d>\n|.))|\S"),
}
_BLANK = frozenset("ntr vfN_LP\n")  # escapes that stand for white space, or for nothing


def _line_after(written: str, style: str, count: int) -> int:
    """How many lines down the visible character number `count` of a scalar is written."""
    start = 1 if style in _PIECE else 0  # past the quote
    for piece in _PIECE.get(style, re.compile(r"\S")).finditer(written, start):
        if _is_blank(piece):
            continue
        if count == 0:
            return written.count("\n", 0, piece.start())
        count -= 1
    return 0


def _is_blank(piece: re.Match[str]) -> bool:
    found = piece.groupdict()
    code = found.get("a") or found.get("b") or found.get("c")
    return chr(int(code, 16)).isspace() if code else found.get("d") in _BLANK


@dataclass
class Reader:
    """Reads the files of one folder and remembers what is wrong with them."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, line: int, message: str) -> None:
        """Remember a fault and go on."""
        self.faults.append(Fault(path, line, message))

    def text(self, path: str) -> str | None:
        """The text of a file with plain line ends, or None after noting why there is none."""
        raw = self._bytes(path)
        if raw is None:
            return None
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.fault(path, line, f"not UTF-8 at byte {error.start}; save the file as UTF-8")
            return None
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text if self._is_clean(path, text) else None

    def document(self, path: str) -> Document | None:
        """A YAML file, or None after noting why it cannot be read."""
        text = self.text(path)
        return None if text is None else self.parse(path, text)

    def parse(self, path: str, text: str, *, above: int = 0) -> Document | None:
        """YAML text that starts `above` lines down a file."""
        try:
            composer = _Composer(path, text, above)
            document = composer.document()
        except _RefusedError as refused:
            self.fault(path, refused.line + 1 + above, str(refused))
        except yaml.YAMLError as error:
            line = min(_line_of(error), text.count("\n")) + 1 + above
            self.fault(path, line, f"not YAML: {_problem(error, above)}")
        else:
            for line, message in composer.repeats:
                self.fault(path, line, message)
            return document
        return None

    def _bytes(self, path: str) -> bytes | None:
        try:
            raw = self._regular(path)
        except (FileNotFoundError, NotADirectoryError):
            self.fault(path, 1, "this file is missing; every course and every lesson has it")
        except OSError as error:
            self.fault(path, 1, f"cannot be read: {error.strerror or error}")
        else:
            if len(raw) <= MOST_BYTES:
                return raw
            self.fault(path, 1, f"larger than {MOST_BYTES:,} bytes; split it")
        return None

    def _regular(self, path: str) -> bytes:
        file = self.folder / path
        if not stat.S_ISREG(file.stat().st_mode):  # a pipe would keep the reader waiting
            raise OSError("expected a file, not a folder or a device")
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)

    def _is_clean(self, path: str, text: str) -> bool:
        for match in re.finditer(
            r"[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ufffd\U00010000-\U0010ffff]", text
        ):
            name = unicodedata.name(match.group(), "control character")
            line = text.count("\n", 0, match.start()) + 1
            code = f"U+{ord(match.group()):04X}"
            self.fault(path, line, f"invisible character {code} ({name.lower()}); delete it")
            return False
        return True


def _line_of(error: yaml.YAMLError) -> int:
    """Where to look, from 0: for what lacks its end, where it starts."""
    mark: Any = getattr(error, "problem_mark", None)
    begun: Any = getattr(error, "context_mark", None)
    if begun and any(words in str(error) for words in ("end of stream", "expected ':'")):
        mark = begun
    return int(mark.line) if mark else 0


def _problem(error: yaml.YAMLError, above: int) -> str:
    problem = str(getattr(error, "problem", None) or "it cannot be read")
    begun: Any = getattr(error, "context_mark", None)
    if begun and begun.line != _line_of(error):
        context = getattr(error, "context", "")
        problem += f" {context} that starts in line {begun.line + 1 + above}"
    return problem + next((hint for words, hint in _HINTS.items() if words in problem), "")


_HINTS = {
    "mapping values are not allowed": "; text with `: ` in it needs quotes",
    "cannot start any token": "; text that starts with a sign such as @ or % needs quotes",
    "tab character": "; indent with spaces",
    "did not find expected key": "; check the indentation and the quotes",
}


class _RefusedError(ValueError):
    """YAML that is well formed and still not taken."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class _Composer:
    """Builds plain data and marks out of YAML events; one pass, bounded depth, no aliases."""

    def __init__(self, path: str, text: str, above: int) -> None:
        self.path, self.text, self.above = path, text, above
        self.marks: dict[At, Mark] = {}
        self.repeats: list[tuple[int, str]] = []  # the first of two equal keys counts
        self.events: Iterator[_Event] = yaml.parse(text, Loader=_LOADER)

    def document(self) -> Document:
        data: object = None
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if self.marks:
                    raise _RefusedError("a second YAML document starts here", _line(event))
                data = self._value(next(self.events), (), _line(event))
        return Document(self.path, data, self.marks, self.text.split("\n"), self.above)

    def _value(self, event: _Event, at: At, named: int) -> object:
        self._refuse(event, at)
        start, end = event.start_mark, event.end_mark
        style = getattr(event, "style", "") or ""
        self.marks[at] = Mark(named, start.line, start.column, end.line, style)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(at)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(at)
        return _scalar(event.value) if event.implicit[0] else event.value

    def _mapping(self, at: At) -> dict[str, object]:
        found: dict[str, object] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            self._refuse(event, at)
            if not isinstance(event, yaml.ScalarEvent):
                raise _RefusedError("a key must be a word", _line(event))
            key, line = str(event.value), _line(event)
            if key in found:
                self._repeated(key, at, line)
            else:
                found[key] = self._value(next(self.events), (*at, key), line)
        return found

    def _repeated(self, key: str, at: At, line: int) -> None:
        """Note a key that is there twice, and read on past its value."""
        first = self.marks[(*at, key)].named + 1 + self.above
        self.repeats.append(
            (line + 1 + self.above, f"`{key}` is given twice; first in line {first}")
        )
        self._value(next(self.events), (*at, key, "again"), line)

    def _sequence(self, at: At) -> list[object]:
        found: list[object] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*at, len(found)), _line(event)))
        return found

    def _refuse(self, event: _Event, at: At) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            message = "anchors (&) and aliases (*) are not taken; write it out"
            raise _RefusedError(message, _line(event))
        if event.tag and event.tag != "!":
            message = f"tags such as {event.tag} are not taken; write plain values"
            raise _RefusedError(message, _line(event))
        if len(at) > MOST_LEVELS:
            raise _RefusedError(f"nested more than {MOST_LEVELS} levels deep", _line(event))


def _line(event: _Event) -> int:
    return int(event.start_mark.line)


def _scalar(text: str) -> object:
    """A plain value of YAML 1.2."""
    if text.lower() in _WORDS and text in {text.lower(), text.capitalize(), text.upper()}:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text) and len(text) < 100:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
