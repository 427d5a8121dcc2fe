"""The drift lab: two scorers, the swaps that chance would make, and a verdict.

The learner first says how many rounds reach the line; then watches the histogram of chance fill,
for two simulated scorers or for two files of their own; then is asked again.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pages.parts import drift_charts, drift_files, lab, lab_frame, numerals, units
from pages.parts.controls import SEED, Number, Select, Slide, Values
from pages.parts.drift_files import Brought
from pages.parts.lab import Run
from pages.parts.place import Place
from pages.parts.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.experiments.drift import Experiment, Step

SHIFTS = (-1.0, -0.4, -0.2, 0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 1.0, 2.0, 3.0)
THRESHOLDS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
LEVELS = (0.001, 0.01, 0.05, 0.1, 0.2, 0.5)
USUAL: dict[str, Any] = {
    "kind": "js",
    "pairing": "paired",
    "shift": 0.4,
    "memos": 500,
    "bins": 10,
    "rounds": 999,
    "threshold": 0.01,
    "level": 0.05,
    "seed": 0,
}
OWN = (
    "This run compares your own files, joined {}. A link cannot carry them, so there is none, and "
    "the record does not keep the run."
)
LEFT_OUT = " Left out, since the other file lacks their ids: {} of base and {} of tuned."
STALE = ":orange[the files have changed since; run again]"


@dataclass(frozen=True, eq=False)
class Compared:
    """An experiment, and the files that it was made of, if they were the learner's."""

    experiment: "Experiment"
    files: tuple[Brought | None, Brought | None] = (None, None)

    @property
    def settings(self) -> Any:  # noqa: ANN401  the engine's settings
        """What was set."""
        return self.experiment.settings

    @property
    def length(self) -> int:
        """The records that a whole run yields."""
        return self.experiment.length

    def run(self) -> "Iterator[Step]":
        """Permute, batch by batch."""
        return self.experiment.run()


def draw(place: Place) -> None:
    """Draw the lab."""
    lab_frame.draw(LAB, place)


def _build(values: Values) -> Compared:
    """Compare the learner's files if there are any, else the simulated scorers.

    Raises:
        EngineError: one file is missing or has faults, or the two do not go together.
    """
    from engine.errors import EngineError
    from engine.experiments import drift

    settings = drift.Settings.read(values)
    base, tuned = _files()
    if base is None and tuned is None:
        return Compared(drift.build(settings))
    if base is None or tuned is None or base.scores is None or tuned.scores is None:
        raise EngineError(
            "Expected two files without faults, one for each scorer. Mend or add the one that is "
            "missing above, or go back to the example."
        )
    return Compared(drift.from_files(base.scores, tuned.scores, settings), (base, tuned))


def _files() -> tuple[Brought | None, Brought | None]:
    return drift_files.brought("base"), drift_files.brought("tuned")


def _example(compared: Compared) -> bool:
    return compared.files == (None, None)


def _about(values: Values) -> bool:
    """Whether a run is the one that was predicted."""
    run = lab.current(LAB.id)
    return run is not None and _example(run.experiment) and dict(values) == USUAL


def _stage(_place: Place) -> None:
    drift_files.draw()


def _charts(compared: Compared, steps: "Sequence[Step]", at: int) -> None:
    drift_charts.draw(compared.experiment, steps, at)


def _see(_compared: Compared, step: "Step") -> str:
    return (
        f"{step.beyond} of {step.rounds:,} rounds come as far as the data. With the data counted "
        f"as one more, p is {numerals.told(step.p_value, digits=3)}, against a level of "
        f"{step.verdict.level:g}."
    )


def _status(run: Run[Compared, "Step"]) -> list[str]:
    nats = units.from_nats(run.job.steps[-1].verdict.divergence_nats)
    said = [f"divergence {numerals.told(nats, digits=3)} {units.of_information()}"]
    changed = any(a is not b for a, b in zip(run.experiment.files, _files(), strict=True))
    return [*said, STALE] if changed else said


def _after(run: Run[Compared, "Step"], _place: Place) -> None:
    from engine import score_files

    base, tuned = run.experiment.files
    if base is None or tuned is None or base.scores is None or tuned.scores is None:
        return
    found = score_files.match(base.scores, tuned.scores)
    left = LEFT_OUT.format(*found.left_out) if any(found.left_out) else ""
    how = "unpaired" if run.settings["pairing"] == "unpaired" else found.how
    quiet(OWN.format(how) + left)


LAB = lab_frame.Lab(
    id="drift",
    title="Has the scorer drifted?",
    promise="Compare two scorers, simulated or your own, with what chance alone would give.",
    stage=_stage,
    build=_build,
    row=(
        Slide("shift", "Shift of the example", SHIFTS, 0.4),
        Number("memos", "Its memos", (1, 500, 1_000)),
        Slide("threshold", "Threshold, nats", THRESHOLDS, 0.01),
    ),
    more=(
        Select("kind", "Divergence", {"js": "Jensen-Shannon", "kl": "KL(tuned‖base)"}),
        Select("pairing", "Items", {"paired": "Same for both", "unpaired": "Different"}),
        Slide("level", "Level", LEVELS, 0.05),
        Number("rounds", "Rounds", (1, 999, 1_999)),
        Number("bins", "Bins", (2, 10, 30)),
        SEED,
    ),
    presets={
        "Second run": USUAL | {"shift": 0.0},
        "Faint": USUAL | {"shift": 0.2, "memos": 1_000},
        "Few memos": USUAL | {"memos": 5},
    },
    asks=lambda _values: "lab-drift-rounds",
    about=_about,
    not_about="Your prediction was about the example: a shift of 0.4, 500 memos, 999 rounds.",
    charts=_charts,
    see=_see,
    numbers=drift_charts.numbers,
    table=drift_charts.row,
    status=_status,
    after=_after,
    repeatable=_example,
)
