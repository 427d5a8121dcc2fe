"""A derivation on its stage: the formula moves from line to line, its numbers live below.

The line, the numbers of the world and what is broken are all in the address, so that an
instructor can share a line as it stands on the screen.
"""

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from drills.events import Stepped
from pages.parts import numerals, prose, state
from pages.parts.inline_html import inline_html
from pages.parts.packing import packed
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save

if TYPE_CHECKING:
    from engine.algebra.breaks import Break, BrokenResult
    from engine.algebra.derivation import Derivation
    from engine.algebra.line import Line
    from engine.algebra.proof import Check
    from engine.algebra.worlds import Sides, World3

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
    "π*": r"\pi^*",
    "x_1": "x_1",
    "x_2": "x_2",
}
_NAMES = re.compile("|".join(map(re.escape, _TEX)))
_RESPONSES = (":green[chosen]", ":red[rejected]", "other")
_BETAS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_PROOF = {"proved": "proved", "refuted": "refused", "undecided": "left undecided"}


def draw(name: str, place: Place) -> None:
    """Draw the derivation with this id."""
    with st.container(border=True, key=f"derivation-{name}"):
        _draw(name, place)


@st.fragment
def _draw(name: str, place: Place) -> None:
    derivation = _load(name)
    line = _stage(derivation, place)
    beside_the_formula = st.container()
    world = _world(derivation.id)
    if world is None:
        return
    with beside_the_formula:
        _numbers(line, world)
    _proof(derivation, line, place)
    breaking = _breaking(derivation)
    if breaking is not None:
        _broken(breaking, derivation, world)


def _load(name: str) -> "Derivation":
    derivation: Derivation = import_module("engine.algebra.derivations").derivation(name)
    return derivation


def _stage(derivation: "Derivation", place: Place) -> "Line":
    """Draw the moving formula; return the line that is shown."""
    shown = _shown(derivation, place)
    _STAGE(
        key=f"stage-{derivation.id}",
        data=_staged(derivation.id, shown),
        on_line_change=partial(_stepped, derivation),
    )
    _remember(derivation, derivation.place(shown) + 1, place)
    return derivation.line(shown)


def _stepped(derivation: "Derivation") -> None:
    """Put the line that the browser went to into the address; Back then leads to the one before."""
    line = state.get(f"stage-{derivation.id}", default={}).get("line")
    if line in {each.id for each in derivation.lines}:
        st.query_params["line"] = line


def _shown(derivation: "Derivation", place: Place) -> str:
    """Return the line to show: the address's, else the one reached last, else the first."""
    named = st.query_params.get("line", "")
    if named in {line.id for line in derivation.lines}:
        return named
    return str(state.once(f"start-{derivation.id}", partial(_reached, derivation, place)))


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
def _staged(name: str, start: str) -> bytes:
    """Return what the browser needs of every line; the same for all learners."""
    lines = [_line(line) for line in _load(name).lines]
    return packed({"id": name, "line": start, "lines": lines, "labels": _LABELS})


def _line(line: "Line") -> dict[str, str]:
    return _formulas(line.relation) | {
        "id": line.id,
        "rule": line.rule,
        "reading": _reading(line),
    }


def _formulas(relation: object) -> dict[str, str]:
    mathml = import_module("engine.algebra.mathml")
    return {
        "wide": mathml.presentation(relation),
        "narrow": mathml.presentation(relation, narrow=True),
        "spoken": import_module("engine.algebra.text").spoken(relation),
    }


def _reading(line: "Line") -> str:
    where = "".join(f"<p class='meaning' tabindex='0'>{_where(each)}</p>" for each in line.where)
    return f"<p>{inline_html(_tex(line.reading))}</p><div>{where}</div>"


def _where(definition: object) -> str:
    mathml: str = import_module("engine.algebra.mathml").presentation(definition)
    return mathml.replace('display="block"', 'display="inline"')


def _world(name: str) -> "World3 | None":
    """Draw the sliders of the three-response world; return it, or say why there is none."""
    worlds = import_module("engine.algebra.worlds")
    errors = import_module("engine.errors")
    usual: World3 = worlds.World3.default()
    with st.expander("The world in numbers", expanded=True, icon=":material/tune:"):
        beta = st.select_slider("β", _BETAS, usual.beta, key=f"{name}-beta", bind="query-params")
        rewards, weights = [], []
        for y, column in enumerate(st.columns(3)):
            with column:
                st.markdown(f"**{_RESPONSES[y]}**")
                rewards.append(_slider("reward", (-3.0, 3.0), usual.rewards[y], f"{name}-r{y}"))
                weights.append(_slider("weight", (0.01, 1.0), usual.reference[y], f"{name}-p{y}"))
        quiet(_told(weights, usual.policy))
    try:
        world: World3 = worlds.World3.weighed(beta, tuple(rewards), tuple(weights), usual.policy)
    except errors.EngineError as error:
        st.error(str(error), icon=":material/error:")
        return None
    return world


def _told(weights: Sequence[float], policy: Sequence[float]) -> str:
    total = sum(weights) or 1.0
    reference = ", ".join(f"{weight / total:.3f}" for weight in weights)
    shown = ", ".join(f"{probability:.2f}" for probability in policy)
    return f"Reference, from the weights: {reference}. The policy in the numbers above: {shown}."


def _slider(label: str, bounds: tuple[float, float], usual: float, key: str) -> float:
    step = 0.1 if bounds[0] < 0 else 0.01
    return st.slider(label, *bounds, usual, step, key=key, bind="query-params")


def _numbers(line: "Line", world: "World3") -> None:
    """Draw both sides of the line in this world."""
    sides: Sides = import_module("engine.algebra.worlds").evaluate(line, world)
    values, verdict = st.columns(2, vertical_alignment="center")
    both = f"{numerals.fixed(sides.left)} {sides.relation} {numerals.fixed(sides.right)}"
    values.metric("left and right side, in the world below", both)
    icon = ":green[:material/check:] holds" if sides.holds else ":red[:material/close:] fails"
    which = "" if sides.response is None else ", for the chosen response"
    verdict.markdown(f"{icon}{which}  \n:small[:gray[{_gap(sides)}]]")


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
            st.markdown(_verdicts({size: line.check(size) for size in (2, 3, 4)}))
            quiet(_tex(f"It needs: {' '.join(line.assumptions)}"))
            _near_miss(line)
            where = f", {line.locator}" if line.locator else ""
            quiet(f"Source: {prose.cite(line.source, course=place.course)}{where}")


def _verdicts(checks: dict[int, "Check"]) -> str:
    """Return the verdict on each size of response set, said once where all agree."""
    outcomes = {_PROOF[check.outcome] for check in checks.values()}
    if len(outcomes) == 1:
        return f"**{outcomes.pop().capitalize()} for 2, 3 and 4 responses.** {checks[3].how}"
    told = (
        f"**{size} responses: {_PROOF[each.outcome]}.** {each.how}" for size, each in checks.items()
    )
    return "\n\n".join(told)


def _near_miss(line: "Line") -> None:
    st.markdown("**A near miss, put to the same test**")
    _formula(line.control.relation, key=f"near-{line.id}")
    st.markdown(_tex(line.control.slip))
    outcomes = {_PROOF[line.check_control(size).outcome] for size in (2, 3, 4)}
    st.markdown(f"Verdict for 2, 3 and 4 responses: **{' and '.join(sorted(outcomes))}**.")


def _breaking(derivation: "Derivation") -> "Break | None":
    """Draw the choice of what to break; return it."""
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
    st.markdown(f"**{way.label}.** {_tex(way.explanation)}")
    _formula(way.failing.relation, key=f"broken-{way.id}")
    st.dataframe(_rows(result, derivation), hide_index=True, height="content")
    st.markdown(_tex(result.sentence))
    quiet(f"Left minus right of the line that fails: {_residual(result)}.")


def _residual(result: "BrokenResult") -> str:
    value = numerals.told(result.residual_value)
    return value if result.residual == value else f"{_tex(result.residual)}; here {value}"


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


def _tex(words: str) -> str:
    """Set the names of policies, written plainly in the engine, as mathematics."""
    return _NAMES.sub(lambda found: f"${_TEX[found[0]]}$", words)


def _formula(relation: object, *, key: str) -> None:
    """Draw one formula on a small stage of its own."""
    line = _formulas(relation) | {"id": key, "rule": "", "reading": ""}
    data = packed({"id": key, "line": key, "lines": [line], "labels": _LABELS})
    _STAGE(key=key, data=data)
