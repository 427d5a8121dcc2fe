"""Each lab in a browser: predict, run, scrub back to the start, be asked again."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser import overflow, settled, violations
from tests.conftest import Visit

pytestmark = pytest.mark.slow

RUN_MS = 60_000
# Lab -> what is asked, what the address sets, the last step, what a chart says at the first one.
LABS = {
    "grpo": ("grpo-lab-grpo-equals", "", 150, "At step 0 the prompt that began at 0.02 is at 0.02"),
    "estimators": ("grpo-lab-estimators-losses", "", 200, "After 0 samples"),
    "losses": ("dpo-lab-losses-rest", "&losses_steps=40", 40, "DPO at margin 0: "),
    "modes": ("distillation-lab-modes-reverse", "", 200, "the student has mean 1 and"),
    "distil": ("distillation-lab-distil-reverse", "", 200, "A student 0.20, "),
    "calibrate": ("calibration-lab-calibrate-ece", "", 20, "Divided by T: T = 1"),
}


@pytest.mark.parametrize("lab", LABS)
def test_a_run_is_predicted_watched_scrubbed_and_asked_again(visit: Visit, lab: str) -> None:
    asked, settings, last, first = LABS[lab]
    page = visit(f"/lab?id={lab}{settings}", width=390)
    expect(page.get_by_role("button", name="Run", exact=True)).to_have_count(0)
    page.locator(f".st-key-predict-{asked}").get_by_role("button", name="No idea").click()
    settled(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text(f"Done at step {last} of {last}")).to_be_visible(timeout=RUN_MS)
    again = page.locator(f".st-key-again-{asked}")
    expect(again.get_by_role("button", name="No idea")).to_be_visible()
    at_first = page.get_by_label(re.compile(re.escape(first)))
    expect(at_first).to_have_count(0)
    page.get_by_role("slider", name="Step").focus()
    page.keyboard.press("Home")
    settled(page)
    expect(at_first.first).to_be_attached()
    assert violations(page) == []
    assert overflow(page) == 0
