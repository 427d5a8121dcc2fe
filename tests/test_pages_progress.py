"""The record's screen: what it says of a learner, and what can be done with it."""

import json
import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from content.load import LoadedCourse
from drills import calibration, optimize, statistics, transfer
from drills.errors import ScheduleError
from drills.events import Answered, Exported, Preferred, Reviewed, item
from drills.record import Record
from drills.schedule import PARAMETERS
from drills.score import ENOUGH
from drills.store import Entry, new_token
from pages import resources
from pages.parts import record_charts, search
from pages.practice.progress import PARTS
from tests.conftest import OpenApp
from tests.learners import past

NOW = datetime.now(UTC)
MEMORY, MODEL, YOURS = PARTS[1:]


def text_of(app: AppTest) -> str:
    """Return all text of a screen that drew without an error."""
    assert list(app.exception) == []
    assert list(app.error) == []
    drawn = [element.value for element in [*app.title, *app.subheader, *app.markdown]]
    return "\n".join([*drawn, *(f"{each.label}: {each.value}" for each in app.metric)])


def charts(app: AppTest) -> list[dict[str, object]]:
    """Return the specifications of all charts of a screen."""
    found = app.get("vega_lite_chart") or app.get("arrow_vega_lite_chart")
    return [json.loads(each.proto.spec) for each in found]


def course() -> LoadedCourse:
    return resources.course()


def record(token: str) -> Record:
    """Return the record of the learner with this token."""
    who = resources.store().ensure_learner(token, now=NOW)
    return Record.of(resources.store().events(who))


def fill(token: str, entries: list[Entry]) -> None:
    """Write into the record of the learner with this token."""
    who = resources.store().ensure_learner(token, now=NOW)
    resources.store().append_all(who, entries, now=NOW)


def answers(count: int, *, belief: tuple[float, ...] = (0.8, 0.2), right: int = 0) -> list[Entry]:
    """So many answers to questions of one kind."""
    said = Answered(probabilities=belief, right=right)
    return [Entry(item("dpo", f"q{n}"), said, f"q{n}-{right}", NOW) for n in range(count)]


@pytest.fixture
def studied(open_app: OpenApp, token: str) -> OpenApp:
    """Run pages as somebody who has studied for two months."""
    fill(token, past(course(), NOW, days=60))
    return open_app


@pytest.mark.parametrize("part", PARTS)
def test_every_part_says_what_will_be_there_before_anything_is(
    open_app: OpenApp, part: str
) -> None:
    text = text_of(open_app("progress", part=part))
    assert "Nothing is recorded yet" in text
    assert len(text) > 300


def test_only_the_part_that_is_open_is_drawn(studied: OpenApp) -> None:
    for part, other in ((PARTS[0], "True retention"), (MEMORY, "Cross-entropy")):
        assert other not in text_of(studied("progress", part=part))
    assert "Likelihood" in text_of(studied("progress"))


def test_a_part_that_is_not_there_opens_the_first(studied: OpenApp) -> None:
    assert "Likelihood" in text_of(studied("progress", part="<script>"))


# --- what is kept ---------------------------------------------------------------------------------


def test_memory_shows_what_the_reviews_amount_to(studied: OpenApp, token: str) -> None:
    app = studied("progress", part=MEMORY)
    text, reviews = text_of(app), record(token).reviews
    kept = statistics.true_retention(reviews, datetime.now(UTC)).all
    assert f"You recalled {kept.passed / kept.of:.0%} and asked for 90%" in text
    done = {learnt.log[k].day for learnt in reviews.cards.values() for k in range(len(learnt.log))}
    assert f"You reviewed on {len(done)} of the last 365 days" in text
    intervals = [learnt.card.interval.days for learnt in reviews.cards.values()]
    a_day = sum(1 / days for days in intervals if days)  # in learning: minutes, no days
    assert f"{a_day:.1f} reviews a day" in text
    assert len(charts(app)) == 2


def test_the_overdue_stand_apart_in_their_own_color(
    open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list[dict[str, object]]()
    monkeypatch.setattr(record_charts, "columns", lambda drawn, *_, **__: rows.extend(drawn))
    cards = [card.id for card in course().lessons["dpo"].cards][:3]
    ago = NOW - timedelta(days=40)
    fill(token, [Entry(item("dpo", c), Reviewed(rating=4), c, ago) for c in cards])
    app = open_app("progress", part=MEMORY)
    assert "3 cards overdue, no card due today" in text_of(app)
    assert [(r["role"], r["value"]) for r in rows if r["value"]] == [("rejected", 3)]


def test_nothing_is_said_of_retention_from_fewer_than_ten(open_app: OpenApp, token: str) -> None:
    card = item("dpo", course().lessons["dpo"].cards[0].id)
    times = [NOW - timedelta(days=20), NOW - timedelta(days=10)]
    fill(token, [Entry(card, Reviewed(rating=4), f"n{at}", at) for at in times])
    text = text_of(open_app("progress", part=MEMORY))
    assert "9 more are needed" in text
    assert "You recalled" not in text


# --- as a model -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "lacks"), [(3, "7 more are"), (9, "1 more is")])
def test_nothing_is_shown_from_fewer_than_ten_answers(
    open_app: OpenApp, token: str, count: int, lacks: str
) -> None:
    fill(token, answers(count))
    app = open_app("progress", part=MODEL)
    assert f"{ENOUGH} answers that favor one option are the least" in text_of(app)
    assert f"{lacks} needed" in text_of(app)
    assert charts(app) == []


@pytest.mark.parametrize(("unit", "per_bit"), [("bits", 1.0), ("nats", math.log(2))])
def test_the_numbers_are_those_of_the_answers_in_the_readers_unit(
    open_app: OpenApp, token: str, unit: str, per_bit: float
) -> None:
    """Ten answers of 0.8, eight of them right: the mean surprise is the entropy, 0.722 bits."""
    fill(token, [*answers(8), *answers(10, right=1)[8:]])
    text = text_of(open_app("progress", part=MODEL, units=unit))
    entropy = -(0.8 * math.log2(0.8) + 0.2 * math.log2(0.2))
    assert f"cross-entropy, {unit}: {entropy * per_bit:.2f}" in text
    assert f"= entropy: {entropy * per_bit:.2f}" in text
    assert f"KL of miscalibration, {unit}: 0.00" in text
    assert f"your perplexity, in options: {2**entropy:.2f}" in text
    assert "nothing in these 10 answers says" in text
    assert f"would cost {per_bit:.2f} {unit}" in text  # an even split over two


def test_who_is_too_sure_is_told_so_and_where(open_app: OpenApp, token: str) -> None:
    sure = (0.95, 0.05)
    wrong = answers(40, belief=sure, right=1)[20:]
    fill(token, [*answers(20, belief=sure), *wrong])
    text = text_of(open_app("progress", part=MODEL))
    assert "so you claim more than you know" in text
    assert "When you are 95% sure, you are right 50% of the time (20 of 40" in text
    assert "your confidence costs more than your knowledge brings" in text
    cost = 0.5 * math.log2(0.5 / 0.95) + 0.5 * math.log2(0.5 / 0.05)  # KL of a half from 0.95
    assert f"KL of miscalibration, bits: {cost:.2f}" in text


def test_reading_is_held_against_the_same_questions(studied: OpenApp, token: str) -> None:
    found = calibration.reading(record(token))
    assert found.before is not None
    assert found.after is not None
    text = text_of(studied("progress", part=MODEL))
    worth = found.before.loss - found.after.loss
    assert f"The same {found.before.count} questions" in text
    assert f"reading was worth {worth:.2f} bits a question" in text


def test_the_first_week_says_when_there_will_be_another(open_app: OpenApp, token: str) -> None:
    fill(token, answers(12))
    opens = NOW + timedelta(days=14)
    assert f"{opens:%B} {opens.day} on, the last seven" in text_of(open_app("progress", part=MODEL))


# --- it is yours ----------------------------------------------------------------------------------


def uploaded(app: AppTest, data: bytes) -> AppTest:
    """Bring a file to the record's uploader."""
    app.file_uploader(key="bring-record").upload("record.json", data, "application/json")
    return app.run()


def exported(token: str) -> bytes:
    """Return what the learner with this token downloads."""
    store = resources.store()
    return json.dumps(store.export(store.ensure_learner(token, now=NOW))).encode()


def test_a_record_joins_another_once_and_after_a_look(open_app: OpenApp, token: str) -> None:
    other = new_token()
    fill(other, answers(12))
    fill(token, answers(2))
    app = uploaded(open_app("progress", part=YOURS), exported(other))
    assert "The file holds 12 entries" in text_of(app)
    assert "New here: 10 answers; 2 entries you have already." in text_of(app)
    assert len(record(token).events) == 2
    app.button(key="add-record").click().run()
    assert [each.value for each in app.success] == ["10 entries joined your record."]
    assert len(record(token).events) == 12
    again = uploaded(open_app("progress", part=YOURS), exported(other))
    assert "The file holds 12 entries, all in your record: nothing is new." in text_of(again)
    assert "add-record" not in [button.key for button in again.button]


@pytest.mark.parametrize("data", [b"", b"{", b'{"format": "else"}', b"\xff\xfe\x00", b"PK\x03\x04"])
def test_what_is_no_record_is_refused_and_touches_nothing(
    open_app: OpenApp, token: str, data: bytes
) -> None:
    fill(token, answers(2))
    app = uploaded(open_app("progress", part=YOURS), data)
    assert list(app.exception) == []
    (refused,) = [each.value for each in app.error]
    assert refused.endswith("Your record is as it was.")
    assert len(record(token).events) == 2


def test_a_download_is_made_when_asked_for_and_recorded_with_its_form(
    studied: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: dict[str, Callable[[], str]] = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, **_: made.update({label: data}))
    text_of(studied("progress", part=YOURS))
    assert record(token).all(Exported) == ()
    before = record(token)
    assert made["Reviews (CSV)"]() == transfer.reviews_csv(before.reviews)
    assert made["Answers (CSV)"]() == transfer.answers_csv(before)
    assert len(json.loads(made["Download my record"]())["events"]) == len(before.events) + 2
    assert [e.payload.form for e in record(token).all(Exported)] == ["csv", "csv", "json"]


# --- parameters of one's own ----------------------------------------------------------------------

CHANGED = (*PARAMETERS[:-1], 0.4)


def until(app: AppTest, sign: str, *, seconds: float = 5) -> AppTest:
    """Run again until the screen says something."""
    late = time.monotonic() + seconds
    while time.monotonic() < late:
        if sign in text_of(app.run()):
            return app
        time.sleep(0.05)
    raise AssertionError(f"never said: {sign}")


@pytest.fixture
def fitting(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Open the memory of somebody with enough reviews, and a search that finds at once."""
    fill(token, past(course(), NOW, days=150))
    assert optimize.usable(record(token).reviews) >= optimize.ENOUGH
    monkeypatch.setattr(optimize, "run", lambda _, *, progress, **__: progress(1.0) or CHANGED)
    return open_app("progress", part=MEMORY)


def test_too_few_reviews_are_counted(open_app: OpenApp, token: str) -> None:
    fill(token, past(course(), NOW, days=25))
    usable = optimize.usable(record(token).reviews)
    text = text_of(open_app("progress", part=MEMORY))
    assert f"From {optimize.ENOUGH} reviews" in text
    assert f"you have {usable}." in text


def test_found_parameters_are_shown_and_applied_on_confirmation_only(
    fitting: AppTest, token: str
) -> None:
    fitting.button(key="fit").click().run()
    app = until(fitting, "Your own reviews surprise")
    assert "would come back on another day" in text_of(app)
    assert record(token).all(Preferred) == ()
    app.button(key="fit-use").click().run()
    assert record(token).reviews.wishes.parameters == pytest.approx(CHANGED)
    assert "Your own parameters are in use." in text_of(app)
    app.button(key="usual").click().run()
    assert record(token).reviews.wishes.parameters == ()


def test_a_search_is_called_off(fitting: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(_reviews: object, *, progress: object, stop: object) -> None:
        while True:
            progress(0.3)  # type: ignore[operator]
            time.sleep(0.01)

    monkeypatch.setattr(optimize, "run", endless)
    fitting.button(key="fit").click().run()
    assert list(fitting.exception) == []
    fitting.button(key="fit-cancel").click().run()
    assert "Nothing has changed" in text_of(until(fitting, "called off"))


def test_a_search_that_nobody_wants_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = list[float]()

    def endless(_reviews: object, *, progress: object, stop: object) -> None:
        while True:
            shares.append(0.1)
            progress(0.1)  # type: ignore[operator]
            time.sleep(0.01)

    monkeypatch.setattr(optimize, "run", endless)
    job = search.Search(Record.of(()).reviews)
    while not shares:
        time.sleep(0.01)
    del job
    time.sleep(0.1)
    before = len(shares)
    time.sleep(0.1)
    assert len(shares) == before


def test_a_failed_search_says_why(fitting: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_reviews: object, *, progress: object, stop: object) -> None:
        raise ScheduleError("The search failed. The parameters stay.")

    monkeypatch.setattr(optimize, "run", failing)
    fitting.button(key="fit").click().run()
    for _ in range(50):
        if fitting.run().error:
            break
    assert [each.value for each in fitting.error] == ["The search failed. The parameters stay."]
    assert re.search("Try again", " ".join(button.label for button in fitting.button))


@pytest.fixture
def learnt(open_app: OpenApp, token: str) -> AppTest:
    """Open the memory of somebody whose reviews are just enough for a search."""
    fill(token, past(course(), NOW, days=90))
    assert optimize.usable(record(token).reviews) >= optimize.ENOUGH
    return open_app("progress", part=MEMORY)


@pytest.mark.slow
def test_a_real_search_ends_and_what_it_found_is_used_and_taken_back(
    learnt: AppTest, token: str
) -> None:
    learnt.button(key="fit").click().run()
    app = until(learnt, "Your own reviews surprise", seconds=60)
    assert [each.label for each in app.metric if each.label.startswith("surprise")] == [
        "surprise in use, bits",
        "surprise found, bits",
    ]
    app.button(key="fit-use").click().run()
    used = record(token).reviews.wishes
    assert used.parameters != ()
    assert used.plan.parameters != PARAMETERS
    app.button(key="usual").click().run()
    assert record(token).reviews.wishes.parameters == ()


def test_a_search_that_says_nothing_is_called_off_at_once_and_leaves_its_turn(
    learnt: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drills").mkdir()
    (tmp_path / "drills" / "__main__.py").write_text("import time; time.sleep(60)")
    monkeypatch.setattr(optimize, "_ROOT", tmp_path)
    learnt.button(key="fit").click().run()
    assert "Fitting to your reviews" in [each.proto.text for each in learnt.get("progress")]
    begun = time.monotonic()
    learnt.button(key="fit-cancel").click().run()
    assert "called off" in text_of(learnt)
    following = search.Search(Record.of(()).reviews)
    while following.waiting and time.monotonic() - begun < 10:
        time.sleep(0.02)
    assert not following.waiting
