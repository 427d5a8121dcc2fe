"""Home, glossary, sources, errata without a browser: what is counted, listed, shuffled."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from content.load import LoadedCourse, load_course
from content.uses import Use
from drills.events import (
    Answered,
    Payload,
    Predicted,
    Ran,
    Read,
    SelfGraded,
    Stepped,
    Verified,
    item,
)
from drills.record import ERRATA
from pages import resources
from pages.course import glossary, sources
from pages.parts import (
    catalog,
    course_map,
    journey,
    links,
    prose,
    spot,
    state,
    terms,
    units,
    used_in,
)
from pages.parts.learner import Learner, now
from pages.parts.packing import kept
from tests.conftest import OpenApp
from tests.learners import finish
from tests.small_course import write_course

HALF = (0.5, 0.5)
SURE = (0.9, 0.1)


@pytest.fixture
def course(tmp_path: Path) -> LoadedCourse:
    return load_course(write_course(tmp_path))


def learner(*did: tuple[str, Payload]) -> Learner:
    """Return someone who did these things, kept by no database."""
    who = Learner("a token", None)
    for name, payload in did:
        who.add(name, payload)
    return who


def everything() -> tuple[tuple[str, Payload], ...]:
    """Return all that the lesson on coins asks, its free text aside."""
    return (
        ("coins/which-coin", Predicted(probabilities=HALF, right=0)),
        ("coins/lab-coin", Predicted(probabilities=HALF, right=1)),
        ("coins/unit", Answered(probabilities=SURE, right=0)),
        *((f"coins/{name}", Read()) for name in ("opening", "entropy", "throwing")),
    )


def text_of(app: AppTest) -> str:
    """Return all text of a screen that drew without an error."""
    assert list(app.exception) == []
    return "\n".join(element.value for element in [*app.title, *app.subheader, *app.markdown])


# --- home ----------------------------------------------------------------------------------------


def test_who_comes_first_begins_with_the_first_lesson(course: LoadedCourse) -> None:
    way = journey.of(course, learner())
    assert way.next == journey.Next("begin", course.lessons["coins"], None)
    assert (way.stops[0].state, way.minutes_left, way.done) == ("new", 5, 0)


@pytest.mark.parametrize(
    ("name", "payload", "section"),
    [
        ("which-coin", Predicted(probabilities=HALF, right=0), "entropy"),
        ("unit", Answered(probabilities=SURE, right=0), "throwing"),  # where the quiz stands
        ("entropy", Stepped(line=2, of=3), "throwing"),
        ("coins", Ran(), "throwing"),
        ("fair-coin", Verified(expected=1, got=1, agreed=True), "entropy"),
        ("bent-coin", Verified(expected=1, got=1, agreed=True), None),  # a figure of the head
        ("entropy", Read(), "entropy"),
        ("opening", Read(), None),
        ("gone", Predicted(probabilities=HALF, right=0), None),
    ],
)
def test_one_goes_on_in_the_section_that_was_touched_last(
    course: LoadedCourse, name: str, payload: Payload, section: str | None
) -> None:
    who = learner(
        (item("coins", name), payload),
        ("errata/bits-or-nats", Answered(probabilities=SURE, right=0)),
    )
    assert journey.of(course, who).next == ("continue", course.lessons["coins"], section)


def test_a_derivation_that_was_only_drawn_was_not_touched(course: LoadedCourse) -> None:
    drawn = ("coins/entropy", Stepped(line=1, of=3))
    way = journey.of(
        course, learner(("coins/which-coin", Predicted(probabilities=HALF, right=0)), drawn)
    )
    assert way.next == ("continue", course.lessons["coins"], "entropy")
    assert journey.of(course, learner(drawn)).last is None


def test_what_is_left_shrinks_with_what_is_done(course: LoadedCourse) -> None:
    left = [
        journey.of(course, learner(*everything()[:done])).minutes_left
        for done in range(len(everything()) + 1)
    ]
    assert left == sorted(left, reverse=True)
    assert (left[0], left[-1]) == (5, 1)  # the free text is still to be written


def test_a_lesson_is_done_without_its_last_rung(course: LoadedCourse) -> None:
    stop = journey.of(course, learner(*everything(), ("coins/coins", Ran()))).stops[0]
    assert stop.state == "started"
    graded = ("coins/explain", SelfGraded(met=(0, 1), of=2))
    way = journey.of(course, learner(*everything(), graded, ("coins/coins", Ran())))
    assert way.stops[0].state == "done"
    assert not way.stops[0].reached.retained.earned
    assert way.next is None


@pytest.mark.parametrize(
    ("minutes", "told"), [(0, "0 min"), (50, "50 min"), (60, "1 h"), (395, "6 h 35 min")]
)
def test_minutes_are_told_in_hours(minutes: int, told: str) -> None:
    assert course_map.time(minutes) == told


def test_home_says_what_this_is_only_to_who_is_new(open_app: OpenApp, token: str) -> None:
    assert "Nothing to install" in text_of(open_app())
    finish(resources.course().lessons["dpo"], resources.store(), token)
    assert "Nothing to install" not in text_of(open_app())


# --- terms, glossary, sources --------------------------------------------------------------------


def test_definitions_are_words_in_place_and_links_in_the_glossary(course: LoadedCourse) -> None:
    definition = course.glossary["entropy"].definition
    assert "<a " not in terms.html(definition, course=course)
    assert "<math" in terms.html(definition, course=course)
    linked = terms.html(definition, course=course, linked=True)
    assert '<a href="/glossary?term=surprisal">surprisal</a>' in linked


def test_definitions_follow_the_unit_that_a_reader_chose(
    course: LoadedCourse, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "It is {nats}`0.693`, $\\log 2$, {fixed}`1 bit`, {claim}`coins/fair-coin`"
    assert prose.plain(text, course=course).startswith("It is 0.693 nats, $\\log 2$, 1 bit,")
    monkeypatch.setattr(units, "wanted", lambda: "bits")
    assert "1.00 bits, $\\log_2 2$, 1 bit" in prose.plain(text, course=course)


def test_each_term_has_its_definition_in_place(course: LoadedCourse) -> None:
    sent = json.loads(terms._packed(course, "errata"))
    assert set(sent["terms"]) == set(course.glossary)
    assert "Shannon 1948" in sent["terms"]["entropy"]["source"]
    assert sent["terms"]["surprisal"]["source"] == ""


@pytest.mark.parametrize(
    "to", [None, "glossary", {}, {"path": 1}, {"path": "nowhere", "query": {}}]
)
def test_a_forged_link_leads_nowhere(to: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "get", lambda *_, **__: {"dpo": None})
    links.go(to)


def test_what_was_made_of_a_course_is_made_anew_when_it_changed() -> None:
    made: list[bytes] = []

    def make() -> bytes:
        made.append(b"data")
        return made[-1]

    one, other = object(), object()
    assert {kept("test", of, make) for of in (one, one, other, other)} == {b"data"}
    assert len(made) == 2


def test_the_glossary_lists_every_term_once_under_its_letter(course: LoadedCourse) -> None:
    html = json.loads(glossary._listed(course))["html"]
    assert html.index("<h2>E</h2>") < html.index("Entropy") < html.index("<h2>S</h2>")
    assert html.count("<dt>") == len(course.glossary)
    assert 'Used in Coins: <a href="/coins?section=entropy">Entropy of a coin</a>.' in html


def test_nothing_in_a_list_escapes() -> None:
    evil = '"><script>alert(1)</script>'
    entry = catalog.Entry(key="x", group=evil, name="n", body="b", words=evil)
    labels = catalog.Labels(one="x", many="x", search="x", empty="x")
    assert "<script>" not in json.loads(catalog.listed([entry], labels))["html"]


@pytest.mark.parametrize(
    ("name", "letter"), [("Élan", "E"), ("$k_1$", "#"), ("bit", "B"), ("", "#")]
)
def test_a_name_is_looked_up_under_its_first_letter(name: str, letter: str) -> None:
    assert catalog.initial(name) == letter


def test_sources_say_whether_they_were_read_and_where_they_are_used(course: LoadedCourse) -> None:
    shannon = sources._entry("shannon1948", course.sources["shannon1948"], course).body
    assert "Read in the original." in shannon
    assert '<a href="/coins?section=throwing">Throwing it</a>' in shannon
    assert "2 predictions, 2 questions, 2 cards, 2 claims" in shannon
    assert '<a href="/errata">1 erratum</a>' in shannon
    assert 'glossary: <a href="/glossary?term=entropy">Entropy</a>' in shannon
    guo = sources._entry("guo2017", course.sources["guo2017"], course).body
    assert "Cited from its reference, not re-read." in guo


def test_many_sections_of_a_lesson_are_not_named_one_by_one() -> None:
    shipped = resources.course()
    titled = [section.id for section in shipped.lessons["dpo"].sections if section.title]
    uses = [Use("text", "dpo", section) for section in titled]
    (few,) = used_in.sections(uses[: used_in.MANY - 1], shipped)
    assert few.count("<a ") == used_in.MANY - 1
    assert used_in.sections(uses, shipped) == ['<a href="/dpo">DPO</a>, throughout']


# --- errata --------------------------------------------------------------------------------------


def test_the_order_of_the_sentences_is_even_and_stays() -> None:
    ids = [f"erratum-{number}" for number in range(400)]
    first = [spot.order(name, "a") for name in ids]
    assert first == [spot.order(name, "a") for name in ids]
    assert 150 < sum(first) < 250
    assert (
        150
        < sum(a != b for a, b in zip(first, (spot.order(n, "b") for n in ids), strict=True))
        < 250
    )


@pytest.mark.parametrize("right", [0, 1])
def test_an_answered_erratum_keeps_its_order(course: LoadedCourse, right: int) -> None:
    name = item(ERRATA, "bits-or-nats")
    (one,) = spot.rounds(course, learner((name, Answered(probabilities=SURE, right=right))))
    assert one.choice.options[right].text == course.errata[0].corrected
    assert one.choice.options[1 - right].text == course.errata[0].often_written
    assert (one.name, one.right, one.due) == (name, right == 0, False)
    assert spot.first_open([one]) == 1


def test_an_answer_that_no_longer_fits_is_asked_again(course: LoadedCourse) -> None:
    three = Answered(probabilities=(0.8, 0.1, 0.1), right=0)
    (one,) = spot.rounds(course, learner(("errata/bits-or-nats", three)))
    assert one.answer is None
    assert spot.first_open([one]) == 0


def test_reading_the_errata_shows_all_and_where_a_lesson_treats_them(open_app: OpenApp) -> None:
    text = text_of(open_app("errata"))
    assert text.count("· Often written") == len(resources.course().errata)
    assert "Treated in [DPO: Why Z cancels](/dpo?section=cancellation)" in text


def test_spotting_tells_nothing_before_the_answer(open_app: OpenApp) -> None:
    text = text_of(open_app("errata", way="Spot the error"))
    first = resources.course().errata[0]
    assert f"0 of {len(resources.course().errata)} answered" in text
    assert first.right not in text


def test_when_all_are_spotted_there_is_a_summary(open_app: OpenApp, token: str) -> None:
    store = resources.store()
    who = store.ensure_learner(token, now=now())
    for number, erratum in enumerate(resources.course().errata):
        belief = Answered(probabilities=SURE if number else (0.1, 0.9), right=0)
        store.append(who, item(ERRATA, erratum.id), belief, now=now())
    text = text_of(open_app("errata", way="Spot the error"))
    count = len(resources.course().errata)
    assert f"You spotted {count - 1} of {count}" in text
    assert "arXiv:2203.02155" in text
    assert "questions answered" not in text
    assert "+0.00" not in text_of(open_app("progress"))
