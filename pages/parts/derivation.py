"""A derivation on its stage: the formula moves from line to line, its numbers live below.

The line, the numbers of the world and what is broken are all in the address, so that an
instructor can share a line as it stands on the screen. `?line=reward` is a line of the first
derivation of the lesson that has one of that name; `?line=dpo/reward` says which derivation.
"""

import re
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import streamlit as st

from content.markdown import Directive
from drills.events import Stepped
from pages.parts import numerals, prose, state, units
from pages.parts.inline_html import inline_html
from pages.parts.packing import packed
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save

if TYPE_CHECKING:
    from engine.algebra.breaks import Break, BrokenResult
    from engine.algebra.derivation import Derivation
    from engine.algebra.desk import Asked, Desk, Knob, Row, World
    from engine.algebra.line import Line
    from engine.algebra.proof import Check
    from engine.algebra.worlds import Sides, Triple, World3

_HERE = Path(__file__).parent
_STAGE = st.components.v2.component(
    "surprisal_stage",
    html="<div class='stage'></div>\n",
    css=(_HERE / "stage.css").read_text("utf-8"),
    js=(_HERE / "stage.js").read_text("utf-8"),
)
_LABELS = {
    "previous": "← Previous",
    "next": "Next →",
    "line": "line",
    "of": "of",
    "lines": "Lines of the derivation",
    "board": "Formula. The left and right arrow keys step through the derivation.",
}
ROUNDING = 1e-9  # what double precision leaves of a true equation, and more
_TEX = {
    "π_ref": r"\pi_\text{ref}",
    "π_θ": r"\pi_\theta",
    "π_λ": r"\pi_\lambda",
    "π*": r"\pi^*",
    "λ*": r"\lambda^*",
    "p*": "p^*",
}
_NAMES = re.compile("|".join(map(re.escape, _TEX)))
_INDEXED = re.compile(r"\b([A-Za-z])_([a-z0-9])\b")
_LOGARITHM = re.compile(r"\blog(?=[(]| [^a-z ]| [a-z]\b)")
_COLORED = {"chosen": ":green[chosen]", "rejected": ":red[rejected]"}
_PROOF = {"proved": "proved", "refuted": "refused", "undecided": "left undecided"}


def natural() -> str:
    """Return how the natural logarithm is written; in bits it is told apart from the other one."""
    return "ln" if units.wanted() == "bits" else "log"


class Numbers(NamedTuple):
    """What the learner has set: the world, and which outcome was picked for an index."""

    world: "World"
    picked: dict[str, int]


def draw(name: str, place: Place) -> None:
    """Draw the derivation with this id."""
    with st.container(border=True, key=f"derivation-{name}"):
        _draw(name, place)


@st.fragment
def _draw(name: str, place: Place) -> None:
    derivation = load(name)
    line = _stage(derivation, place)
    beside_the_formula = st.container()
    numbers = _world(derivation)
    if numbers is None:
        return
    with beside_the_formula:
        _numbers(line, derivation.desk, numbers)
    _proof(derivation, line, place)
    breaking = _breaking(derivation)
    if breaking is not None:
        _broken(breaking, derivation, cast("World3", numbers.world))


def load(name: str) -> "Derivation":
    """Return the derivation with this id."""
    derivation: Derivation = import_module("engine.algebra.derivations").derivation(name)
    return derivation


def _stage(derivation: "Derivation", place: Place) -> "Line":
    """Draw the moving formula; return the line that is shown."""
    shown = _shown(derivation, place)
    _STAGE(
        key=f"stage-{derivation.id}",
        data=_staged(derivation.id, shown, natural()),
        on_line_change=partial(_stepped, derivation, place),
    )
    _remember(derivation, derivation.place(shown) + 1, place)
    return derivation.line(shown)


def _stepped(derivation: "Derivation", place: Place) -> None:
    """Put the line that the browser went to into the address; Back then leads to the one before.

    It is remembered as well: with two derivations on a page, the address has the line of one.
    """
    line = state.get(f"stage-{derivation.id}", default={}).get("line")
    if line in _ids(derivation.id):
        state.put(f"start-{derivation.id}", line)
        first = _first_with(line, place) == derivation.id
        st.query_params["line"] = line if first else f"{derivation.id}/{line}"


def _shown(derivation: "Derivation", place: Place) -> str:
    """Return the line to show: the address's, else the one reached last, else the first."""
    named = addressed(derivation.id, place)
    if named:
        return named
    return str(state.once(f"start-{derivation.id}", partial(_reached, derivation, place)))


def addressed(name: str, place: Place) -> str:
    """Return the line of this derivation that the address names; empty if it names none."""
    named = st.query_params.get("line")
    if not named:
        return ""
    owner, _, line = named.rpartition("/")
    mine = line in _ids(name) and name == (owner or _first_with(line, place))
    return line if mine else ""


def _first_with(line: str, place: Place) -> str | None:
    """Return the first derivation of the lesson that has a line of this name."""
    blocks = (block for section in place.lesson.sections for block in section.blocks)
    names = (b.argument for b in blocks if isinstance(b, Directive) and b.name == "derivation")
    return next((name for name in names if line in _ids(name)), None)


def _ids(name: str) -> set[str]:
    """Return the names of the lines of a derivation; none if there is no such derivation."""
    known = import_module("engine.algebra.derivations").all_derivations()
    return {line.id for line in known[name].lines} if name in known else set()


def _reached(derivation: "Derivation", place: Place) -> str:
    last = place.learner.record.latest(Stepped, place.item(derivation.id))
    number = min(last.payload.line, len(derivation.lines)) if last else 1
    return derivation.lines[number - 1].id


def _remember(derivation: "Derivation", number: int, place: Place) -> None:
    """Record a line the first time it is reached."""
    item = place.item(derivation.id)
    reached = {event.payload.line for event in place.learner.record.all(Stepped, item)}
    if number not in reached:
        save(place.learner, item, Stepped(line=number, of=len(derivation.lines)))


@lru_cache(maxsize=256)
def _staged(name: str, start: str, logarithm: str) -> bytes:
    """Return what the browser needs of every line; the same for all learners."""
    lines = [_line(line, logarithm) for line in load(name).lines]
    return packed({"id": name, "line": start, "lines": lines, "labels": _LABELS})


def _line(line: "Line", logarithm: str) -> dict[str, str]:
    return _formulas(line.relation, logarithm) | {
        "id": line.id,
        "rule": line.rule,
        "reading": _reading(line, logarithm),
    }


def _formulas(relation: object, logarithm: str) -> dict[str, str]:
    mathml = import_module("engine.algebra.mathml")
    return {
        "wide": mathml.presentation(relation, natural=logarithm),
        "narrow": mathml.presentation(relation, narrow=True, natural=logarithm),
        "spoken": import_module("engine.algebra.text").spoken(relation, natural=logarithm),
    }


def _reading(line: "Line", logarithm: str) -> str:
    definitions = (_where(each, logarithm) for each in line.where)
    where = "".join(f"<p class='meaning' tabindex='0'>{each}</p>" for each in definitions)
    return f"<p>{inline_html(tex(line.reading))}</p><div>{where}</div>"


def _where(definition: object, logarithm: str) -> str:
    presentation = import_module("engine.algebra.mathml").presentation
    mathml: str = presentation(definition, natural=logarithm)
    return mathml.replace('display="block"', 'display="inline"')


def _world(derivation: "Derivation") -> Numbers | None:
    """Draw the sliders of the desk; return the numbers, or say why there are none."""
    errors = import_module("engine.errors")
    desk, name = derivation.desk, derivation.id
    with st.expander("The world in numbers", expanded=True, icon=":material/tune:"):
        knobs = {knob.key: _knob(knob, name) for knob in desk.knobs}
        picked = {each.key: _pick(each, desk, name) for each in desk.asked if each.key}
        rows = _rows_set(desk, name)
        if told := desk.announced(rows):
            quiet(tex(told))
    try:
        return Numbers(desk.world(knobs, rows), picked)
    except errors.EngineError as error:
        st.error(str(error), icon=":material/error:")
        return None


def _knob(knob: "Knob", name: str) -> float:
    key = f"{name}-{knob.key}"
    if knob.choices:
        chosen: float = st.select_slider(
            knob.label, knob.choices, knob.usual, key=key, bind="query-params"
        )
        return chosen
    return st.slider(knob.label, *knob.bounds, knob.usual, knob.step, key=key, bind="query-params")


def _pick(asked: "Asked", desk: "Desk", name: str) -> int:
    """Draw the choice of the outcome that stands for an index; return its place."""
    usual, key = desk.outcomes[asked.place], f"{name}-{asked.key}"
    chosen = st.select_slider(asked.label, desk.outcomes, usual, key=key, bind="query-params")
    return desk.outcomes.index(chosen)


def _rows_set(desk: "Desk", name: str) -> "dict[str, Triple]":
    """Draw a column of sliders for each outcome; return what they say, by row."""
    if not desk.rows:
        return {}
    drawn: list[list[float]] = []
    for place, column in enumerate(st.columns(3)):
        with column:
            outcome = desk.outcomes[place]
            st.markdown(f"**{_COLORED.get(outcome, outcome)}**")
            drawn.append([_slider(row, place, name) for row in desk.rows])
    return dict(zip((row.key for row in desk.rows), zip(*drawn, strict=True), strict=True))


def _slider(row: "Row", place: int, name: str) -> float:
    usual, key = row.usual[place], f"{name}-{row.key}{place}"
    return st.slider(row.label, *row.bounds, usual, row.step, key=key, bind="query-params")


def _numbers(line: "Line", desk: "Desk", numbers: Numbers) -> None:
    """Draw both sides of the line in this world."""
    sides = desk.sides(line, numbers.world, numbers.picked)
    values, verdict = st.columns(2, vertical_alignment="center")
    both = f"{_rounded(sides.left)} {sides.relation} {_rounded(sides.right)}"
    values.metric("left and right side, in the world below", both)
    icon = ":green[:material/check:] holds" if sides.holds else ":red[:material/close:] fails"
    which = desk.which(line, numbers.picked)
    where = f", for {tex(which)}" if which else ""
    verdict.markdown(f"{icon}{where}  \n:small[:gray[{_gap(sides)}]]")


def _rounded(value: float) -> str:
    """Return a side with four decimals; what rounding left of a zero is zero."""
    return numerals.fixed(0.0 if abs(value) < ROUNDING else value)


def _gap(sides: "Sides") -> str:
    """Say how far apart the sides are: by rounding, by a slack that the line allows, or wrongly."""
    if abs(sides.difference) < ROUNDING:
        return "equal up to rounding"
    name = "difference" if sides.relation == "=" else "slack"
    return f"{name} {numerals.told(abs(sides.difference))}"


def _proof(derivation: "Derivation", line: "Line", place: Place) -> None:
    """Draw the algebra's verdict on the line and on its near miss, decided when asked."""
    popover = st.popover(
        "Proof and source",
        icon=":material/verified:",
        on_change="rerun",
        key=f"proof-{derivation.id}",
    )
    if popover.open:
        with popover:
            st.markdown(_verdicts(line))
            quiet(tex(f"It needs: {' '.join(line.assumptions)}"))
            _near_miss(line, derivation.id)
            where = f", {line.locator}" if line.locator else ""
            quiet(f"Source: {prose.cite(line.source, course=place.course)}{where}")


def _verdicts(line: "Line") -> str:
    """Return the verdict on each size of the set of outcomes, said once where all agree."""
    checks: dict[int, Check] = {size: line.check(size) for size in line.sizes}
    outcomes = {_PROOF[check.outcome] for check in checks.values()}
    if len(outcomes) == 1:
        how = tex(checks[line.sizes[len(checks) // 2]].how)
        return f"**{outcomes.pop().capitalize()}{_for_sizes(line)}.** {how}"
    told = (
        f"**{size} {line.over}: {_PROOF[each.outcome]}.** {tex(each.how)}"
        for size, each in checks.items()
    )
    return "\n\n".join(told)


def _for_sizes(line: "Line") -> str:
    """Return what a verdict is about: " for 2, 3 and 4 tokens"; empty where nothing is counted."""
    *some, last = map(str, line.sizes)
    return f" for {', '.join(some)} and {last} {line.over}" if line.over else ""


def _near_miss(line: "Line", name: str) -> None:
    st.markdown("**A near miss, put to the same test**")
    _formula(line.control.relation, key=f"near-{name}-{line.id}")
    st.markdown(tex(line.control.slip))
    outcomes = {_PROOF[line.check_control(size).outcome] for size in line.sizes}
    st.markdown(f"Verdict{_for_sizes(line)}: **{' and '.join(sorted(outcomes))}**.")


def _breaking(derivation: "Derivation") -> "Break | None":
    """Draw the choice of what to break, if there is any; return it."""
    if not derivation.breaks:
        return None
    labels = {way.id: way.label for way in derivation.breaks}
    chosen = st.pills(
        "Break it",
        list(labels),
        format_func=labels.__getitem__,
        key=f"{derivation.id}-break",
        bind="query-params",
    )
    return next((way for way in derivation.breaks if way.id == chosen), None)


def _broken(way: "Break", derivation: "Derivation", world: "World3") -> None:
    """Draw what fails: the broken line, both sides of each line it touches, the residual."""
    result: BrokenResult = way.evaluate(world)
    st.markdown(f"**{way.label}.** {tex(way.explanation)}")
    _formula(way.failing.relation, key=f"broken-{way.id}")
    st.dataframe(_rows(result, derivation), hide_index=True, height="content")
    st.markdown(tex(result.sentence))
    quiet(f"Left minus right of the line that fails: {_residual(result)}.")


def _residual(result: "BrokenResult") -> str:
    value = numerals.told(result.residual_value)
    return value if result.residual == value else f"{tex(result.residual)}; here {value}"


def _rows(result: "BrokenResult", derivation: "Derivation") -> list[dict[str, str]]:
    rows = sorted(result.rows, key=lambda row: derivation.place(row.line))
    return [
        {
            "line": f"{derivation.place(row.line) + 1}{_which(row.sides)}",
            "left": numerals.fixed(row.sides.left),
            "": row.sides.relation,
            "right": numerals.fixed(row.sides.right),
            "holds": "yes" if row.sides.holds else "no",
        }
        for row in rows
    ]


def _which(sides: "Sides") -> str:
    return "" if sides.response is None else f", {('chosen', 'rejected', 'other')[sides.response]}"


def tex(words: str) -> str:
    """Set names with an index, written plainly in the engine, as mathematics."""
    named = _NAMES.sub(lambda found: f"${_TEX[found[0]]}$", _LOGARITHM.sub(natural(), words))
    return _INDEXED.sub(r"$\1_\2$", named)


def _formula(relation: object, *, key: str) -> None:
    """Draw one formula on a small stage of its own."""
    line = _formulas(relation, natural()) | {"id": key, "rule": "", "reading": ""}
    data = packed({"id": key, "line": key, "lines": [line], "labels": _LABELS})
    _STAGE(key=key, data=data)
