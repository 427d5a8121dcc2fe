"""Shaping by hand: what the browser computes is what the engine computes, and the link keeps it."""

import math
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from engine import experiments
from tests.browser import overflow, settled, violations
from tests.conftest import Visit
from tests.test_browser_lesson import card, no_idea

pytestmark = pytest.mark.slow

ASKS = {"kl": "predict-kl/lab-kl-rare", "entropy": "predict-entropy/lab-entropy-counted"}
SURPRISE = "predict-likelihood/lab-surprise-stuck"


def opened(visit: Visit, lab: str, query: str = "", **how: object) -> Page:
    """Open a lab on the whole screen and commit, so that there is something to shape."""
    page = visit(f"/lab?id={lab}{query}", **how)  # type: ignore[arg-type]
    no_idea(card(page, ASKS[lab]))
    expect(page.locator(".shaper")).to_be_visible()
    return settled(page)


def told(page: Page, name: str) -> list[float]:
    """What the widget says in full precision."""
    said = page.locator(".shaper").get_attribute(f"data-{name}") or ""
    return [float(part) for part in re.split(r"[,|]", said)]


def bar(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


def drag(page: Page, name: str, share: float) -> None:
    """Drag a bar by its top to a height."""
    bar(page, name).scroll_into_view_if_needed()
    box = bar(page, name).bounding_box()
    assert box is not None
    now = float(bar(page, name).get_attribute("aria-valuenow") or 0) / 100
    x, height = box["x"] + box["width"] / 2, box["height"]
    page.mouse.move(x, box["y"] + height * (1 - now))
    page.mouse.down()
    page.mouse.move(x, box["y"] + height * (1 - share), steps=4)
    page.mouse.up()
    settled(page)


def in_address(page: Page, parameter: str) -> str:
    address_has(page, f"{parameter}=")
    return parse_qs(urlsplit(page.url).query)[parameter][0]


def address_has(page: Page, part: str) -> None:
    expect(page).to_have_url(re.compile(part))


def assert_engine_agrees(page: Page, q: str, p: str) -> None:
    built = experiments.build("kl", {"q": q, "p": p})
    engine = [*built.entropies_nats, built.reverse_nats, built.forward_nats]  # type: ignore[attr-defined]
    browser = [*told(page, "entropy"), *told(page, "kl")]
    for ours, theirs in zip(engine, browser, strict=True):
        assert ours == theirs or abs(ours - theirs) < 1e-9


@pytest.mark.parametrize(
    ("q", "p"), [("2,18,80", "50,30,20"), ("1,2,3,0", "4 3 2 1"), ("0.001,7", "3,1e-5")]
)
def test_the_numbers_of_the_browser_are_those_of_the_engine(visit: Visit, q: str, p: str) -> None:
    page = opened(visit, "kl", f"&kl_q={q}&kl_p={p}")
    assert_engine_agrees(page, q, p)
    surprisals = told(page, "surprisals")
    assert sum(math.exp(-each) for each in surprisals) == pytest.approx(2, abs=1e-12)


def test_a_dragged_bar_is_told_once_and_the_others_give_way_in_proportion(visit: Visit) -> None:
    page = opened(visit, "kl")
    drag(page, "q(C)", 0.4)
    a, b, c = (float(part) for part in in_address(page, "kl_q").split(","))
    assert c == pytest.approx(40, abs=1)
    assert a + b + c == pytest.approx(100)
    assert b / a == pytest.approx(9, rel=0.05)
    assert "kl_p" not in urlsplit(page.url).query or in_address(page, "kl_p") == "50,30,20"
    assert_engine_agrees(page, in_address(page, "kl_q"), "50,30,20")


def test_pressed_to_zero_one_divergence_is_infinite_and_the_other_is_not(visit: Visit) -> None:
    page = opened(visit, "kl")
    drag(page, "q(C)", -0.2)
    assert in_address(page, "kl_q").endswith(",0")
    reverse, forward = told(page, "kl")
    assert (math.isfinite(reverse), forward) == (True, math.inf)
    expect(page.locator(".shaper")).to_contain_text("p says what q calls impossible.")
    expect(bar(page, "q(C)")).to_have_attribute("aria-valuetext", "0 percent, impossible")


def test_keys_undo_swap_and_back(visit: Visit) -> None:
    page = opened(visit, "kl")
    bar(page, "q(A)").focus()
    for key in ("PageUp", "ArrowUp", "ArrowUp", "Shift+ArrowDown"):
        page.keyboard.press(key)
    address_has(page, "kl_q=13.9")
    settled(page)
    page.get_by_role("button", name="Swap").click()
    address_has(page, "kl_p=13.9")
    settled(page)
    page.go_back()
    address_has(page, "kl_q=13.9")
    settled(page)
    page.reload()
    settled(page)
    expect(bar(page, "q(A)")).to_have_attribute("aria-valuenow", "13.9")
    page.get_by_role("button", name="Swap").click()
    page.get_by_role("button", name="Undo").click()
    expect(bar(page, "q(A)")).to_have_attribute("aria-valuenow", "13.9")
    page.get_by_role("button", name="Reset").click()
    expect(bar(page, "q(A)")).to_have_attribute("aria-valuenow", "2")


def test_a_bar_that_comes_back_brings_the_others_back(visit: Visit) -> None:
    page = opened(visit, "entropy")
    bar(page, "p(A)").focus()
    page.keyboard.press("End")
    address_has(page, "entropy_weights=100%2C0%2C0")
    assert told(page, "entropy") == [0]
    for _ in range(4):
        page.keyboard.press("PageDown")
    address_has(page, "entropy_weights=60%2C30%2C10")


def test_outcomes_are_added_and_taken_away(visit: Visit) -> None:
    page = opened(visit, "entropy")
    before = told(page, "entropy")
    page.get_by_role("button", name="One outcome more").click()
    address_has(page, "60%2C30%2C10%2C0")
    assert told(page, "entropy") == before, "what never comes adds nothing"
    page.get_by_role("button", name="Uniform").click()
    address_has(page, "25%2C25%2C25%2C25")
    assert told(page, "entropy")[0] == pytest.approx(math.log(4), abs=1e-12)


def test_the_run_takes_the_shape_that_stands(visit: Visit) -> None:
    page = opened(visit, "entropy", "&entropy_draws=10")
    page.get_by_role("button", name="Uniform").click()
    settled(page)
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("What to see")).to_be_visible()
    expect(page.get_by_text(re.compile(r"H 1\.1 nats"))).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_labs_are_accessible_and_fit_a_phone(visit: Visit, scheme: str) -> None:
    for lab in ASKS:
        page = opened(visit, lab, scheme=scheme, width=390)
        assert violations(page) == []
        assert overflow(page) == 0


def test_a_finger_scrolls_and_a_tap_sets(visit: Visit) -> None:
    page = opened(visit, "entropy", width=390)
    style = "node => getComputedStyle(node).touchAction"
    part = bar(page, "p(A)")
    assert (part.evaluate(style), part.locator(".grip").evaluate(style)) == ("pan-y", "none")


def test_the_curve_of_surprise_is_read_by_pointer_and_by_keys(visit: Visit) -> None:
    page = visit("/lab?id=surprise")
    no_idea(card(page, SURPRISE))
    point = page.get_by_role("slider", name="Probability of what happened")
    page.get_by_role("button", name="Halve p").click()
    page.get_by_role("button", name="Halve p").click()
    expect(point).to_have_attribute("aria-valuetext", "p 0.125, surprisal 2.079 nats")
    point.press("Home")
    curve = page.locator(".curve")
    assert float(curve.get_attribute("data-surprisal") or 0) == pytest.approx(-math.log(0.01))
    box = page.locator(".curve .ground").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    assert float(curve.get_attribute("data-p") or 0) == pytest.approx(0.25, abs=0.011)
    assert violations(page) == []
