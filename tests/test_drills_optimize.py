"""Parameters from one's own reviews: better than the usual ones, and found without torch here."""

import json
import random
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from math import log
from threading import Event, Timer
from time import monotonic

import pytest

from drills import events, optimize, schedule
from drills.errors import ScheduleError
from drills.events import LearnerId, Reviewed, to_json
from drills.reviews import Reviews
from drills.schedule import PARAMETERS, Plan

START = datetime(2025, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def forgetful(cards: int, reviews: int) -> Reviews:
    """Somebody who forgets much faster than most: every second review, at any interval."""
    rng, happened = random.Random(3), []
    for card in range(cards):
        at = START + rng.randrange(30) * DAY
        for _ in range(reviews):
            said = Reviewed(rating=rng.choice([1, 3]))
            happened.append((f"dpo/c{card}", said, at))
            at += rng.randint(1, 6) * DAY
    return Reviews.of(
        events.Event(n, LearnerId(1), said.kind, name, at, f"n{n}", to_json(said))
        for n, (name, said, at) in enumerate(happened, 1)
    )


def loss(reviews: Reviews, parameters: tuple[float, ...]) -> float:
    """The mean surprise at every recall, in nats."""
    plan, surprises = Plan(parameters=parameters), []
    for item, learnt in reviews.cards.items():
        card = schedule.new_card(item, START)
        for before, done in zip(learnt.log, learnt.log[1:], strict=False):
            days = done.day - before.day
            card, _ = schedule.review(card, before.rating, before.at, plan=plan)
            recall = schedule.retrievability(card, done.at, plan=plan, days=days)
            surprises.append(-log(recall if done.passed else 1 - recall))
    return sum(surprises) / len(surprises)


def test_too_few_reviews_are_named() -> None:
    few = forgetful(10, 6)
    assert optimize.usable(few) == 50
    with pytest.raises(ScheduleError, match=r"512 reviews on different days .* there are 50"):
        optimize.run(few)


def test_what_would_change_is_shown_by_card() -> None:
    reviews = forgetful(20, 6)
    assert optimize.changes(reviews, PARAMETERS) == ()
    slower = (*PARAMETERS[:-1], 0.5)
    found = optimize.changes(reviews, slower)
    assert found
    for change in found:
        learnt = reviews.cards[change.item]
        logs = [schedule.Log(1, done.rating, done.at) for done in learnt.log]
        after = schedule.replay(logs, plan=Plan(parameters=slower))
        assert change.after_days == after.interval.days
        assert change.before_days == learnt.card.interval.days


def test_the_loss_of_parameters_is_the_mean_surprise_in_bits() -> None:
    reviews = forgetful(20, 6)
    for parameters in (PARAMETERS, (*PARAMETERS[:-1], 0.5)):
        found = optimize.loss(reviews, parameters)
        assert found == pytest.approx(loss(reviews, parameters) / log(2), rel=1e-6)
    assert optimize.loss(reviews, ()) == optimize.loss(reviews, PARAMETERS)


def test_of_a_long_record_some_cards_are_searched_with_their_whole_logs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reviews = forgetful(20, 6)
    assert len(json.loads(optimize.question(reviews))) == 120
    monkeypatch.setattr(optimize, "MOST", 50)
    asked = json.loads(optimize.question(reviews))
    assert set(Counter(card for card, *_ in asked).values()) == {6}
    assert len(asked) == 48
    assert asked == json.loads(optimize.question(forgetful(20, 6)))


def test_a_search_that_is_stopped_ends_its_process() -> None:
    stop, begun = Event(), monotonic()
    Timer(1, stop.set).start()
    with pytest.raises(ScheduleError):
        optimize.run(forgetful(110, 6), stop=stop)
    assert monotonic() - begun < 3  # the search itself takes several seconds more


@pytest.mark.slow
def test_the_parameters_found_predict_better_and_nothing_heavy_is_loaded() -> None:
    reviews, told = forgetful(110, 6), list[float]()
    found = optimize.run(reviews, progress=told.append)
    assert loss(reviews, found) < loss(reviews, PARAMETERS)
    assert told == sorted(told)
    assert told[-1] == 1
    loaded = "import sys, drills.optimize; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", loaded], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
