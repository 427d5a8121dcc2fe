"""Scores as text: one column of numbers, an id and a score, or rows of probabilities.

Text in, numbers out; no file is opened here. Columns are separated by commas, semicolons or tabs,
and with the latter two a decimal comma is read as well. Whatever is wrong is told at once, each
fault with its row and column as an editor or a spreadsheet counts them, from 1.
"""

import csv
import io
import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from engine.errors import EngineError

MOST_CHARACTERS = 2_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 100
MOST_FAULTS = 20  # told; the rest are counted
ROUNDING = 0.011  # what probabilities may miss 1 by before they are scaled to it

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TWO_OR_DECIMAL = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_MISSING = {"", "na", "n/a", "nan", "none", "null", "inf", "-inf", "infinity", "-infinity"}
_ID_NAMES = {"id", "ids", "item", "key", "name", "memo", "index", "case", "question"}


class Fault(NamedTuple):
    """Something wrong in one place."""

    row: int  # from 1, blank lines counted
    column: int | None  # from 1; None for the row as a whole
    text: str  # what was expected, what came, what to do

    def place(self) -> tuple[int, int]:
        """Return where it is, for sorting: row by row, the row as a whole first."""
        return self.row, self.column or 0

    def __str__(self) -> str:
        """Return it with its place."""
        place = (
            f"Row {self.row}" if self.column is None else f"Row {self.row}, column {self.column}"
        )
        return f"{place}: {self.text}"


class ScoreFileError(EngineError):
    """A text does not hold scores; `faults` says where and why, the first twenty of them."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults[:MOST_FAULTS])
        self.more = len(faults) - len(self.faults)
        lines = [str(fault) for fault in self.faults]
        if self.more:
            lines.append(f"And {self.more} more like these.")
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class ScoreFile:
    """What a text holds."""

    header: tuple[str, ...]  # the names of the columns, or none
    ids: tuple[str, ...]  # of the rows, or none
    rows: tuple[tuple[float, ...], ...]  # one score each, or one probability per outcome

    @property
    def kind(self) -> Literal["scores", "probabilities"]:
        """Whether each row is one score or a distribution."""
        return "scores" if len(self.rows[0]) == 1 else "probabilities"

    def tensor(self) -> Tensor:
        """The scores (items,) or the probabilities (items, outcomes), in double precision."""
        table = torch.tensor(self.rows, dtype=torch.float64)
        return table.squeeze(1) if self.kind == "scores" else table


class Matched(NamedTuple):
    """Two files brought together."""

    base: Tensor  # (items,) or (items, outcomes)
    tuned: Tensor  # the same
    how: Literal["by id", "by row", "unpaired"]
    left_out: tuple[int, int]  # rows of base and of tuned whose id the other lacks


class _Row(NamedTuple):
    number: int  # from 1
    cells: list[str]


class _Found(NamedTuple):
    faults: list[Fault]
    ids: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]


def parse(text: str) -> ScoreFile:
    """Read scores from the text of a file.

    The first row is taken for a header if its last cell is a word. The first column holds ids if
    the header says so, if most of it is no numbers, or if the rest alone makes sense.

    Raises:
        ScoreFileError: with every fault, by row and column.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    _check_size(text)
    separator = _separator(text)
    header, body = _split_header(_cells(text, separator))
    wide = len(header) or Counter(len(row.cells) for row in body).most_common(1)[0][0]
    _check_shape(header, body, wide, separator)
    faults = _ragged(body, wide)
    body = [row for row in body if len(row.cells) == wide]
    found = _read(body, [name.lower() for name in header], decimal_comma=separator != ",")
    if faults + found.faults:
        raise ScoreFileError(sorted(faults + found.faults, key=Fault.place))
    return ScoreFile(tuple(header), found.ids, found.rows)


def match(base: ScoreFile, tuned: ScoreFile) -> Matched:
    """Two files side by side: by id if both have ids, by row if they are equally long.

    Raises:
        ScoreFileError: one holds scores and the other probabilities, their outcomes differ in
            number, or no id is in both.
    """
    wide = len(base.rows[0]), len(tuned.rows[0])
    if wide[0] != wide[1]:
        told = f"expected {_columns(wide[0])} of numbers as in the base file, got {wide[1]}."
        raise ScoreFileError([Fault(1, None, f"{told} Compare files of one kind.")])
    if base.ids and tuned.ids:
        return _by_id(base, tuned)
    same = len(base.rows) == len(tuned.rows)
    return Matched(base.tensor(), tuned.tensor(), "by row" if same else "unpaired", (0, 0))


def _by_id(base: ScoreFile, tuned: ScoreFile) -> Matched:
    here = {each: row for row, each in enumerate(base.ids)}
    there = {each: row for row, each in enumerate(tuned.ids)}
    both = [each for each in base.ids if each in there]
    if not both:
        told = f"expected an id of the base file, such as {base.ids[0]!r}, got {tuned.ids[0]!r}."
        raise ScoreFileError([Fault(1, 1, f"{told} Give the same item the same id in both files.")])
    left = base.tensor()[[here[each] for each in both]]
    right = tuned.tensor()[[there[each] for each in both]]
    return Matched(left, right, "by id", (len(here) - len(both), len(there) - len(both)))


def _check_size(text: str) -> None:
    if len(text) > MOST_CHARACTERS:
        told = f"expected at most {MOST_CHARACTERS:,} characters, got {len(text):,}. Cut the file."
        raise ScoreFileError([Fault(1, None, told)])
    place = text.find("\0")
    if place >= 0:
        row = text.count("\n", 0, place) + 1
        told = "expected text, got a zero byte. Save the file as CSV, in UTF-8."
        raise ScoreFileError([Fault(row, None, told)])


def _separator(text: str) -> str:
    """The separator used: a semicolon or a tab outside of quotes on most lines, else a comma."""
    lines = [line for line in re.sub(r'"[^"]*"', "", text).split("\n") if line.strip()]
    common = (each for each in ";\t" if 2 * sum(each in line for line in lines) > len(lines))
    return next(common, ",")


def _cells(text: str, separator: str) -> list[_Row]:
    """Rows with something in them, each numbered by the line on which it begins."""
    reader = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    rows, begins = [], 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                rows.append(_Row(begins, stripped))
            begins = reader.line_num + 1
    except csv.Error as error:
        told = f"expected cells that can be told apart, got this: {error}. Check the quotes."
        raise ScoreFileError([Fault(begins, None, told)]) from error
    return rows


def _split_header(rows: list[_Row]) -> tuple[list[str], list[_Row]]:
    """The names in the first row, if its last cell is a word, and the rows of numbers."""
    if not rows:
        raise ScoreFileError([Fault(1, None, "expected a row of numbers, got an empty file.")])
    last = rows[0].cells[-1]
    word = last[:1].isalpha() and last.lower() not in _MISSING
    header, body = (rows[0].cells, rows[1:]) if word else ([], rows)
    if not body:
        told = "expected numbers below the header, got none. Add a row for each item."
        raise ScoreFileError([Fault(rows[0].number, None, told)])
    return header, body


def _check_shape(header: list[str], body: list[_Row], wide: int, separator: str) -> None:
    """Refuse a text that is too long, too wide or open to two readings."""
    row = body[0].number
    if len(body) > MOST_ROWS:
        row = body[MOST_ROWS].number
        told = f"expected at most {MOST_ROWS:,} rows of numbers, got {len(body):,}. Cut the file."
    elif wide > MOST_COLUMNS:
        told = f"expected at most {MOST_COLUMNS} columns, got {wide}. Keep the scores alone."
    elif separator == "," and _perhaps_decimal(header, body):
        told = f"expected 1 column or 2, got {','.join(body[0].cells)}, which may be either. "
        told += "Write a decimal point, or put a header with the names of both columns on top."
    else:
        return
    raise ScoreFileError([Fault(row, None, told)])


def _ragged(body: list[_Row], wide: int) -> list[Fault]:
    """Rows with more cells than the others, or fewer."""
    advice = "Give each row the same number of cells; quote a cell that holds a separator."
    return [
        Fault(row.number, None, f"expected {_columns(wide)}, got {len(row.cells)}. {advice}")
        for row in body
        if len(row.cells) != wide
    ]


def _read(body: list[_Row], header: list[str], *, decimal_comma: bool) -> _Found:
    """The numbers of rows that are equally wide, and every fault in them."""
    if not body:
        return _Found([], (), ())
    table = [[_value(cell, decimal_comma=decimal_comma) for cell in row.cells] for row in body]
    first = int(_has_ids(header, body, table))
    faults = _no_numbers(body, table, first) + (_id_faults(body) if first else [])
    rows = [[value for value in row[first:] if value is not None] for row in table]
    if len(body[0].cells) - first > 1:
        faults += _no_distributions(body, rows, first)
        rows = [[value / (sum(values) or 1.0) for value in values] for values in rows]
    return _Found(faults, tuple(row.cells[0] for row in body if first), tuple(map(tuple, rows)))


def _perhaps_decimal(header: list[str], body: list[_Row]) -> bool:
    """Whether all rows read as 0,5 and no header says that there are two columns."""
    joined = (",".join(row.cells) for row in body)
    return len(header) < 2 and all(_TWO_OR_DECIMAL.fullmatch(each) for each in joined)


def _has_ids(header: list[str], body: list[_Row], table: list[list[float | None]]) -> bool:
    """Whether the first column names the items."""
    wide = len(table[0])
    if wide == 1 or (header and header[0] in _ID_NAMES):
        return wide > 1
    words = sum(row.cells[0] != "" and v[0] is None for row, v in zip(body, table, strict=True))
    whole, rest = (_summing_to_one(table, start) for start in (0, 1))
    some = 2 * whole <= len(body) if wide == 2 else rest > whole
    return 2 * words > len(body) or some


def _summing_to_one(table: list[list[float | None]], start: int) -> int:
    """How many rows sum to one from that column on."""
    sums = (sum(value or 0.0 for value in row[start:]) for row in table)
    return sum(abs(each - 1) <= ROUNDING for each in sums)


def _no_numbers(body: list[_Row], table: list[list[float | None]], first: int) -> list[Fault]:
    """What stands where a number should."""
    return [
        Fault(row.number, place, _no_number(row.cells[place - 1]))
        for row, values in zip(body, table, strict=True)
        for place, value in enumerate(values, 1)
        if place > first and value is None
    ]


def _value(cell: str, *, decimal_comma: bool) -> float | None:
    """The finite number in a cell, if it is one."""
    if decimal_comma and "." not in cell:
        cell = cell.replace(",", ".", 1)
    if not _NUMBER.fullmatch(cell):
        return None
    value = float(cell)
    return value if math.isfinite(value) else None


def _no_number(cell: str) -> str:
    shown = repr(cell if len(cell) <= 40 else cell[:39] + "…")
    if not cell:
        return "expected a number, got an empty cell. Fill it in, or take the row out."
    if cell.lower() in _MISSING:
        return f"expected a number, got {shown}. Take out rows without a score."
    if cell.endswith("%"):
        return f"expected a number, got {shown}. Write 50% as 0.5."
    if _NUMBER.fullmatch(cell):
        return f"expected a number that a computer can hold, got {shown}. Check its exponent."
    return f"expected a number, got {shown}. Write it like 0.5, without units or spaces."


def _id_faults(body: list[_Row]) -> list[Fault]:
    """Ids that are missing or stand twice."""
    seen: dict[str, int] = {}
    faults = []
    for row in body:
        name = row.cells[0]
        if not name:
            faults.append(Fault(row.number, 1, "expected an id, got an empty cell. Name the item."))
        elif name in seen:
            told = f"expected each id once, got {name!r} as in row {seen[name]}. Keep one of them."
            faults.append(Fault(row.number, 1, told))
        seen.setdefault(name, row.number)
    return faults


def _no_distributions(body: list[_Row], rows: list[list[float]], first: int) -> list[Fault]:
    """What keeps rows of numbers from being distributions."""
    faults = []
    for row, values in zip(body, rows, strict=True):
        if len(values) < len(row.cells) - first:
            continue  # a cell that is no number has been told
        bad = [place for place, value in enumerate(values, first + 1) if not 0 <= value <= 1]
        faults += [Fault(row.number, at, _no_probability(row.cells[at - 1])) for at in bad]
        if not bad and abs(sum(values) - 1) > ROUNDING:
            told = f"expected probabilities that sum to 1, got a sum of {sum(values):.4g}."
            faults.append(
                Fault(row.number, None, f"{told} Give each outcome's, or one score a row.")
            )
    return faults


def _no_probability(cell: str) -> str:
    return f"expected a probability from 0 to 1, got {cell}. Divide percents by 100."


def _columns(number: int) -> str:
    return "1 column" if number == 1 else f"{number} columns"
