"""A derivation in front of a learner who proves it: its typed lines, and what was attempted."""

import random
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Literal

import streamlit as st
from streamlit.errors import StreamlitAPIException

from content.load import Lesson, LoadedCourse
from content.markdown import Directive
from drills.events import LINE_GIVEN, Attempted
from drills.queue import missed_since
from drills.record import proved
from drills.reviews import line_card
from pages.parts import derivation, formulas, state, verdicts
from pages.parts.learner import Learner
from pages.parts.line_field import Typed
from pages.parts.place import Place
from pages.parts.quiet import quiet
from pages.parts.saving import save

if TYPE_CHECKING:
    from engine.algebra.derivation import Derivation
    from engine.algebra.line import Line
    from engine.algebra.steps import Step
    from engine.algebra.verdict import Verdict

Way = Literal["fill", "prove", "spot", "review"]
BESIDE = {"ipo-margin": "dpo"}  # a derivation that no lesson shows: one that it belongs to
REPEATED = "That is the line that stands already. Change it, or go on to the next."
GRADES = ("the rule", "what it says", "the line itself")


@dataclass(frozen=True)
class Proof:
    """One derivation, where it belongs, and the way in which it is worked on."""

    derivation: "Derivation"
    place: Place
    way: Way

    @cached_property
    def lines(self) -> "tuple[Line, ...]":
        """The lines that can be typed; the first is given."""
        return self.derivation.typed

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Their ids."""
        return tuple(line.id for line in self.lines)

    @property
    def item(self) -> str:
        """What the record calls the derivation."""
        return self.place.item(self.derivation.id)

    @property
    def attempts(self) -> list[Attempted]:
        """All that was attempted at this derivation, oldest first."""
        return [event.payload for event in self.place.learner.record.all(Attempted, self.item)]

    @property
    def latest(self) -> Attempted | None:
        """The latest line that was typed in this way."""
        typed = (each for each in reversed(self.attempts) if each.way == self.way)
        return next((each for each in typed if each.asked == "line"), None)

    @property
    def begun(self) -> int:
        """The round that the learner asked for in this tab."""
        return int(state.get(self.key("begun"), default=0))

    def key(self, name: str) -> str:
        """Return a name for a widget, of this derivation in this way."""
        return f"{self.way}-{self.derivation.id}-{name}"

    def again(self, label: str, number: int) -> None:
        """Draw the button that begins the next round."""
        st.button(
            label, key=self.key("again"), on_click=state.put, args=(self.key("begun"), number)
        )

    def keep(self, line: str, *, nonce: str | None = None, **said: object) -> bool:
        """Record an attempt; say so if that fails."""
        of = len(self.lines) - 1
        attempt = Attempted(line=line, of=of, way=self.way, **said)
        return save(self.place.learner, self.item, attempt, nonce=nonce)

    def keep_typed(
        self, line: str, typed: Typed, verdict: "Verdict", *, hint: int, rewriting: bool = False
    ) -> bool:
        """Record a typed line with what became of it; say so if that fails."""
        return self.keep(
            line,
            nonce=typed.nonce or None,
            typed=typed.text,
            outcome=verdict.outcome,
            mistake=verdict.mistake.id if verdict.mistake else "",
            form=verdict.form,
            hint=hint,
            rewriting=rewriting,
        )

    def keep_line(
        self, line: str, typed: Typed, verdict: "Verdict", *, hint: int, rewriting: bool = False
    ) -> None:
        """Record a typed line with what became of it, and draw the page anew."""
        if self.keep_typed(line, typed, verdict, hint=hint, rewriting=rewriting):
            redraw()


def redraw() -> None:
    """Draw anew what an attempt has changed: the fragment, or the page if all of it was drawn."""
    try:
        st.rerun(scope="fragment")
    except StreamlitAPIException:
        st.rerun()


def places(course: LoadedCourse, learner: Learner) -> dict[str, Place]:
    """Return where each derivation belongs, in the order of the course."""
    known = import_module("engine.algebra.derivations").all_derivations()
    return {
        name: Place(course, lesson, learner)
        for lesson in course.lessons.values()
        for name in _shown(lesson)
        if name in known
    }


def _shown(lesson: Lesson) -> list[str]:
    """Return the derivations of a lesson, those that belong to them right behind."""
    blocks = (block for section in lesson.sections for block in section.blocks)
    shown = [b.argument for b in blocks if isinstance(b, Directive) and b.name == "derivation"]
    return [*shown, *(name for name, host in BESIDE.items() if host in shown)]


def share(name: str, place: Place) -> tuple[int, int]:
    """Return how many lines of a derivation are proved, and of how many."""
    lines = {line.id for line in derivation.load(name).typed[1:]}
    return len(proved(place.learner.record, place.item(name)) & lines), len(lines)


@lru_cache(maxsize=512)
def judged(expected: str, typed: str) -> "Verdict":
    """Return what becomes of a typed line; the same for the same two lines."""
    judge = import_module("engine.algebra.verdict").judge
    verdict: Verdict = judge(expected, typed, generator=random.Random(f"{expected}|{typed}"))
    return verdict


@lru_cache(maxsize=512)
def followed(last: str, wanted: str, typed: str) -> "Step":
    """Return where a typed line leads from the line that stands; the same for the same three."""
    follow = import_module("engine.algebra.steps").follow
    generator = random.Random(f"{last}|{wanted}|{typed}")
    step: Step = follow(last, wanted, typed, generator=generator)
    return step


def verdict(
    work: Proof, line: str, *, said: "tuple[str, str]", verdict: "Verdict | None" = None
) -> None:
    """Draw what became of a typed line: `said` is what was asked for, and what was typed.

    Where it is wrong, the numbers are those of the derivation's own world, if they tell.
    """
    found = verdict or judged(*said)
    known = None
    if found.outcome == "different":
        known = import_module("engine.algebra.contrast").contrast(work.derivation, line, *said)
    verdicts.draw(found, said[1], known)


def numbered(number: int, rule: str, formula: str, *, note: str = "") -> None:
    """Draw one line of a derivation: its number, its rule, the formula, what it is of the line."""
    head = f"{number} · {derivation.tex(rule)}" if rule else str(number)
    below = f"  \n:small[:gray[{formulas.words(note)}]]" if note else ""
    st.markdown(f":small[:gray[{head}]]  \n{formula}{below}")


def note(line: "Line") -> None:
    """Say what of the relation is typed, and what the names stand for."""
    if line.typed_note:
        quiet(formulas.words(line.typed_note))


def hints(work: Proof, line: "Line", seen: int, *, start: int = 0) -> None:
    """Draw the hints that were opened, and what follows from a line that was missed."""
    for grade in range(start, seen):
        st.markdown(f":small[:gray[Hint, {GRADES[grade]}]]  \n{_hint(line, grade)}")
    reviews = work.place.learner.record.reviews
    if missed_since(line_card(work.item, line.id), reviews):
        quiet("This line was missed, so it will come back in [Review](/review).")


def more(work: Proof, line: "Line", seen: int) -> None:
    """Draw a button for the hint after those that were seen, if there is one."""
    if seen >= LINE_GIVEN:
        return
    label = f"Hint: {GRADES[seen]}"
    clicked = st.button(label, type="tertiary", icon=":material/lightbulb:", key=work.key("hint"))
    if clicked and work.keep(line.id, asked="hint", hint=seen + 1):
        redraw()


def _hint(line: "Line", grade: int) -> str:
    return (derivation.tex(line.rule), derivation.tex(line.reading), formulas.of(line.typed))[grade]
