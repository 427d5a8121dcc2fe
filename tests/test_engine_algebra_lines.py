"""Every line of a derivation is proved, every near miss and every mutation of it refused."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, replace

import pytest
from sympy import Add, Expr, Mul, Pow, Symbol, exp, log
from sympy.core.basic import Basic
from sympy.core.relational import Equality

from engine.algebra.derivations import all_derivations, derivation
from engine.algebra.expressions import BETA, Excess, minus, negative, squared
from engine.algebra.field import Field
from engine.algebra.instances import Frame, concrete
from engine.algebra.line import SIZES, Control, Line, equal
from engine.algebra.proof import Claim, check, never_negative
from engine.algebra.text import plain
from engine.errors import EngineError

DPO = derivation("dpo")
COURSE = [
    *("logit-gradient", "max-entropy", "softmax-max-entropy", "cross-entropy", "k3"),
    *("gaussian-moments", "kl-optimum", "dpo", "ipo-margin", "grpo-advantage"),
    *("distillation-gradient", "brier-proper"),
]
REFERRED = {  # what lessons refer to, in this order; lines may stand between them
    "logit-gradient": "softmax log-softmax loss gradient",
    "max-entropy": "entropy gap bound attained",
    "softmax-max-entropy": "objective stationary softmax normalized",
    "cross-entropy": "entropy cross-entropy divergence sum gibbs bound",
    "k3": "divergence mean-of-k1 mean-of-ratio mean-of-k3 never-negative",
    "gaussian-moments": "objective mean-slope mean variance-slope variance",
    "kl-optimum": "objective lagrangian stationary solved normalized optimum",
    "ipo-margin": "loss slope margin",
    "grpo-advantage": "mean variance deviation advantage-right advantage-wrong ratio push",
    "distillation-gradient": "softened loss gradient scaled limit",
    "brier-proper": "score expected gap least",
}
NAMED = {
    f"{course.id}/{line.id}": line for course in all_derivations().values() for line in course.lines
}
LINES = list(NAMED.values())
SIZED = [(line, size) for line in LINES for size in line.sizes]
SOURCES = {
    *("rafailov2023", "bradley1952", "cover2006", "shannon1948", "bishop2006", "jaynes1957"),
    *("schulman2020", "azar2023", "shao2024", "hinton2015", "brier1950", "gneiting2007"),
}


def named(line: Line | int) -> str:
    if isinstance(line, int):
        return str(line)
    return next(name for name, each in NAMED.items() if each is line)


def test_the_derivations_stand_in_the_order_of_the_course() -> None:
    assert list(all_derivations()) == COURSE


@pytest.mark.parametrize("name", REFERRED)
def test_a_derivation_has_the_lines_that_lessons_refer_to_in_order(name: str) -> None:
    lines = [line.id for line in derivation(name).lines]
    wanted = REFERRED[name].split()
    assert [line for line in lines if line in wanted] == wanted
    assert (lines[0], lines[-1]) == (wanted[0], wanted[-1])


@pytest.mark.parametrize("name", COURSE)
def test_a_derivation_says_what_is_counted_or_that_nothing_is(name: str) -> None:
    course = derivation(name)
    (over,) = {line.over for line in course.lines}
    assert bool(over) == bool(course.desk.outcomes)
    assert {line.sizes for line in course.lines} == {SIZES if over else (2,)}
    how = course.lines[0].check(2).how
    assert how.startswith(f"For 2 {over} both" if over else "Both")


def test_the_derivation_runs_from_the_objective_to_the_gradient() -> None:
    assert len(DPO.lines) >= 12
    assert (DPO.lines[0].id, DPO.lines[-1].id) == ("objective", "gradient")
    assert plain(DPO.line("reward")) == "r(x, y) = β log(π*(y | x) / π_ref(y | x)) + β log Z(x)"


@pytest.mark.parametrize(("line", "size"), SIZED, ids=named)
def test_a_line_is_proved(line: Line, size: int) -> None:
    assert line.check(size).outcome == "proved", line.check(size)


@pytest.mark.parametrize(("line", "size"), SIZED, ids=named)
def test_its_near_miss_is_refused_by_the_same_check(line: Line, size: int) -> None:
    assert line.check_control(size).outcome == "refuted"


@pytest.mark.parametrize("line", LINES, ids=named)
def test_no_mutation_of_a_line_passes(line: Line) -> None:
    relation = line.relation
    sides = [(relation.func(m, relation.rhs, evaluate=False)) for m in _mutations(relation.lhs)]
    sides += [(relation.func(relation.lhs, m, evaluate=False)) for m in _mutations(relation.rhs)]
    accepted = {"refuted"} if isinstance(relation, Equality) else {"refuted", "undecided"}
    for mutant in sides:
        verdict = check(line.claim(mutant), min(3, line.sizes[-1]))
        assert verdict.outcome in accepted, plain(mutant)


def test_there_are_mutations_to_refuse() -> None:
    counts = {line.id: len([*_mutations(line.relation.rhs)]) for line in DPO.lines}
    assert sum(counts.values()) > 30
    assert counts["difference"] >= 8


@pytest.mark.parametrize("line", [line for line in LINES if line.normalized], ids=named)
def test_lines_that_say_so_need_probabilities_that_sum_to_one(line: Line) -> None:
    for head in line.normalized:
        without = replace(line, normalized=tuple(h for h in line.normalized if h is not head))
        assert without.check(3).outcome != "proved", head


@pytest.mark.parametrize("line", [line for line in LINES if line.centered], ids=named)
def test_lines_that_say_so_need_logits_that_sum_to_zero(line: Line) -> None:
    for head in line.centered:
        without = replace(line, centered=tuple(h for h in line.centered if h is not head))
        assert without.check(3).outcome == "refuted", head


def test_without_the_sum_to_one_the_rest_is_named() -> None:
    unsummed = replace(DPO.line("rewritten"), normalized=()).check(2)
    assert unsummed.outcome == "refuted"
    assert unsummed.residual == "β (π(y_1 | x) + π(y_2 | x) − 1) log Z(x)"


def test_the_slip_of_the_popular_texts_leaves_beta_minus_one_times_log_z() -> None:
    for size in SIZES:
        assert DPO.line("reward").check_control(size).residual == "(β − 1) log Z(x)"


def test_z_is_opened_only_where_its_value_matters() -> None:
    opened = {line.id for line in DPO.lines if "written out" in line.check(3).how}
    assert opened == {"normalizer", "attained"}
    opened = {
        line.id for line in derivation("kl-optimum").lines if "written out" in line.check(3).how
    }
    assert opened == {"summed", "normalized"}


def test_an_inequality_without_a_witness_is_undecided_never_proved() -> None:
    bare = replace(DPO.line("gibbs"), witness=None)
    assert bare.check(3).outcome == "undecided"


def test_a_witness_that_is_not_the_gap_proves_nothing() -> None:
    line = DPO.line("bound")
    assert line.witness is not None
    doubled = replace(line, witness=line.witness * 2)
    assert doubled.check(3).outcome == "undecided"


def test_a_witness_that_could_be_negative_proves_nothing() -> None:
    t = Symbol("t", positive=True)
    assert never_negative(Excess(t))
    assert not never_negative(negative(Excess(t)))
    assert not never_negative(Excess(Symbol("s", real=True)))
    assert never_negative(squared(Symbol("s", real=True)))
    assert not never_negative(squared(Symbol("s")))
    assert not never_negative(minus(t, 1))


def test_truth_the_rules_cannot_reach_is_undecided() -> None:
    assert check(Claim(equal(log(2 + 2 * BETA), log(2) + log(1 + BETA))), 2).outcome == "proved"
    unreachable = check(Claim(equal(log(6), log(2) + log(3))), 2)
    assert unreachable.outcome == "undecided"
    assert unreachable.residual is not None


@pytest.mark.parametrize("line", LINES, ids=named)
def test_what_is_written_below_a_line_is_true_too(line: Line) -> None:
    for relation in line.where:
        claim = replace(line.claim(relation), witness=None)
        if relation.lhs.has(Symbol("t", positive=True)) or relation.lhs.has(Symbol("u", real=True)):
            sides = (concrete(side, {}, Frame(3)) for side in (relation.lhs, relation.rhs))
            assert Field().normal(minus(*sides)) == 0
        else:
            assert check(claim, line.sizes[-1]).outcome == "proved"


@pytest.mark.parametrize("line", LINES, ids=named)
def test_a_line_says_what_it_needs_in_words(line: Line) -> None:
    assert line.rule
    assert line.rule[-1] not in ".!"
    for sentence in (line.reading, line.control.slip, *line.assumptions):
        assert sentence.endswith(".")
        assert "!" not in sentence
    assert line.source in SOURCES
    assert len(line.reading) < 260


def test_lines_are_data_that_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        DPO.lines[0].rule = "something else"  # type: ignore[misc]


def test_asking_for_what_is_not_there_says_what_is() -> None:
    with pytest.raises(EngineError, match=r"Choose one of logit-gradient.* dpo"):
        derivation("ppo")
    with pytest.raises(EngineError, match="objective, sum, normalizer"):
        DPO.line("magic")
    with pytest.raises(EngineError, match="2, 3 or 4 responses"):
        DPO.lines[0].check(1)


def test_a_derivation_refuses_two_lines_of_one_name_and_breaks_of_no_line() -> None:
    twice = (DPO.lines[0], DPO.lines[0])
    with pytest.raises(EngineError, match="a name of its own"):
        replace(DPO, lines=twice, breaks=())
    with pytest.raises(EngineError, match="breaks of lines"):
        replace(DPO, lines=DPO.lines[:3])


def test_a_control_that_is_true_would_be_noticed() -> None:
    line = DPO.line("reward")
    harmless = replace(line, control=Control(line.relation, "Nothing is wrong."))
    assert harmless.check_control(2).outcome == "proved"


def _mutations(expr: Basic) -> Iterator[Expr]:
    """The expression with one sign flipped, or one number or letter dropped, somewhere in it."""
    yield from _here(expr)
    for place, argument in enumerate(expr.args):
        for mutant in _mutations(argument):
            yield _rebuilt(expr, (*expr.args[:place], mutant, *expr.args[place + 1 :]))


def _here(expr: Basic) -> Iterator[Expr]:
    if isinstance(expr, Add):
        for place, term in enumerate(expr.args):
            others = (*expr.args[:place], negative(term), *expr.args[place + 1 :])
            yield _rebuilt(expr, others)
    if isinstance(expr, Mul):
        for place, factor in enumerate(expr.args):
            if _scalar(factor):
                yield _rebuilt(expr, (*expr.args[:place], *expr.args[place + 1 :]))


def _scalar(factor: Basic) -> bool:
    """A number or letter, or one over it, that makes a difference."""
    bare = factor.base if isinstance(factor, Pow) else factor
    return bool(bare.is_Symbol and bare.is_real) or bool(bare.is_Integer and abs(bare) != 1)


def _rebuilt(expr: Basic, arguments: tuple[Basic, ...]) -> Expr:
    keep = {"evaluate": False} if isinstance(expr, Add | Mul | Pow | log | exp) else {}
    return expr.func(*arguments, **keep)
