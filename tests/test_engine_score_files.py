"""Score files: what is read, what is refused, and that each fault has its row and column."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import score_files
from engine.errors import EngineError
from engine.score_files import Fault, ScoreFile, ScoreFileError, match, parse

ONE = ((0.1,), (0.5,))
GOOD = {
    "one column": ("0.1\n0.5\n", (), ONE),
    "with a header": ("score\n0.1\n0.5", (), ONE),
    "blank lines": ("\n0.1\n\n \n0.5\n\n", (), ONE),
    "spaces": (" 0.1 \n 0.5", (), ONE),
    "old and new line ends": ("0.1\r0.5\r\n", (), ONE),
    "a byte order mark": ("\ufeffscore\r\n0.1\r\n0.5", (), ONE),
    "other ways to write": ("1e-1\n+.5", (), ONE),
    "ids": ("id,score\na,0.1\nb,0.5", ("a", "b"), ONE),
    "ids without a header": ("a,0.1\nb,0.5", ("a", "b"), ONE),
    "ids that are numbers": ("id,score\n7,0.1\n8,0.5", ("7", "8"), ONE),
    "numbers that are ids": ("7,0.1\n8,0.5", ("7", "8"), ONE),
    "semicolons and decimal commas": ("id;score\na;0,1\nb;0,5", ("a", "b"), ONE),
    "tabs": ("a\t0.1\nb\t0,5", ("a", "b"), ONE),
    "quoted ids": ('"a, b",0.1\n"say ""c""",0.5', ("a, b", 'say "c"'), ONE),
    "a quoted line break": ('"a\nb",0.1\nc,0.5', ("a\nb", "c"), ONE),
    "probabilities": ("0.25,0.75\n0.5,0.5", (), ((0.25, 0.75), (0.5, 0.5))),
    "named outcomes": ("yes;no\n0,25;0,75\n1;0", (), ((0.25, 0.75), (1.0, 0.0))),
    "probabilities with ids": ("a,0.25,0.75\nb,1,0", ("a", "b"), ((0.25, 0.75), (1.0, 0.0))),
    "numbered probabilities": ("1,0.25,0.75\n2,1,0", ("1", "2"), ((0.25, 0.75), (1.0, 0.0))),
    "grades beyond one": ("id,grade\na,4\nb,-5", ("a", "b"), ((4.0,), (-5.0,))),
}
# text, and (row, column, a word of the message) of every fault
BAD: dict[str, tuple[str, list[tuple[int, int | None, str]]]] = {
    "nothing": ("", [(1, None, "empty file")]),
    "blank": ("\n \n", [(1, None, "empty file")]),
    "a header alone": ("\nid,score\n", [(2, None, "below the header")]),
    "a word": ("0.1\nmuch\n0.3", [(2, 1, "'much'")]),
    "several at once": (
        "id,score\na,x\n\na,nan\n,50%\nb,1e999\nc\nd,",
        [
            (2, 2, "'x'"),
            (4, 1, "as in row 2"),
            (4, 2, "without a score"),
            (5, 1, "Name the item"),
            (5, 2, "50% as 0.5"),
            (6, 2, "exponent"),
            (7, None, "expected 2 columns, got 1"),
            (8, 2, "empty cell"),
        ],
    ),
    "what only a program reads": (
        "1\n1_000\n٣\n1 2\n0x10\n1,5",
        [
            (2, 1, "1_000"),
            (3, 1, "٣"),
            (4, 1, "1 2"),
            (5, 1, "0x10"),
            (6, None, "expected 1 column, got 2"),
        ],
    ),
    "infinity": ("0.1\ninf\n-Infinity", [(2, 1, "'inf'"), (3, 1, "-Infinity")]),
    "NaN at once": ("NaN\n0.1", [(1, 1, "'NaN'")]),
    "decimal commas": ("0,5\n0,7", [(1, None, "which may be either")]),
    "decimal commas below a header": ("score\n0,5", [(2, None, "which may be either")]),
    "quoted decimal commas": ('score\n"0,5"\n0.7', [(2, 1, "'0,5'")]),
    "both separators": ("a;0.1\nb,0.2;0.3;1", [(2, None, "got 3")]),
    "thousands": ("a;1,234.5", [(1, 2, "1,234.5")]),
    "an open quote": ('a,0.1\n"b,0.2\nc,0.3', [(2, None, "quotes")]),
    "a quote in the middle": ('a,0.1\n"b"c,0.2', [(2, None, "quotes")]),
    "a zero byte": ("0.1\n0.\x002", [(2, None, "zero byte")]),
    "sums": ("0.2,0.8\n0.5,0.4\n0.5,0.5", [(2, None, "a sum of 0.9")]),
    "percents": (
        "a,20,80\nb,0.5,0.5",
        [(1, 2, "Divide percents"), (1, 3, "Divide percents")],
    ),
    "no probability": (
        "0.5,0.5\n0.2,0.8\n1.5,-0.5",
        [(3, 1, "got 1.5"), (3, 2, "got -0.5")],
    ),
    "no number among probabilities": ("0.5,0.5\n0.5,?\n0.2,0.8", [(2, 2, "'?'")]),
    "after a quoted line break": ('"a\nb",0.1\nc,zz', [(3, 2, "'zz'")]),
    "too many columns": (",".join(["0.001"] * 101), [(1, None, "at most 100 columns")]),
}


def read(text: str) -> ScoreFile | tuple[Fault, ...]:
    """Return what the text holds, or its faults."""
    try:
        return parse(text)
    except ScoreFileError as error:
        return error.faults


@pytest.mark.parametrize(("text", "ids", "rows"), GOOD.values(), ids=GOOD)
def test_each_layout_is_read(
    text: str, ids: tuple[str, ...], rows: tuple[tuple[float, ...], ...]
) -> None:
    found = parse(text)
    assert found.ids == ids
    assert found.rows == rows
    assert found.kind == ("scores" if len(rows[0]) == 1 else "probabilities")
    assert found.tensor().shape == ((2,) if len(rows[0]) == 1 else (2, 2))


@pytest.mark.parametrize(("text", "faults"), BAD.values(), ids=BAD)
def test_each_fault_is_told_with_its_place(
    text: str, faults: list[tuple[int, int | None, str]]
) -> None:
    with pytest.raises(ScoreFileError) as caught:
        parse(text)
    found = caught.value.faults
    assert [fault[:2] for fault in found] == [fault[:2] for fault in faults]
    for fault, (row, column, word) in zip(found, faults, strict=True):
        assert word in fault.text
        place = f"Row {row}: " if column is None else f"Row {row}, column {column}: "
        assert str(fault).startswith(place + "expected ")
        assert str(fault) in str(caught.value)


def test_probabilities_rounded_for_print_are_scaled_and_worse_ones_refused() -> None:
    assert parse("0.33,0.33,0.33\n0.2,0.3,0.5").rows[0] == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    with pytest.raises(ScoreFileError, match=r"a sum of 0\.96"):
        parse("0.32,0.32,0.32\n0.2,0.3,0.5\n0.2,0.3,0.5")


def test_twenty_faults_are_told_and_the_rest_counted() -> None:
    with pytest.raises(ScoreFileError, match="And 10 more like these") as caught:
        parse("0.5\n" + "bad\n" * 30)
    assert len(caught.value.faults) == 20
    assert caught.value.more == 10
    assert isinstance(caught.value, EngineError)


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(ScoreFileError, match="at most 20,000 rows") as caught:
        parse("score\n" + "0.5\n" * 20_001)
    assert caught.value.faults[0].row == 20_002
    with pytest.raises(ScoreFileError, match="characters"):
        parse("0" * (score_files.MOST_CHARACTERS + 1))
    assert len(parse("0.5\n" * 20_000).rows) == 20_000


def test_files_are_joined_by_id_in_whatever_order_they_come() -> None:
    base, tuned = parse("a,0.1\nb,0.2\nc,0.3"), parse("id;score\nc;0,9\nx;0,5\na;0,7")
    found = match(base, tuned)
    assert (found.how, found.left_out) == ("by id", (1, 1))
    assert found.base.tolist() == [0.1, 0.3]
    assert found.tuned.tolist() == [0.7, 0.9], "by row it would have been 0.9 and 0.5"


def test_files_without_ids_are_joined_by_row_or_not_at_all() -> None:
    assert match(parse("0.1\n0.2"), parse("0.3\n0.4")).how == "by row"
    assert match(parse("0.1\n0.2"), parse("a,0.3\nb,0.4")).how == "by row"
    assert match(parse("0.1\n0.2"), parse("0.3\n0.4\n0.5")).how == "unpaired"


def test_files_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ScoreFileError, match="files of one kind"):
        match(parse("0.1\n0.2"), parse("0.5,0.5\n0.1,0.9"))
    with pytest.raises(ScoreFileError, match="the same id in both"):
        match(parse("a,0.1"), parse("b,0.1"))


@settings(max_examples=80)
@given(st.text(alphabet='019.,;\t"\n\r -+eaé%\0', max_size=80))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    found = read(text)
    if isinstance(found, ScoreFile):
        assert len({len(row) for row in found.rows}) == 1
        assert all(abs(value) < float("inf") for row in found.rows for value in row)
        return
    assert 1 <= len(found) <= score_files.MOST_FAULTS
    assert all(fault.row >= 1 and "expected" in fault.text for fault in found)
    assert all(fault.column is None or fault.column >= 1 for fault in found)


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.text(alphabet='ab,"\n ', min_size=1, max_size=6).filter(str.strip),
            st.floats(-5, 5, allow_subnormal=False),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda pair: pair[0].strip(),
    ),
    st.sampled_from(",;\t"),
)
def test_what_is_written_is_read_again(pairs: list[tuple[str, float]], separator: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerows([("id", "score"), *pairs])
    found = parse(out.getvalue())
    assert found.ids == tuple(name.strip() for name, _ in pairs)
    assert found.rows == tuple((value,) for _, value in pairs)


def test_a_fault_in_words() -> None:
    assert str(Fault(3, 2, "expected a number.")) == "Row 3, column 2: expected a number."
    assert str(Fault(3, None, "expected 2 columns.")) == "Row 3: expected 2 columns."
