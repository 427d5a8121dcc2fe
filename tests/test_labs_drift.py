"""The drift lab: its question rightly answered, files taken or refused by row and column."""

from dataclasses import replace

import pytest

from engine import experiments
from pages import resources
from pages.labs import drift
from pages.labs.drift import LAB
from pages.parts import drift_files
from tests.conftest import OpenApp
from tests.lab_runs import alts, ended
from tests.learners import finish

HOSTILE = {"drift_seed": "1e999", "drift_shift": "x", "drift_kind": "mars", "drift_rounds": "nan"}
CHARTS = 4
BASE = "id,score\n" + "".join(f"m{k},{0.2 + 0.004 * k:.3f}\n" for k in range(60))
TUNED = "id,score\n" + "".join(f"m{k},{0.6 + 0.004 * k:.3f}\n" for k in range(59, -1, -1))


@pytest.fixture
def opened(open_app: OpenApp, token: str, monkeypatch: pytest.MonkeyPatch) -> OpenApp:
    """Run pages as a learner who has predicted everything; runs are not slowed down."""
    monkeypatch.setattr(drift, "LAB", replace(LAB, seconds=0.0))
    finish(resources.course().lessons["calibration"], resources.store(), token)
    return open_app


def test_the_lab_is_shut_until_the_learner_has_predicted(open_app: OpenApp) -> None:
    app = open_app("lab", id="drift")
    assert list(app.exception) == []
    assert "drift-main" not in [button.key for button in app.button]


def test_presets_run_and_come_to_the_verdicts_they_are_there_for(opened: OpenApp) -> None:
    app = opened("lab", id="drift")
    for number, word in enumerate(("no evidence", "below the threshold", "too few")):
        run = ended(app, "drift", f"preset-{number}").session_state["run-drift"]
        assert run.job.steps[-1].verdict.word == word
        assert len(alts(app)) == CHARTS
        assert all(alts(app))


def test_nonsense_in_the_address_leaves_the_usual_settings(opened: OpenApp) -> None:
    app = ended(opened("lab", id="drift", **HOSTILE), "drift")
    assert app.session_state["run-drift"].settings == drift.USUAL


def test_a_shared_address_gives_the_same_records(opened: OpenApp) -> None:
    few: dict[str, object] = {"shift": 0.3, "rounds": 99, "seed": 7}
    app = opened("lab", id="drift", **{f"drift_{name}": str(each) for name, each in few.items()})
    steps = ended(app, "drift").session_state["run-drift"].job.steps
    assert steps == list(experiments.build("drift", few).run())
    assert steps != list(experiments.build("drift", few | {"seed": 8}).run())


def test_hardly_a_round_reaches_the_line_as_the_question_says() -> None:
    *_, last = experiments.build("drift", dict(drift.USUAL)).run()
    assert (last.beyond, last.rounds) == (0, 999), "neither half of them, nor 50, nor all"
    assert last.p_value == pytest.approx(1 / 1000), "and p is not zero"
    choice = resources.course().lessons["calibration"].predictions["lab-drift-rounds"]
    assert choice.options[choice.answer].text.startswith("in hardly any")


def test_files_are_joined_by_id_and_leave_no_link(opened: OpenApp) -> None:
    app = opened("lab", id="drift")
    app.file_uploader[0].set_value(("base.csv", BASE.encode(), "text/csv")).run()
    app.file_uploader[1].set_value(("tuned.csv", TUNED.encode(), "text/csv")).run()
    app = ended(app, "drift")
    assert app.session_state["run-drift"].job.steps[-1].verdict.word == "drifted"
    text = "\n".join(each.value for each in app.markdown)
    assert "joined by id" in text
    assert "A link cannot carry them" in text


def test_a_bad_file_is_told_by_row_and_column_and_not_run(opened: OpenApp) -> None:
    app = opened("lab", id="drift")
    app.file_uploader[0].set_value(("bad.csv", b"score\n0.5\nhigh\n", "text/csv")).run()
    assert "Row 3, column 1" in "\n".join(each.value for each in app.text)
    app.button(key="drift-main").click().run()
    assert "Expected two files without faults" in "\n".join(each.value for each in app.error)
    assert "run-drift" not in app.session_state


def test_bytes_that_are_no_text_are_told() -> None:
    found = drift_files.read("x.csv", b"0.5\n\xff\xfe\n")
    assert found.scores is None
    assert found.faults[0].startswith("Row 2: expected text in UTF-8")
