"""The typed form of each line, held against its relation in the numbers of its own desk."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from sympy import Expr, Integer, S, Symbol

from engine.algebra.derivations import (
    all_derivations,
    derivation,
    k3,
    kl_optimum,
    softmax_max_entropy,
)
from engine.algebra.derivations import distillation_gradient as soft
from engine.algebra.derivations import gaussian_moments as gauss
from engine.algebra.expressions import BETA, INDEX, J, K, L, W, X, Y
from engine.algebra.line import Line
from engine.algebra.numbers import Scene
from engine.algebra.outcomes import Score, Spread, Stated, Truth, Uniform
from engine.algebra.reader import parse
from engine.algebra.typed import SYMBOLS
from engine.algebra.verdict import judge
from engine.algebra.vocabulary import (
    Model,
    Optimum,
    Partition,
    Policy,
    Preference,
    Reference,
    Reward,
)

LINES = [(name, line) for name, each in all_derivations().items() for line in each.typed]
IDS = [f"{name}/{line.id}" for name, line in LINES]
Values = Mapping[str, float]


def value(tree: Expr, at: Values) -> float:
    return float(tree.subs({SYMBOLS[name]: number for name, number in at.items()}))


def judged(expected: str, typed: str) -> str:
    return judge(expected, typed, generator=random.Random(7)).outcome


# --- every line ----------------------------------------------------------------------------------


def test_there_are_enough_of_them() -> None:
    assert len(LINES) >= 45
    assert min(len(each.typed) for each in all_derivations().values()) >= 3


@pytest.mark.parametrize(("name", "line"), LINES, ids=IDS)
def test_a_typed_line_reads_and_is_equivalent_to_itself(name: str, line: Line) -> None:
    verdict = judge(line.typed, line.typed, generator=random.Random(7))
    assert (verdict.outcome, verdict.form) == ("equivalent", True)
    assert judged(line.typed, parse(line.typed)[0].latex) == "equivalent"  # the echo says the same


@pytest.mark.parametrize(
    ("name", "line"),
    [each for each in LINES if each[1].typed_control],
    ids=[f"{name}/{line.id}" for name, line in LINES if line.typed_control],
)
def test_its_near_miss_is_different(name: str, line: Line) -> None:
    assert judged(line.typed, line.typed_control) == "different"


# --- in numbers ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """How a typed line is held against its relation.

    `names` are what the typed names stand for, as expressions of the derivation; `index` is the
    one over which the typed terms are summed, if they are; `part` is which side of the relation
    they come to, "" if the typed line is an equation that has to hold itself.
    """

    names: Mapping[str, Expr]
    index: Symbol | None = None
    part: str = "right"
    plus: Expr = S.Zero  # what the sum leaves out


_dist = {"p": Truth(INDEX), "q": Stated(INDEX)}
_most = {"p": Spread(INDEX), "q": Uniform(INDEX)}
_k3 = {"p": k3.p, "q": k3.q, "t": k3.t}
_spread = {
    "p": softmax_max_entropy.p,
    "q": softmax_max_entropy.best,
    "u": Score(INDEX),
    "beta": softmax_max_entropy.B,
    "Z": softmax_max_entropy.Z,
}
_gauss = {"p": gauss.p, "x": gauss.x, "u": gauss.MU, "tau": gauss.VARIANCE}
_kl = {
    "pi": Policy(Y, X),
    "ref": Reference(Y, X),
    "r": Reward(X, Y),
    "beta": BETA,
    "Z": Partition(X),
    "u": kl_optimum.LAMBDA,
}
_dpo = {name: each for name, each in _kl.items() if name != "u"}
_best = {**_dpo, "pi": Optimum(Y, X)}
_pair = {
    "beta": BETA,
    "Z": Partition(X),
    "p": Preference(W, L, X),
    **{f"r_{y.name[-1]}": Reward(X, y) for y in (W, L)},
    **{f"pi_{y.name[-1]}": Optimum(y, X) for y in (W, L)},
    **{f"ref_{y.name[-1]}": Reference(y, X) for y in (W, L)},
}
_soft = {"p": soft.Teacher(K, soft.T), "q": soft.Student(K, soft.T), "T": soft.T}
_softly = {"p": soft.p, "q": soft.q, "T": soft.T}

HELD: dict[str, Held] = {
    **{
        f"cross-entropy/{line}": Held(_dist, INDEX)
        for line in ("entropy", "cross-entropy", "divergence")
    },
    "cross-entropy/sum": Held(_dist, INDEX, ""),
    "cross-entropy/gibbs": Held(_dist, INDEX, "left"),
    "max-entropy/entropy": Held(_most, INDEX),
    "max-entropy/gap": Held(_most, INDEX),
    "max-entropy/attained": Held(_most, INDEX, "left"),
    "softmax-max-entropy/objective": Held(_spread, INDEX),
    "softmax-max-entropy/slope": Held(_spread),
    "softmax-max-entropy/stationary": Held(_spread),
    "softmax-max-entropy/softmax": Held({**_spread, "p": _spread["q"]}, None, ""),
    "softmax-max-entropy/gap": Held(_spread, INDEX),
    "k3/divergence": Held(_k3, k3.OUTCOME),
    "k3/mean-of-k1": Held(_k3, k3.OUTCOME, ""),
    "k3/mean-of-ratio": Held(_k3, k3.OUTCOME, ""),
    "k3/mean-of-k3": Held(_k3, k3.OUTCOME, "left"),
    "k3/never-negative": Held(_k3, None, "left"),
    **{
        f"gaussian-moments/{line}": Held(_gauss, INDEX, part)
        for line, part in (
            ("objective", "left"),
            ("written-out", "left"),
            ("mean-slope", "right"),
            ("variance-slope", "right"),
        )
    },
    "kl-optimum/objective": Held(_kl, Y, "left"),
    "kl-optimum/lagrangian": Held(_kl, Y, "left", kl_optimum.LAMBDA),
    "kl-optimum/stationary": Held(_kl),
    "kl-optimum/solved": Held({**_kl, "pi": kl_optimum.tilted}, None, ""),
    "kl-optimum/summed": Held(_kl),
    "kl-optimum/normalized": Held({**_kl, "u": kl_optimum.Multiplier(X)}, None, ""),
    "kl-optimum/optimum": Held({**_kl, "pi": kl_optimum.best}, None, ""),
    "dpo/objective": Held(_dpo, Y, "left"),
    "dpo/sum": Held(_dpo, Y, "left"),
    "dpo/normalizer": Held(_dpo, Y, "right"),
    "dpo/stationary": Held(_dpo),
    "dpo/attained": Held(_dpo),
    **{f"dpo/{line}": Held(_best, None, "") for line in ("optimum", "logs", "reward")},
    **{
        f"dpo/{line}": Held(_pair, None, "")
        for line in ("comparison", "difference", "canceled", "likelihood")
    },
    "distillation-gradient/loss": Held(_softly, INDEX, "left"),
    "distillation-gradient/gradient": Held(_soft),
    "distillation-gradient/scaled": Held(_soft),
    "brier-proper/expected": Held({"p": Truth(J), "q": Stated(J)}, J),
    "brier-proper/gap": Held({"p": Truth(J), "q": Stated(J)}, J),
}


def places(index: Symbol | None) -> list[dict[Symbol, Integer]]:
    fixed = {W: Integer(0), L: Integer(1), K: Integer(1)}
    asked = dict.fromkeys((INDEX, Y, k3.OUTCOME, J), Integer(0))
    if index is None:
        return [{**asked, **fixed}]
    return [{**asked, **fixed, index: Integer(place)} for place in range(3)]


def terms(held: Held, tree: Expr, scene: Scene, constants: dict[str, float]) -> list[float]:
    used = {str(symbol) for symbol in tree.free_symbols}
    return [
        value(
            tree,
            {n: scene.value(e, at) for n, e in held.names.items() if n in used} | constants,
        )
        for at in places(held.index)
    ]


@pytest.mark.parametrize("which", list(HELD))
def test_a_typed_line_says_what_its_relation_says(which: str) -> None:
    name, _, id_ = which.partition("/")
    desk, line, held = derivation(name).desk, derivation(name).line(id_), HELD[which]
    world = desk.usual()
    scene, sides = world.scene(), desk.sides(line, world)
    typed, _ = parse(line.typed)
    constants = {"pi": 3.141592653589793} if name == "gaussian-moments" else {}
    left = sum(terms(held, typed.left.expr, scene, constants))
    if held.part == "":
        assert typed.right is not None
        assert left == pytest.approx(sum(terms(held, typed.right.expr, scene, constants)))
        return
    rest = scene.value(held.plus, places(None)[0])
    assert left + rest == pytest.approx(getattr(sides, held.part))


def test_an_equation_of_sums_has_the_sums_of_its_relation_for_sides() -> None:
    for which in ("cross-entropy/sum", "k3/mean-of-k1", "k3/mean-of-ratio"):
        name, _, id_ = which.partition("/")
        desk, line = derivation(name).desk, derivation(name).line(id_)
        world = desk.usual()
        typed, _ = parse(line.typed)
        assert typed.right is not None
        for side, part in ((typed.left, "left"), (typed.right, "right")):
            summed = sum(terms(HELD[which], side.expr, world.scene(), {}))
            assert summed == pytest.approx(getattr(desk.sides(line, world), part)), (which, part)


def test_the_gap_below_the_largest_entropy() -> None:
    desk, line = derivation("max-entropy").desk, derivation("max-entropy").line("bound")
    sides = desk.sides(line, desk.usual())
    found = terms(Held(_most, INDEX), parse(line.typed)[0].left.expr, desk.usual().scene(), {})
    assert sum(found) == pytest.approx(sides.right - sides.left)
    assert min(found) >= 0


@pytest.mark.parametrize("id_", ["loss", "gradient"])
def test_the_loss_and_the_weight_of_its_gradient(id_: str) -> None:
    desk, line = derivation("dpo").desk, derivation("dpo").line(id_)
    scene = desk.usual().scene()
    at = places(None)[0]
    h = {f"h_{y.name[-1]}": scene.value(Model(y, X) / Reference(y, X), at) for y in (W, L)}

    numbers = {n: math.log(v) for n, v in h.items()} | {"beta": scene.value(BETA, at)}
    typed = value(parse(line.typed)[0].left.expr, numbers)
    sides = desk.sides(line, desk.usual())
    # For the gradient: in the logit of the chosen response the log-probabilities' gap has slope 1.
    assert typed == pytest.approx(sides.right)


IPO = {"u": 1.0, "tau": 0.1}
GRPO = {"p": 0.25}


@pytest.mark.parametrize("id_", ["loss", "slope"])
def test_the_ipo_loss_and_its_slope(id_: str) -> None:
    desk, line = derivation("ipo-margin").desk, derivation("ipo-margin").line(id_)
    typed = value(parse(line.typed)[0].left.expr, IPO)
    assert typed == pytest.approx(desk.sides(line, desk.usual()).left)


def test_the_ipo_margin_is_where_the_slope_is_zero() -> None:
    margin = parse(derivation("ipo-margin").line("margin").typed)[0].right
    slope = parse(derivation("ipo-margin").line("slope").typed)[0].left
    assert margin is not None
    at = value(margin.expr, IPO)
    assert value(slope.expr, {**IPO, "u": at}) == pytest.approx(0)


@pytest.mark.parametrize("line", derivation("grpo-advantage").typed, ids=lambda line: line.id)
def test_advantages_from_the_share_of_right_answers(line: Line) -> None:
    desk = derivation("grpo-advantage").desk
    typed = value(parse(line.typed)[0].left.expr, GRPO)
    assert typed == pytest.approx(desk.sides(line, desk.usual()).left)


def test_softmax_of_two_tokens() -> None:
    """By hand: the logits 0.7 and 0, of which the first is right."""

    p = math.exp(0.7) / (math.exp(0.7) + 1)
    at = {"u": 0.7, "p": p}
    lines = {line.id: parse(line.typed)[0] for line in derivation("logit-gradient").typed}
    for name in ("softmax", "log-softmax"):
        right = lines[name].right
        assert right is not None
        assert value(lines[name].left.expr, at) == pytest.approx(value(right.expr, at))
    losses = [value(lines[name].left.expr, at) for name in ("loss", "written-out")]
    assert losses == pytest.approx([-math.log(p)] * 2)
    step = 1e-6
    slope = (math.log(math.exp(0.7 + step) + 1) - math.log(math.exp(0.7) + 1)) / step - 1
    assert value(lines["gradient"].left.expr, at) == pytest.approx(slope, abs=1e-5)


def test_softmax_of_two_classes_at_a_temperature() -> None:

    right = parse(derivation("distillation-gradient").line("softened").typed)[0].right
    assert right is not None
    by_hand = math.exp(1.2 / 4) / (math.exp(1.2 / 4) + math.exp(0))
    assert value(right.expr, {"u": 1.2, "T": 4.0}) == pytest.approx(by_hand)


def test_the_brier_score_of_what_came() -> None:
    """With two classes, the terms of the one that came and of the other are alike."""
    term = parse(derivation("brier-proper").line("score").typed)[0].left.expr
    assert value(term, {"q": 0.9}) == pytest.approx((0.9 - 1) ** 2)


def test_every_line_is_held_against_its_relation() -> None:
    beside = {"dpo/loss", "dpo/gradient", "max-entropy/bound", "brier-proper/score"}
    beside |= {"distillation-gradient/softened"}
    whole = {"ipo-margin", "grpo-advantage", "logit-gradient"}
    left = {each for each in IDS if each.partition("/")[0] not in whole}
    assert left == set(HELD) | beside
