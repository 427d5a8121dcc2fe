"""The lesson as a learner goes through it: predict, read, derive, train, answer, come back."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import settled
from tests.conftest import StartServer, Visit
from tests.server import Server

pytestmark = pytest.mark.slow

RUN_MS = 60_000


def card(page: Page, name: str) -> Locator:
    """A bordered part of the lesson, by the key its code gives it."""
    return page.locator(f".st-key-{name.replace('/', '-')}")


def believe(part: Locator, option: str, percent: int) -> None:
    """Pick an option, be this sure of it, commit."""
    part.get_by_role("radio", name=option).check()
    part.get_by_role("button", name=f"{percent}%").click()
    part.get_by_role("button", name="Commit", exact=True).click()
    settled(part.page)


def no_idea(part: Locator) -> None:
    """Commit the uniform distribution."""
    part.get_by_role("button", name="No idea").click()
    settled(part.page)


def open_everything(page: Page) -> None:
    """Commit to all predictions, so that the whole lesson is open."""
    no_idea(card(page, "predict-dpo/stand-in-for-reward"))
    no_idea(card(page, "predict-dpo/dropped-beta"))
    no_idea(card(page, "predict-dpo/lab-chosen-tabular"))
    page.get_by_role("radio", name="Shared features").click()
    settled(page)
    no_idea(card(page, "predict-dpo/lab-chosen-shared"))
    page.get_by_role("radio", name="A table").click()
    settled(page)
    no_idea(card(page, "predict-dpo/lab-annotator-unmet"))
    no_idea(card(page, "predict-dpo/lab-losses-rest"))


def test_text_stays_shut_until_the_learner_commits(visit: Visit) -> None:
    page = visit("/dpo")
    below = page.get_by_text("Both methods start from one objective")
    expect(below).to_have_count(0)
    expect(page.get_by_role("heading", name="Why Z cancels")).to_have_count(0)
    before = card(page, "predict-dpo/stand-in-for-reward")
    expect(before.get_by_role("button", name="Commit", exact=True)).to_be_disabled()
    believe(before, "the value that a critic assigns", 70)
    expect(below).to_be_visible()


def test_the_question_returns_and_both_answers_stand_side_by_side(visit: Visit) -> None:
    page = visit("/dpo")
    believe(card(page, "predict-dpo/stand-in-for-reward"), "the value that a critic assigns", 70)
    after = card(page, "again-dpo/stand-in-for-reward")
    believe(after, "the log-ratio of policy to reference", 90)
    right = after.get_by_role("listitem").filter(has_text="the log-ratio of policy to reference")
    expect(right).to_contain_text("10%")  # what the log-ratio was given before reading
    expect(right).to_contain_text("90%")
    expect(after).to_contain_text("Before reading: −1.32 bits. After: +1.85 bits.")


def test_sliders_always_sum_to_one_and_keep_the_floor(visit: Visit) -> None:
    page = visit("/dpo")
    part = card(page, "predict-dpo/stand-in-for-reward")
    sliders = part.get_by_role("slider")
    for index, value in enumerate(("97", "40", "97", "1")):
        sliders.nth(index).fill(value)
        given = [int(sliders.nth(k).input_value()) for k in range(4)]
        assert sum(given) == 100
        assert min(given) >= 1


def test_no_text_below_the_lab_gives_its_outcome_away(visit: Visit) -> None:
    page = visit("/dpo")
    no_idea(card(page, "predict-dpo/stand-in-for-reward"))
    no_idea(card(page, "predict-dpo/dropped-beta"))
    outcome = page.get_by_text("it never falls on the way")
    no_idea(card(page, "predict-dpo/lab-chosen-tabular"))
    expect(outcome).to_have_count(0)
    page.get_by_role("radio", name="Shared features").click()
    settled(page)
    no_idea(card(page, "predict-dpo/lab-chosen-shared"))
    expect(outcome).to_have_count(1)


def test_the_derivation_steps_by_button_and_key_and_is_in_the_address(visit: Visit) -> None:
    page = visit("/dpo?line=reward")
    stage = page.locator(".st-key-derivation-dpo .stage").first
    expect(stage).to_contain_text(re.compile(r"line 11 of \d+"))
    stage.get_by_role("button", name="Next").click()
    expect(page).to_have_url(re.compile("line=comparison"))
    expect(stage.locator("math").first).to_have_attribute("alttext", re.compile("sigma"))
    stage.get_by_role("group", name="Formula").focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("line=difference"))
    expect(stage.locator("[data-cancel]")).to_have_count(2)
    page.wait_for_timeout(900)
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("line=canceled"))
    expect(stage.locator("[data-cancel]")).to_have_count(0)
    page.wait_for_timeout(2_000)
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("line=difference"))


def test_back_leads_to_the_line_before(visit: Visit) -> None:
    page = visit("/dpo?line=reward")
    stage = page.locator(".st-key-derivation-dpo .stage").first
    stage.get_by_role("button", name="Next").click()
    expect(page).to_have_url(re.compile("line=comparison"))
    settled(page)
    page.go_back()
    expect(page).to_have_url(re.compile("line=reward"))
    expect(stage).to_contain_text(re.compile(r"line 11 of \d+"))


def test_a_link_to_a_section_brings_it_into_view(visit: Visit) -> None:
    page = visit("/dpo?section=quiz")
    expect(page.get_by_role("heading", name="Without looking back")).to_be_in_viewport()


def test_terms_fly_unless_motion_is_unwelcome(visit: Visit) -> None:
    page = visit("/dpo?line=difference")
    next_line = page.locator(".st-key-derivation-dpo .stage").first.get_by_role(
        "button", name="Next"
    )
    moving = "() => document.getAnimations().length"
    inside = """() => [...document.querySelectorAll("*")].flatMap(node => node.shadowRoot
        ? node.shadowRoot.getAnimations() : []).length"""
    next_line.click()
    assert page.evaluate(moving) + page.evaluate(inside) > 0
    page.emulate_media(reduced_motion="reduce")
    page.goto(page.url.replace("canceled", "difference"))
    settled(page)
    next_line.click()
    assert page.evaluate(inside) == 0


def test_both_sides_of_a_line_follow_the_world(visit: Visit) -> None:
    page = visit("/dpo?line=reward&dpo-r0=2.0")
    part = card(page, "derivation-dpo")
    expect(part.get_by_test_id("stMetricValue")).to_have_text("2.0000 = 2.0000")
    expect(part).to_contain_text("holds")


def test_breaking_the_derivation_shows_what_fails(visit: Visit) -> None:
    page = visit("/dpo?line=reward")
    part = card(page, "derivation-dpo")
    part.get_by_text("Drop the β on log Z", exact=True).click()
    settled(page)
    expect(part).to_contain_text("(β − 1) log Z(x)")


def test_a_proof_and_its_near_miss_are_decided_on_the_page(visit: Visit) -> None:
    page = visit("/dpo?line=reward")
    page.get_by_role("button", name="Proof and source").click()
    settled(page)
    opened = page.get_by_test_id("stPopoverBody")
    expect(opened.get_by_text("Proved for 2, 3 and 4 responses.")).to_be_visible()
    expect(opened).to_contain_text("refused")
    expect(opened).to_contain_text("Rafailov et al. 2023")


def test_a_claim_is_recomputed_in_front_of_the_reader(visit: Visit) -> None:
    page = visit("/dpo")
    page.get_by_role("button", name="Verify 28 GB").first.click()
    settled(page)
    opened = page.get_by_test_id("stPopoverBody")
    expect(opened).to_contain_text("They agree")
    expect(opened).to_contain_text("engine.checks.")


def test_a_run_is_watched_ends_and_asks_again(visit: Visit) -> None:
    page = visit("/lab?id=dpo")
    no_idea(card(page, "predict-dpo/lab-chosen-tabular"))
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    paused = page.get_by_text(re.compile(r"Paused at step \d+"))
    expect(paused).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Done at step 200 of 200")).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_role("slider", name="Step")).to_be_visible()
    expect(card(page, "again-dpo/lab-chosen-tabular")).to_be_visible()


def test_stopping_a_run_keeps_what_was_computed(visit: Visit) -> None:
    page = visit("/lab?id=dpo")
    no_idea(card(page, "predict-dpo/lab-chosen-tabular"))
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_timeout(600)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text(re.compile(r"Stopped at step \d+ of 200"))).to_be_visible()
    expect(page.get_by_role("button", name="Run again")).to_be_visible()


def test_a_setting_that_cannot_work_is_told_and_loses_nothing(visit: Visit) -> None:
    page = visit("/lab?id=dpo&dpo_data=Many+prompts&dpo_graph=Two+islands&dpo_responses=2")
    no_idea(card(page, "predict-dpo/lab-chosen-tabular"))
    page.get_by_role("button", name="Run", exact=True).click()
    settled(page)
    expect(page.get_by_role("alert")).to_contain_text("at least 4")


def test_soft_labels_on_a_connected_graph_find_the_optimum(visit: Visit) -> None:
    page = visit("/lab?id=dpo&dpo_data=Many+prompts&dpo_optimizer=Newton&dpo_steps=12")
    no_idea(card(page, "predict-dpo/lab-chosen-tabular"))
    page.get_by_role("button", name="Run", exact=True).click()
    status = page.get_by_text("Done at step 12 of 12")
    expect(status).to_be_visible(timeout=RUN_MS)
    landed = re.search(r"KL\(π\*‖π\) (below 10⁻¹⁵|\d\.\d\s·\s10⁻¹[1-9]) nats", status.inner_text())
    assert landed is not None, status.inner_text()


def test_the_quiz_scores_in_bits_and_speaks_to_the_misconception(visit: Visit) -> None:
    page = visit("/dpo?section=quiz")
    quiz = card(page, "quiz-dpo")
    believe(quiz, "the base model before fine-tuning", 99)
    told = quiz.get_by_role("listitem").filter(has_text="the base model before fine-tuning")
    expect(told).to_contain_text("97%")
    expect(quiz).to_contain_text("bits")
    expect(page.get_by_text(re.compile(r"1 of \d+ answered"))).to_be_visible()
    quiz.get_by_role("button", name="Next question").click()
    expect(quiz).to_contain_text("Question 2 of")


def test_everything_is_there_after_reload_and_restart(
    start_server: StartServer, visit: Visit
) -> None:
    server = start_server()
    page = visit("/dpo", server=server)
    open_everything(page)
    page.locator(".st-key-derivation-dpo .stage").first.get_by_role("button", name="Next").click()
    expect(page).to_have_url(re.compile("line=sum"))
    page.get_by_role("button", name="Run", exact=True).first.click()
    expect(page.get_by_text("Done at step 200 of 200").first).to_be_visible(timeout=RUN_MS)
    believe(card(page, "quiz-dpo"), "the value network", 90)
    for restart in (False, True):
        if restart:
            page.goto("about:blank")  # an open page would complain that its server is gone
            server.restart()
        page.goto(f"{server.url}/dpo")
        settled(page)
        _everything_is_there(page)


def _everything_is_there(page: Page) -> None:
    expect(page.get_by_text("Both methods start from one objective")).to_be_visible()
    expect(page.get_by_text("it never falls on the way")).to_have_count(1)
    stage = page.locator(".st-key-derivation-dpo .stage").first
    expect(stage).to_contain_text(re.compile(r"line 2 of \d+"))
    expect(page.get_by_text("Done at step 200 of 200").first).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_text(re.compile(r"1 of \d+ answered"))).to_be_visible()


def test_another_browser_is_another_learner(server: Server, visit: Visit) -> None:
    page = visit("/dpo")
    no_idea(card(page, "predict-dpo/stand-in-for-reward"))
    other = visit("/dpo")
    expect(other.get_by_text("Both methods start from one objective")).to_have_count(0)
    expect(visit("/progress").get_by_text("Nothing is recorded yet")).to_be_visible()


def test_the_lab_comes_back_with_the_controls_of_its_run(visit: Visit, server: Server) -> None:
    page = visit("/lab?id=dpo")
    no_idea(card(page, "predict-dpo/lab-chosen-tabular"))
    page.get_by_role("radio", name="Many prompts").click()
    settled(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Done at step 200 of 200")).to_be_visible(timeout=RUN_MS)
    page.goto(f"{server.url}/lab?id=dpo")
    settled(page)
    expect(page.get_by_text("Done at step 200 of 200")).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_role("radio", name="Many prompts")).to_be_checked()
    expect(page.get_by_text("controls changed")).to_have_count(0)


@pytest.mark.parametrize(
    ("settings", "seen"),
    [
        ("dpo_optimizer=Newton&dpo_steps=12", "landed on the closed-form optimum"),
        ("dpo_optimizer=Gradient+descent&dpo_steps=12", "still falling"),
        ("dpo_optimizer=Newton&dpo_steps=12&dpo_graph=Two+islands", "how the islands compare"),
        ("dpo_optimizer=Newton&dpo_steps=12&dpo_labels=Sampled", "They are a sample"),
        ("dpo_optimizer=Newton&dpo_steps=12&dpo_labels=Never+in+doubt", "keeps growing"),
    ],
)
def test_what_to_see_is_true_of_the_run_that_is_shown(
    visit: Visit, settings: str, seen: str
) -> None:
    page = visit(f"/lab?id=dpo&dpo_data=Many+prompts&{settings}")
    no_idea(card(page, "predict-dpo/lab-chosen-tabular"))
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Done at step 12 of 12")).to_be_visible(timeout=RUN_MS)
    expect(page.get_by_text("What to see:")).to_contain_text(seen)
