"""One's own comparisons: asked in order, enough of them, and learnt as the fit has them."""

import pytest

from engine import experiments
from engine.errors import RangeError
from engine.experiments import annotator
from engine.experiments.annotator import ITEMS, LEAST, Settings


def always_lower(count: int) -> str:
    """Choices of somebody to whom text 0 is best and text 7 worst."""
    return " ".join(f"{min(pair)}{max(pair)}" for pair in annotator.schedule()[:count])


def test_every_couple_is_asked_once_and_each_text_once_a_round() -> None:
    due = annotator.schedule()
    assert len({frozenset(pair) for pair in due}) == len(due) == ITEMS * (ITEMS - 1) // 2
    for start in range(0, len(due), ITEMS // 2):
        met = [text for pair in due[start : start + ITEMS // 2] for text in pair]
        assert sorted(met) == list(range(ITEMS))
    lefts = [sum(pair[0] == text for pair in due) for text in range(ITEMS)]
    assert max(lefts) - min(lefts) <= 3  # no text owes its wins to a side


def test_twelve_comparisons_order_texts_that_never_met() -> None:
    built = annotator.build(Settings(choices=always_lower(LEAST)))
    steps = list(built.run())
    assert built.connected
    met = {frozenset(pair) for pair in annotator.schedule()[:LEAST]}
    assert len(met) < ITEMS * (ITEMS - 1) / 4  # most couples did not meet
    rewards = steps[-1].rewards
    apart = [
        abs(rewards[a] - rewards[b])
        for a in range(ITEMS)
        for b in range(a)
        if frozenset((a, b)) not in met
    ]
    assert min(apart) > 0.05
    assert rewards[0] > rewards[7]
    assert frozenset((0, 6)) not in met
    assert rewards[0] - rewards[6] > 1


def test_dpo_learns_the_fit_and_raw_choices_more_than_that() -> None:
    fitted = annotator.build(Settings(choices=always_lower(28), steps=300))
    learnt = list(fitted.run())[-1].rewards
    assert learnt == pytest.approx(fitted.fit.reward.tolist(), abs=0.02)
    assert fitted.fit.ranking == list(range(ITEMS))
    said = annotator.build(Settings(choices=always_lower(28), steps=300, labels="said"))
    assert list(said.run())[-1].rewards[0] > 2 * learnt[0]  # never contradicted: no end


def test_nobody_who_has_a_ranking_runs_in_circles() -> None:
    built = annotator.build(Settings(choices=always_lower(28)))
    assert (built.triads.cyclic, built.triads.complete) == (0, 56)
    assert built.foresight.accuracy > 0.85
    circle = always_lower(28).replace("02", "20")  # 0 beats 1, 1 beats 2, 2 beats 0
    assert annotator.build(Settings(choices=circle)).triads.cyclic == 1


def test_what_is_counted_explains_a_taste_for_it() -> None:
    texts = ["word " * (ITEMS - at) + "9" * (at == 3) for at in range(ITEMS)]
    features = annotator.count(texts, {"hedges": ["perhaps"]})
    assert features["length"][0] == ITEMS
    assert features["numerals"] == [0, 0, 0, 1, 0, 0, 0, 0]
    assert features["hedges"] == [0] * ITEMS
    reading = annotator.build(Settings(choices=always_lower(28)), features).reading
    assert reading is not None
    assert reading.features[0].name == "length"
    assert reading.features[0].alone > 0.9


@pytest.mark.parametrize("choices", ["00", "01", "70 99", "abc", "70", always_lower(11)])
def test_what_was_not_asked_or_is_too_little_is_refused(choices: str) -> None:
    with pytest.raises(RangeError):
        experiments.build("annotator", {"choices": choices})
