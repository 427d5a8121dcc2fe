"""The reader reads what people type, says where it cannot, and keeps within its limits."""

import re

import pytest
from sympy import Eq, Rational, exp, log, sqrt

from engine.algebra.reader import DEEPEST, LARGEST_EXPONENT, MOST_NODES, ReadError, parse, read
from engine.algebra.tokens import MOST_CHARACTERS, MOST_DIGITS
from engine.algebra.typed import SYMBOLS
from tests.typed_lines import TypedLine, typed_lines

S = SYMBOLS
REAL = {"r", "r_w", "r_l", "h_w", "h_l", "u"}
SAME = [
    (
        "r = beta*log(pi/ref) + beta*log(Z)",
        "r = β·ln(π/π_ref) + β·ln Z",
        r"r = \beta \log \frac{\pi}{\pi_{\text{ref}}} + \beta \log Z",
    ),
    (
        "beta*log(pi_w/ref_w)",
        "β·ln(π_w/π_ref,w)",
        r"\beta \log \frac{\pi_w}{\pi_{ref,w}}",
    ),
    (
        "-log(sigma(beta*(h_w - h_l)))",
        "−ln σ(β(h_w − h_l))",
        r"-\log \sigma\left(\beta (h_w - h_l)\right)",
    ),
    ("sqrt((1-p)/p)", "√((1−p)/p)", r"\sqrt{\frac{1-p}{p}}"),
    ("ref*exp(r/beta)/Z", "π_ref e^(r/β)/Z", r"\frac{\pi_{\mathrm{ref}} e^{r/\beta}}{Z}"),
    ("T^2*(q - p)/T", "T²·(q − p)÷T", r"T^{2} \cdot \frac{q - p}{T}"),
    ("x^-1", "x⁻¹", r"x^{-1}"),
    ("pi_l/ref_l", "π(y_l | x)/π_ref(y_l | x)", r"\frac{\pi_\theta(y_l\mid x)}{\pi_{ref}(y_l|x)}"),
    ("sigma(u)", "σ(u)", r"\operatorname{sigmoid}\!\bigl(u\bigr)"),
    ("p*log(p/q)", "p_i·ln(p_i/q_i)", r"\[ p_{i} \log \frac{p_{i}}{q_{i}}. \]"),
    ("q*log(q/p)", "q(x) ln(q(x)/p(x))", r"\( q(x) \log \frac{q(x)}{p\left(x\right)} \)"),
    ("pi", "π∗(y | x)", r"\pi_r(y \mid x)"),
    ("r/beta/2", "½·r*(x, y)/β", r"\frac12 \frac1\beta r^*(x,y)"),
    ("-log p", "‑㏑ p", r"\begin{aligned} -\log p \end{aligned},"),
    ("log(pi/ref)", "𝗅og(𝜋/𝜋_ref)", r"$\log\left\{\frac{\pi}{\pi_{ref}}\right\}$"),
]
READINGS = [
    ("2β log x", 2 * S["beta"] * log(S["x"])),
    ("x^-1", 1 / S["x"]),
    ("log(x)^2", log(S["x"]) ** 2),
    ("log^2(x)", log(S["x"]) ** 2),
    ("log x^2", log(S["x"] ** 2)),
    ("2^-x", 2 ** -S["x"]),
    ("-x^2", -(S["x"] ** 2)),
    ("1/2/x", 1 / (2 * S["x"])),
    ("x - y - t", S["x"] - S["y"] - S["t"]),
    ("0.1", Rational(1, 10)),
    (".5x", S["x"] / 2),
    ("e^u", exp(S["u"])),
    ("sqrt x", sqrt(S["x"])),
    ("-log sigma(beta*(h_w - h_l))", -log(1 / (1 + exp(-S["beta"] * (S["h_w"] - S["h_l"]))))),
    ("x = y", Eq(S["x"], S["y"], evaluate=False)),
    ("x = x", Eq(S["x"], S["x"], evaluate=False)),
    ("Z(x)*x", S["Z"] * S["x"]),
    ("p(1-q)", S["p"] * (1 - S["q"])),
    ("[x + {y}]", S["x"] + S["y"]),
    ("+x", S["x"]),
    ("√x/y", sqrt(S["x"]) / S["y"]),
    ("pi*(y)", S["pi"] * S["y"]),
    ("p(x - u)", S["p"] * (S["x"] - S["u"])),
    ("r*(x + y)", S["r"] * (S["x"] + S["y"])),
]
SENTENCES = [
    ("ln*x", "log is a function"),
    ("exp", "needs something to work on: exp(x)"),
    ("x+-1", "Two signs in a row"),
    ("(x + 1", "never closed"),
    ("x + 1)", "closes nothing"),
    ("(x + 1]", "a ) is expected"),
    ("Beta", "Did you mean beta? Case matters"),
    ("z", "Did you mean Z"),
    ("hw", "Did you mean h_w"),
    ("xy", "For a product write x*y"),
    ("logx", "Write log(x)"),
    ("betalog(Z)", "as in beta log"),
    ("alpha", "The names are"),
    ("0,5", "Write decimals with one point"),
    ("x,y", "decimals are written with a point"),
    ("log10(x)", "Logarithms are natural"),
    ("1.2.3", "one point"),
    ("x == y", "One equals sign"),
    ("x = y = t", "one equals sign"),
    ("x < y", "with = between its sides"),
    ("log_2(x)", "without a base"),
    ("1/2x", "under the bar"),
    ("log x/y", "How far does this log reach"),
    ("x 2", "Put a number before"),
    ("x^y^t", "needs parentheses"),
    ("1/0", "divides by zero"),
    ("log(0)", "Zero has no logarithm"),
    ("0^0", "Zero to the power of zero"),
    ("0^-1", "negative power"),
    ("", "nothing to read"),
    ("х", "cyrillic"),
    ("\\alpha", "\\alpha has no place"),
    ("\\frac x y", "\\frac{above}{below}"),
    ("p_i*log(q_j)", "One term has one index"),
    ("p_n", "The names are"),
    ("ref*exp(r/beta)/Z(x, y)", "Z depends on the prompt alone"),
    ("1½", "as a decimal"),
    ("softmax(u)", "The functions are log, exp"),
    ("logsigmoid(u)", "as in log sigmoid"),
    ("log1p(u)", "Did you mean log"),
    ("log_ratio", "There is no log_ratio here"),
    ("n*log(n)", "its note says what to type: q for 1/n"),
    ("λ - u", "its note says what to type: u"),
    ("\\lambda", "its note says what to type: u"),
    ("(x - u)^2/sigma^2", "The variance σ² is typed tau"),
    ("L = -log p", "type only what it equals"),
    ("R = p", "Did you mean r? Case matters"),
    ("\\sum_i p_i", "the term of one outcome"),
    ("Σ p", "the term of one outcome"),
    ("E_x", "the term of one outcome"),
    ("D_{\\mathrm{KL}}(p)", "the term of one outcome"),
    ("x\u200f", "invisible"),
    ("x +", "breaks off"),
    ("*x", "cannot start with"),
]
LIMITS = [
    ("x" * (MOST_CHARACTERS + 1), MOST_CHARACTERS),
    ("1" * (MOST_DIGITS + 1), 0),
    (f"x^{LARGEST_EXPONENT + 1}", 1),
    ("x^-13", 1),
    ("x^(6*3)", 1),
    ("(" * DEEPEST + "x" + ")" * DEEPEST, DEEPEST),
    ("((x^12)^12)", 7),
]
UNREADABLE = [line for line in typed_lines() if line.outcome == "unreadable"]


def _error(text: str) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(("plain", "unicode", "latex"), SAME)
def test_three_spellings_are_one_reading(plain: str, unicode: str, latex: str) -> None:
    assert read(plain) == read(unicode) == read(latex)


@pytest.mark.parametrize(("typed", "says"), READINGS)
def test_a_line_says(typed: str, says: object) -> None:
    assert read(typed) == says


@pytest.mark.parametrize("name", sorted(SYMBOLS))
def test_rewards_and_logits_are_real_and_the_rest_positive(name: str) -> None:
    symbol = read(name)
    assert symbol.is_real
    assert symbol.is_positive is (None if name in REAL else True)


@pytest.mark.parametrize("line", UNREADABLE, ids=str)
def test_the_caret_stands_where_the_line_goes_wrong(line: TypedLine) -> None:
    error = _error(line.typed)
    assert line.at is not None
    assert abs(error.position - line.at) <= 1, error.sentence


@pytest.mark.parametrize("line", UNREADABLE, ids=str)
def test_the_sentence_is_one_that_a_learner_understands(line: TypedLine) -> None:
    sentence = _error(line.typed).sentence
    assert re.fullmatch(r"[A-Z\d].{8,240}[.)?]", sentence) or sentence.startswith(
        ("log", "exp", "s")
    )
    assert "!" not in sentence.replace(line.typed, "").replace("character !", "")
    assert "—" not in sentence
    assert not re.search(r"(?i)token|parse|pars|syntax|exception|operator|kind", sentence)


@pytest.mark.parametrize(("typed", "part"), SENTENCES)
def test_the_sentence_says_what_is_wrong(typed: str, part: str) -> None:
    assert part in _error(typed).sentence


@pytest.mark.parametrize(("typed", "position"), LIMITS)
def test_limits_are_kept(typed: str, position: int) -> None:
    assert abs(_error(typed).position - position) <= 1


def test_a_line_has_a_largest_number_of_parts() -> None:
    read("+".join("x" * (MOST_NODES // 2)))
    assert "too long" in _error("+".join("x" * (MOST_NODES // 2 + 1))).sentence


def test_just_within_the_limits_is_read() -> None:
    read("x^12 + 123456789012")
    read("0.123456789012")
    read("(" * (DEEPEST - 1) + "x" + ")" * (DEEPEST - 1))


@pytest.mark.parametrize(
    ("text", "under"),
    [("x + foo", "f"), ("β*foo", "f"), ("x\t+ foo", "f"), ("x +\nfoo", "f"), ("𝛽 + foo", "f")],
)
def test_the_caret_is_under_the_place(text: str, under: str) -> None:
    shown, caret = _error(text).caret(text).split("\n")
    assert shown[caret.index("^")] == under


def test_the_caret_keeps_its_place_behind_wide_letters() -> None:
    error = ReadError("", 2)
    assert error.caret("漢x?") == "漢x?\n\u3000 ^"


@pytest.mark.parametrize(
    "line", [each for each in typed_lines() if each not in UNREADABLE], ids=str
)
def test_the_echo_says_what_was_typed(line: TypedLine) -> None:
    typed, says = parse(line.typed)
    assert parse(typed.latex)[1] == says
