"""Derivations on a page without a browser: several on one page, each with its own address."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from content.markdown import Directive
from engine.algebra.derivations import all_derivations, derivation
from engine.algebra.line import Line
from pages import resources
from pages.parts import derivation as part
from tests.conftest import OpenApp
from tests.small_course import edit, write_course

NAMES = list(all_derivations())


@pytest.fixture
def show(open_app: OpenApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenApp:
    """Open a lesson with the derivations that `derivations` names, before its first prediction."""
    folder = write_course(tmp_path / "course")
    monkeypatch.setenv("SURPRISAL_CONTENT", str(folder))
    monkeypatch.setattr(resources, "_good", [])
    before = ":::{predict} which-coin"

    def show(url_path: str = "coins", **query: str) -> AppTest:
        names = query.pop("derivations").split()
        stages = "\n\n".join(f":::{{derivation}} {name}\n:::" for name in names)
        edit(folder, "lessons/coins/lesson.md", before, f"{stages}\n\n{before}")
        return open_app(url_path, **query)

    return show


def text(app: AppTest) -> str:
    assert list(app.exception) == []
    assert list(app.error) == []
    return "\n".join(element.value for element in [*app.markdown, *app.caption])


def sides(app: AppTest) -> list[str]:
    """Both sides of the line that each derivation shows."""
    assert list(app.exception) == []
    return [metric.value for metric in app.metric]


def at_first(name: str, line: str) -> str:
    """Both sides of a line as they are drawn on a first visit."""
    desk = derivation(name).desk
    found = desk.sides(derivation(name).line(line), desk.usual())
    return f"{part._rounded(found.left)} {found.relation} {part._rounded(found.right)}"


@pytest.mark.parametrize("name", NAMES)
def test_every_derivation_draws_its_world_and_holds_in_it(show: OpenApp, name: str) -> None:
    app = show(derivations=name)
    assert "holds" in text(app)
    assert sides(app)[-1] == at_first(name, derivation(name).lines[0].id)
    rows = derivation(name).desk.rows
    assert len(app.slider) >= 3 * len(rows)


@pytest.mark.parametrize("name", NAMES)
def test_every_line_of_it_can_be_named_in_the_address(show: OpenApp, name: str) -> None:
    last = derivation(name).lines[-1].id
    assert sides(show(derivations=name, line=f"{name}/{last}"))[-1] == at_first(name, last)


def test_a_bare_name_is_a_line_of_the_first_derivation_that_has_it(show: OpenApp) -> None:
    app = show(derivations="dpo ipo-margin", line="margin")
    assert sides(app)[-2:] == [at_first("dpo", "objective"), at_first("ipo-margin", "margin")]


def test_a_line_of_both_is_of_the_one_that_comes_first(show: OpenApp) -> None:
    app = show(derivations="max-entropy cross-entropy", line="bound")
    assert sides(app)[-2:] == [
        at_first("max-entropy", "bound"),
        at_first("cross-entropy", "entropy"),
    ]


def test_an_address_that_says_which_derivation_moves_no_other(show: OpenApp) -> None:
    app = show(derivations="dpo ipo-margin", line="ipo-margin/loss")
    assert sides(app)[-2:] == [at_first("dpo", "objective"), at_first("ipo-margin", "loss")]


def test_a_line_of_one_derivation_opens_no_section_with_another(show: OpenApp) -> None:
    app = show(derivations="max-entropy", line="gap")  # the section after it holds `entropy`
    assert "Your link opened this section" not in text(app)
    assert [header.value for header in app.header] == ["Entropy of a coin"]


def test_a_line_that_is_not_there_leaves_every_derivation_at_its_start(show: OpenApp) -> None:
    app = show(derivations="dpo ipo-margin", line="nothing")
    for line in ("dpo/nothing", "nothing/loss", "/", "", "a/b/loss", "entropy/loss"):
        app.query_params["line"] = line
        app.run()
        assert sides(app)[-2:] == [at_first("dpo", "objective"), at_first("ipo-margin", "loss")]


def test_the_sliders_stand_in_the_address_under_the_name_of_the_derivation(show: OpenApp) -> None:
    usual = show(derivations="grpo-advantage", line="push")
    assert sides(usual)[-1] == "0.8660 = 0.8660"
    usual.slider(key="grpo-advantage-p").set_value(0.5).run()
    assert sides(usual)[-1] == "1.0000 = 1.0000"


def test_the_learner_picks_the_outcome_that_a_line_is_shown_for(show: OpenApp) -> None:
    app = show(derivations="logit-gradient", line="gradient")
    assert "for k = “roof” and y = “mat”" in text(app)
    app.select_slider(key="logit-gradient-k").set_value("mat").run()
    assert "for k = “mat” and y = “mat”" in text(app)
    assert sides(app)[-1].startswith("−")


def test_points_that_are_all_the_same_are_told_and_nothing_breaks(show: OpenApp) -> None:
    app = show(derivations="gaussian-moments")
    for place in range(3):
        app.slider(key=f"gaussian-moments-x{place}").set_value(1.0)
    app.run()
    assert list(app.exception) == []
    assert "not all the same" in app.error[0].value


def lines() -> list[Line]:
    return [line for name in NAMES for line in derivation(name).lines]


def test_a_verdict_speaks_of_what_is_summed_over() -> None:
    told = {line.over: part._verdicts(line) for line in lines() if line.over != "points"}
    assert "**Proved for 2, 3 and 4 tokens.** For 3 tokens both" in told["tokens"]
    assert "**Proved for 2, 3 and 4 responses.** For 3 responses both" in told["responses"]
    assert told[""].startswith("**Proved.** Both sides reduce")
    assert {line.over for line in lines()} == {*told, "points"}


def test_names_with_an_index_and_logarithms_in_words_are_set() -> None:
    assert part.tex("worth −log p_i nats") == "worth −log $p_i$ nats"
    assert part.tex("π_ref(x_1) and π*") == r"$\pi_\text{ref}$($x_1$) and $\pi^*$"


def test_the_natural_logarithm_is_named_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "natural", lambda: "ln")
    assert part.tex("f(t) = t − 1 − log t, and β log Z(x)") == (
        "f(t) = t − 1 − ln t, and β ln Z(x)"
    )
    assert part.tex("the log-ratio, on a log scale, log(p/q)") == (
        "the log-ratio, on a log scale, ln(p/q)"
    )
    staged = part._staged("max-entropy", "gap", "ln")
    assert b"<mi>ln</mi>" in staged
    assert b"<mi>log</mi>" not in staged


def test_every_derivation_in_a_lesson_exists_and_so_do_its_sources() -> None:
    course = resources.course()
    for lesson in course.lessons.values():
        for section in lesson.sections:
            for block in section.blocks:
                if isinstance(block, Directive) and block.name == "derivation":
                    used = {line.source for line in derivation(block.argument).lines}
                    assert used <= set(course.sources), block.argument
