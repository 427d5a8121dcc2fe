"""Prove it: every derivation to watch, to fill in, to prove line by line, and to mend."""

from collections.abc import Callable, Mapping

import streamlit as st

from pages import resources
from pages.parts import derivation, fill, learner, proof, proving, spotting, state
from pages.parts.place import Place
from pages.parts.proof import Proof, Way

ABOUT = (
    "Type the lines yourself. Each is read, set as a formula and judged by algebra; a line that "
    "cannot be read or decided never counts against you."
)
WATCH = "watch"
CHOSEN = "prove-derivation"  # which one, in this tab
WAYS = {WATCH: "Watch", "fill": "Fill", "prove": "Prove", "spot": "Spot errors"}
_DRAWN: Mapping[str, tuple[Way, Callable[[Proof], None]]] = {
    "fill": ("fill", fill.draw),
    "prove": ("prove", proving.draw),
    "spot": ("spot", spotting.draw),
}


def draw() -> None:
    """Draw the derivation and the way that the address names."""
    st.title("Prove it", anchor=False)
    st.markdown(ABOUT)
    _draw()


@st.fragment
def _draw() -> None:
    places = proof.places(resources.course(), learner.current())
    if not places:
        st.markdown(
            "This course shows no derivation yet. Once a lesson does, it can be proved here."
        )
        return
    name = _derivation(places)
    way = _way()
    if way == WATCH:
        derivation.draw(name, places[name])
        return
    kind, drawn = _DRAWN[way]
    drawn(Proof(derivation.load(name), places[name], kind))


def _derivation(places: Mapping[str, Place]) -> str:
    """Draw the choice of a derivation, in the order of the course; return its id.

    The labels tell how much is proved; with new labels Streamlit takes it for another widget, so
    it has another key then, and what was chosen is kept beside it.
    """
    labels = {name: _label(name, place) for name, place in places.items()}
    names = list(labels)
    if state.get(CHOSEN) not in labels:
        state.put(CHOSEN, _named("derivation", names))
    key = f"{CHOSEN}-{sum(proof.share(name, place)[0] for name, place in places.items())}"
    chosen = st.selectbox(
        "Derivation",
        names,
        index=names.index(state.get(CHOSEN)),
        format_func=labels.__getitem__,
        key=key,
        on_change=_choose,
        args=(key,),
    )
    return str(chosen)


def _choose(key: str) -> None:
    state.put(CHOSEN, state.get(key))
    _address()


def _label(name: str, place: Place) -> str:
    done, of = proof.share(name, place)
    return f"{derivation.load(name).title} · {place.lesson.head.short} · {done} of {of} proved"


def _way() -> str:
    state.once("prove-way", lambda: _named("way", list(WAYS)))
    chosen = st.segmented_control(
        "Way",
        list(WAYS),
        format_func=WAYS.__getitem__,
        key="prove-way",
        required=True,
        on_change=_address,
        label_visibility="collapsed",
    )
    return str(chosen)


def _named(parameter: str, known: list[str]) -> str:
    """Return what the address names, if there is such a thing; else the first there is."""
    named = st.query_params.get(parameter, "")
    return named if named in known else known[0]


def _address() -> None:
    """Put what was chosen into the address, so that it can be shared and survives a reload."""
    st.query_params["derivation"] = str(state.get(CHOSEN))
    st.query_params["way"] = str(state.get("prove-way"))
