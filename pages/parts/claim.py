"""Claims: a number in the lesson, and the control that recomputes it in front of the reader."""

import math
from collections.abc import Sequence

import streamlit as st

from content.schema import Claim
from drills.events import Verified
from pages.parts import units
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save

Targets = Sequence[tuple[str, Claim]]  # (target as written in the lesson, claim)


@st.fragment
def verify(claims: Targets, place: Place, *, key: str) -> None:
    """Draw the *verify* control of one or more claims; opened, it recomputes them all."""
    popover = st.popover(
        f"Verify {', '.join(units.shown(claim) for _target, claim in claims)}",
        type="tertiary",
        icon=":material/calculate:",
        on_change="rerun",
        key=f"verify-{key}",
    )
    if popover.open:
        with popover:
            for target, claim in claims:
                _recompute(target, claim, place)


def figures(claims: Targets, place: Place) -> None:
    """Draw the key figures of a lesson: the value large, its sentence below, *verify* under all."""
    for column, (_target, claim) in zip(st.columns(len(claims)), claims, strict=True):
        with column:
            st.metric(claim.label, units.shown(claim))
            quiet(place.words(claim.statement))
    verify(claims, place, key="figures")


def _recompute(target: str, claim: Claim, place: Place) -> None:
    from engine.errors import EngineError
    from engine.recompute import path, recompute

    st.markdown(place.words(claim.statement))
    try:
        got = recompute(claim.function, claim.arguments)
        call = _call(path(claim.function), claim)
    except EngineError as error:
        st.error(f"This could not be recomputed: {error}")
        return
    agreed = abs(got - claim.value) <= claim.tolerance
    _show(claim, got, call, agreed=agreed)
    finite = got if math.isfinite(got) else None
    name = target if "/" in target else place.item(target)
    if not place.learner.record.all(Verified, name):
        save(place.learner, name, Verified(expected=claim.value, got=finite, agreed=agreed))


def _show(claim: Claim, got: float, call: str, *, agreed: bool) -> None:
    """Draw what was stated, what came out, by which call, and whether the two agree."""
    icon = ":green[:material/check:]" if agreed else ":red[:material/close:]"
    verdict = "They agree" if agreed else "They do not agree"
    stated, found, slack = (
        units.of_claim(claim, each) for each in (claim.value, got, claim.tolerance)
    )
    st.markdown(
        f"{icon} Stated **{stated:.10g}**, recomputed now **{found:.10g}**. "
        f"{verdict} to within {slack:.3g}."
    )
    st.code(call, language=None, wrap_lines=True)


def _call(function: str, claim: Claim) -> str:
    arguments = ", ".join(f"{name}={_shown(value)}" for name, value in claim.arguments.items())
    return f"{function}({arguments})"


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)
