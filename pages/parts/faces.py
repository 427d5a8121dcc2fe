"""The two faces of a card as Markdown: what it asks, and what it answers."""

from dataclasses import dataclass

from content.load import AskedCard
from content.schema import BasicCard
from drills.anki_html import Cloze
from pages.parts.place import Place

_PAIRS = {"[": 1, "]": -1}


@dataclass(frozen=True)
class Faces:
    """A card as it is shown: of a sentence one gap is shut, then filled."""

    asked: str
    answered: str  # stands under the question, or of a sentence with gaps in its place
    in_place: bool
    why: str  # may be empty


def of(asked: AskedCard, place: Place) -> Faces:
    """Return the faces of a card of this lesson."""
    card = asked.card
    if isinstance(card, BasicCard):
        question, answer = place.words(card.question), place.words(card.answer)
        return Faces(question, answer, in_place=False, why=place.words(card.why or ""))
    gaps = Cloze.unconverted(card.text)
    return Faces(
        asked=place.words(gaps.asked(asked.gap, _marked)),
        answered=place.words(gaps.answered(asked.gap, _marked)),
        in_place=True,
        why=place.words(card.extra or ""),
    )


def _marked(hidden: str) -> str:
    """Return text on a gray ground; as it is if its brackets would end the ground."""
    depth = 0
    for sign in hidden:
        depth += _PAIRS.get(sign, 0)
        if depth < 0:
            break
    return hidden if depth else f":gray-background[{hidden}]"
