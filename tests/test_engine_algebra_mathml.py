"""What is drawn: well-formed MathML Core whose pieces can be followed from line to line."""

import itertools
import xml.etree.ElementTree as ET

import pytest
from matplotlib.mathtext import MathTextParser

from engine.algebra.derivations import all_derivations, derivation
from engine.algebra.derivations.dpo import VALUE
from engine.algebra.expressions import L, X, Y, minus, over, plus, times
from engine.algebra.latex import latex
from engine.algebra.line import Line
from engine.algebra.mathml import PHONE, expression, presentation, width
from engine.algebra.text import plain, spoken
from engine.algebra.vocabulary import Optimum, Policy, Reference, Reward
from engine.algebra.worlds import World3

DPO = derivation("dpo")
APART = {"softmax-max-entropy/softmax"}  # lines that share nothing with the one before
NAMED = {
    f"{course.id}/{line.id}": line for course in all_derivations().values() for line in course.lines
}
LINES = list(NAMED.values())
STEPS = [
    pytest.param(*pair, id=f"{course.id}/{pair[1].id}")
    for course in all_derivations().values()
    for pair in itertools.pairwise(course.lines)
    if f"{course.id}/{pair[1].id}" not in APART
]
BROKEN = [line for way in DPO.breaks for line in way.lines]
CORE = {
    *("math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "mfrac", "msub", "msup", "mover"),
    *("munder", "mtable", "mtr", "mtd", "msubsup", "msqrt"),
}
LONGEST = 34  # characters of a row on a phone
ROLES = {"policy", "reference", "reward", "partition", "chosen", "rejected"}


def named(line: Line) -> str:
    return next((name for name, each in NAMED.items() if each is line), line.id)


def drawn(line: Line, *, narrow: bool = False) -> ET.Element:
    return ET.fromstring(presentation(line, narrow=narrow))


def ids(tree: ET.Element) -> list[str]:
    return [node.attrib["data-id"] for node in tree.iter() if "data-id" in node.attrib]


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
@pytest.mark.parametrize("line", [*LINES, *BROKEN], ids=named)
def test_a_line_is_well_formed_mathml_core_with_unique_ids(line: Line, narrow: bool) -> None:  # noqa: FBT001
    tree = drawn(line, narrow=narrow)
    assert tree.tag == "math"
    assert tree.attrib["display"] == "block"
    assert {node.tag for node in tree.iter()} <= CORE
    assert len(ids(tree)) == len(set(ids(tree)))
    classes = {name for node in tree.iter() for name in node.attrib.get("class", "").split()}
    assert classes <= ROLES


@pytest.mark.parametrize("line", LINES, ids=named)
def test_fractions_and_scripts_have_two_parts(line: Line) -> None:
    for node in drawn(line).iter():
        if node.tag in {"mfrac", "msub", "msup", "mover", "munder"}:
            assert len(node) == 2, ET.tostring(node)
        if node.tag == "msubsup":
            assert len(node) == 3, ET.tostring(node)


@pytest.mark.parametrize("line", [*LINES, *BROKEN], ids=named)
def test_a_phone_gets_the_same_pieces_in_rows(line: Line) -> None:
    wide, narrow = drawn(line), drawn(line, narrow=True)
    assert ids(wide) == ids(narrow)
    assert ["".join(wide.itertext())] == ["".join(narrow.itertext())]
    fits = width(line.relation.lhs) + width(line.relation.rhs) + 1.4 <= PHONE
    assert fits == (narrow.find(".//mtable") is None)


@pytest.mark.parametrize(("before", "after"), STEPS)
def test_pieces_travel_from_each_line_to_the_next(before: Line, after: Line) -> None:
    shared = set(ids(drawn(before))) & set(ids(drawn(after)))
    assert "relation" in shared
    assert len(shared - {"relation"}) >= 1


@pytest.mark.parametrize("line", [line for line in LINES if line not in DPO.lines], ids=named)
def test_no_row_is_too_long_for_a_phone(line: Line) -> None:
    for relation in (line.relation, line.control.relation):
        tree = ET.fromstring(presentation(relation, narrow=True))
        table = tree.find("mtable")
        for row in tree if table is None else table:
            assert _long(row) <= LONGEST, "".join(row.itertext())


def _long(node: ET.Element) -> int:
    """Characters side by side: what is above and below a line, or a letter, counts once."""
    parts = [_long(child) for child in node]
    if node.tag == "mfrac":
        return max(parts)
    if node.tag == "msubsup":
        return parts[0] + max(parts[1:])
    return len(node.text or "") + sum(parts)


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_the_natural_logarithm_can_be_written_as_such(narrow: bool) -> None:  # noqa: FBT001
    for line in LINES:
        log = presentation(line, narrow=narrow)
        ln = presentation(line, narrow=narrow, natural="ln")
        assert "<mi>log</mi>" not in ln
        assert ln.count("<mi>ln</mi>") == log.count("<mi>log</mi>")
        assert "log" not in plain(line, natural="ln").split()
        assert r"\log" not in latex(line, natural="ln")
    words = spoken(DPO.line("reward"), natural="ln")
    assert words.endswith("plus beta times natural log of Z of x")
    assert expression(VALUE, natural="ln").count("<mi>ln</mi>") == 1


def test_what_other_derivations_bring_reads_as_it_should() -> None:
    told = {name: plain(line) for name, line in NAMED.items()}
    assert told["logit-gradient/gradient"] == "∂L/∂z_k = p_k − [k = y]"
    assert told["max-entropy/gap"] == "log n − H(p) = KL(p ‖ u)"
    assert told["softmax-max-entropy/stationary"] == "∂A(p)/∂p_i at p = p* = log Z − 1"
    assert told["k3/mean-of-k3"] == "E_x∼q[t − 1 − log t] = KL(q ‖ p)"
    assert told["ipo-margin/margin"] == "∂L/∂h at h = 1/(2 τ) = 0"
    assert told["kl-optimum/summed"] == "Σ_y π_λ(y | x) = Z(x) e^(−λ/β − 1)"
    assert told["grpo-advantage/advantage-right"] == "A_1 = √((1 − p) / p)"
    assert told["grpo-advantage/ratio"] == "(|A_1| / |A_0|) = ((1 − p) / p)"
    assert told["brier-proper/score"] == "S(q, i) = Σ_j (q_j − [i = j])²"
    assert told["distillation-gradient/limit"] == "lim_T→∞ T (q_k(T) − p_k(T)) = ((z_k − v_k) / N)"
    assert latex(NAMED["softmax-max-entropy/softmax"]) == (
        r"p^{*}_{i} = \frac{e^{b \, z_{i}}}{\sum_{j} e^{b \, z_{j}}}"
    )
    assert spoken(NAMED["logit-gradient/gradient"]) == (
        "the derivative of the loss with respect to z sub k equals p sub k minus "
        "one if k is y, else zero"
    )
    assert "".join(drawn(NAMED["gaussian-moments/mean"]).itertext()) == "∂L(μ,σ2)∂μ|μ=m=0"


def test_the_twins_are_marked_meet_and_are_gone() -> None:
    twins = [node for node in drawn(DPO.line("difference")).iter() if "data-cancel" in node.attrib]
    assert [node.attrib["data-id"] for node in twins] == ["value-w", "value-l"]
    assert {"".join(node.itertext()) for node in twins} == {"βlogZ(x)"}
    assert {node.attrib["class"] for node in twins} == {"partition"}
    after = drawn(DPO.line("canceled"))
    assert not set(ids(after)) & {"value-w", "value-l"}
    assert "Z" not in "".join(after.itertext())
    assert {"log-ratio-w", "log-ratio-l"} <= set(ids(after))


def test_only_the_line_before_the_cancellation_marks_twins() -> None:
    marked = [line.id for line in DPO.lines if "data-cancel" in presentation(line)]
    assert marked == ["difference"]


def test_colors_say_what_a_piece_is() -> None:
    tree = drawn(DPO.line("likelihood"))
    roles = {
        node.attrib["data-id"]: node.attrib.get("class")
        for node in tree.iter("mrow")
        if "data-id" in node.attrib
    }
    assert roles["optimum-w"] == "policy"
    assert roles["reference-l"] == "reference"
    responses = {"".join(node.itertext()): node.attrib.get("class") for node in tree.iter("msub")}
    assert responses["yw"] == "chosen"
    assert responses["yl"] == "rejected"


def test_the_reward_line_reads_as_it_should() -> None:
    reward = DPO.line("reward")
    assert "".join(drawn(reward).itertext()) == "r(x,y)=βlogπ∗(y∣x)πref(y∣x)+βlogZ(x)"
    assert spoken(reward) == (
        "r of x and y equals beta times log of pi star of y given x over pi ref of y given x "
        "plus beta times log of Z of x"
    )
    assert latex(reward) == (
        r"r(x, y) = \beta \log \frac{\pi^{*}(y \mid x)}{\pi_{\mathrm{ref}}(y \mid x)} "
        r"+ \beta \log Z(x)"
    )
    assert drawn(reward).attrib["alttext"] == spoken(reward)


@pytest.mark.parametrize("line", LINES, ids=named)
def test_latex_is_drawn_by_matplotlib_too(line: Line) -> None:
    parser = MathTextParser("path")
    for relation in (line.relation, *line.where, line.control.relation):
        parser.parse(f"${latex(relation)}$")


@pytest.mark.parametrize("line", LINES, ids=named)
def test_the_spoken_form_is_words(line: Line) -> None:
    words = spoken(line)
    assert words.isascii()
    assert not set(words) & set("()_^*/\\")


def test_sums_in_products_and_negated_sums_are_put_in_parentheses() -> None:
    a, b, c = Policy(Y, X), Reference(Y, X), Reward(X, L)
    assert plain(times(a, plus(b, c))) == "π(y | x) (π_ref(y | x) + r(x, y_l))"
    assert plain(minus(a, minus(b, c))) == "π(y | x) − (π_ref(y | x) − r(x, y_l))"
    assert plain(over(a, plus(b, c))) == "(π(y | x) / (π_ref(y | x) + r(x, y_l)))"
    assert "stretchy" in expression(times(a, plus(b, c)))


def test_the_same_name_twice_gets_two_ids() -> None:
    best = Optimum(Y, X)
    assert ids(ET.fromstring(expression(plus(best, best)))) == ["optimum", "optimum-2"]


def test_residuals_are_drawn_inline() -> None:
    for way in DPO.breaks:
        tree = ET.fromstring(way.evaluate(World3.default()).residual_mathml)
        assert tree.tag == "math"
        assert "display" not in tree.attrib
