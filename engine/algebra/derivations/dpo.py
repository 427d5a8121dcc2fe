"""From the RLHF objective to the DPO loss and its gradient (Rafailov et al. 2023).

One prompt, finitely many responses. The names of the pieces are motion ids: what is called the
same in two consecutive lines is the same thing, and a page may let it travel.
"""

from dataclasses import replace

from sympy import Expr, Symbol
from sympy.core.relational import GreaterThan, LessThan

from engine.algebra.breaks import Break, BrokenRow
from engine.algebra.derivation import Derivation
from engine.algebra.desk import Asked, Desk, Knob, Row, Set, SetRows
from engine.algebra.expressions import (
    BETA,
    COMPONENT,
    X1,
    X2,
    Divergence,
    Excess,
    Expectation,
    Gradient,
    L,
    Named,
    Sigmoid,
    SlopeAt,
    Total,
    W,
    X,
    Y,
    e,
    ln,
    minus,
    negative,
    over,
    piece,
    plus,
    times,
    twin,
)
from engine.algebra.line import Control, Line, defines, equal
from engine.algebra.vocabulary import (
    ImplicitReward,
    Loss,
    Model,
    ModelPreference,
    Objective,
    Optimum,
    Partition,
    Policy,
    Preference,
    Reference,
    Reward,
)
from engine.algebra.worlds import World3

FINITE = "The set of responses is finite."
COVERED = "The reference gives every response some probability."
PRICED = "β is above zero."
REWARDED = "Every reward is finite."
NORMALIZED = "The policy sums to one over the responses."
BRADLEY_TERRY = "Preferences follow the Bradley-Terry model."
SAME = "Both responses answer the same prompt, at the same β."
SETTING = (FINITE, COVERED, PRICED, REWARDED)

pi, reference, optimum = Policy(Y, X), Reference(Y, X), Optimum(Y, X)
reward, chosen, rejected = Reward(X, Y), Reward(X, W), Reward(X, L)
Z, J = Partition(X), Objective(pi, Y)
VALUE = times(BETA, ln(Z))
tilt = e(over(reward, BETA))
preference, loss = Preference(W, L, X), Loss(W, L, X)
divergence = piece("divergence", Divergence(pi, optimum, Y))
gap = Total(times(pi, Excess(over(optimum, pi))), Y)  # what KL(π ‖ π*) equals, term by term


def value(name: str = "value", prompt: Symbol = X) -> Expr:
    """β log Z(x), the piece that will meet its twin."""
    return piece(name, times(BETA, ln(Partition(prompt))), role="partition")


def log_ratio(policy: type[Named], y: Symbol, *, prompt: Symbol = X, name: str = "") -> Expr:
    """β log of policy over reference for one response."""
    ratio = over(policy(y, prompt), Reference(y, prompt))
    return piece(name or f"log-ratio-{_letter(y)}", times(BETA, ln(ratio)))


def _letter(y: Symbol) -> str:
    return str(y.name).partition("_")[2]


def _twin(name: str, body: Expr) -> Expr:
    return twin(name, body, role="partition")


def _subtracted(first_value: Expr, second_value: Expr) -> Expr:
    """Both rewards written out, each with its own term for the prompt."""
    first = plus(log_ratio(Optimum, W), _twin("value-w", first_value))
    second = plus(log_ratio(Optimum, L), _twin("value-l", second_value))
    return minus(piece("written-w", first), piece("written-l", second))


def _margin(policy: type[Named]) -> Expr:
    return minus(log_ratio(policy, W), log_ratio(policy, L))


def _ratio(y: Symbol) -> Expr:
    return ln(over(Model(y, X), Reference(y, X)))


# What the names of typed lines stand for; from the optimum on, π is π*, and in the loss π_θ.
_SINGLE = {"pi": pi, "ref": reference, "r": reward, "beta": BETA, "Z": Z}
_AT_OPTIMUM = {"pi": optimum}
_PAIRED = {
    "p": preference,
    **{f"r_{_letter(y)}": Reward(X, y) for y in (W, L)},
    **{f"pi_{_letter(y)}": Optimum(y, X) for y in (W, L)},
    **{f"ref_{_letter(y)}": Reference(y, X) for y in (W, L)},
    **{f"h_{_letter(y)}": _ratio(y) for y in (W, L)},
}
_IN_TRAINING = {
    "p": ModelPreference(W, L, X),
    **{f"pi_{_letter(y)}": Model(y, X) for y in (W, L)},
}

OBJECTIVE = Line(
    id="objective",
    rule="Start from the RLHF objective",
    relation=equal(J, minus(Expectation(pi, reward, Y), times(BETA, Divergence(pi, reference, Y)))),
    reading="The aim of RLHF at one prompt: earn reward, and pay β for every nat by which the "
    "policy departs from the reference.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 3",
    where=(defines(Divergence(pi, reference, Y)),),
    typed="pi*r - beta*pi*log(pi/ref)",
    typed_note="One response's term of both averages.",
    typed_control="pi*r + beta*pi*log(pi/ref)",
    control=Control(
        equal(J, plus(Expectation(pi, reward, Y), times(BETA, Divergence(pi, reference, Y)))),
        "The divergence is added, so drifting from the reference would earn reward.",
    ),
)

SUM = Line(
    id="sum",
    rule="Write both averages as one sum",
    relation=equal(J, Total(times(pi, minus(reward, times(BETA, ln(over(pi, reference))))), Y)),
    reading="Both terms are averages under the policy, so they share one sum. Each response "
    "brings its reward, less β times its log-ratio to the reference.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="appendix A.1",
    typed="pi*(r - beta*log(pi/ref))",
    typed_note="One response's term of the sum.",
    typed_control="pi*(r - beta*log(ref/pi))",
    control=Control(
        equal(J, Total(times(pi, minus(reward, times(BETA, ln(over(reference, pi))))), Y)),
        "The ratio stands on its head: reference over policy.",
    ),
)

NORMALIZER = Line(
    id="normalizer",
    rule="Tilt the reference by the reward and normalize",
    relation=equal(times(over(1, Z), Total(times(reference, tilt), Y)), 1),
    reading="Multiply each reference probability by e to the power r/β, and the products no "
    "longer sum to one. Dividing by their sum Z(x) makes them a distribution again: π*.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 4",
    where=(defines(optimum), defines(Z)),
    typed="ref*exp(r/beta)/Z",
    typed_note="One response's term of the sum, which is its probability under the optimum.",
    typed_control="ref*exp(r)/Z",
    control=Control(
        equal(times(over(1, Z), Total(times(reference, e(reward)), Y)), 1),
        "The exponent is r, not r/β, so the sum is not the one that Z(x) stands for.",
    ),
)

STATIONARY = Line(
    id="stationary",
    rule="Differentiate at π*",
    relation=equal(SlopeAt(J, pi, optimum), minus(value(), BETA)),
    reading="At π* the objective has the same slope in every probability: the right side does "
    "not mention y. So no small shift from one response to another gains anything.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 4, reached there without a derivative",
    typed="beta*log Z - beta",
    typed_note="The slope at the optimum.",
    typed_control="beta*log Z",
    control=Control(
        equal(SlopeAt(J, pi, optimum), value()),
        "The −β is missing: the derivative of π log π is log π plus one.",
    ),
)

REWRITTEN = Line(
    id="rewritten",
    rule="Complete the divergence",
    relation=equal(J, minus(value(), times(BETA, divergence))),
    reading="The reward is β log of e to the power r/β, so it fits inside the logarithm and turns "
    "π_ref into π*. What is left over, β log Z(x), does not depend on the policy.",
    assumptions=(*SETTING, NORMALIZED),
    source="rafailov2023",
    locator="appendix A.1",
    normalized=(Policy,),
    control=Control(
        equal(J, minus(ln(Z), times(BETA, divergence))),
        "The β on log Z is dropped: nats are put where rewards belong.",
    ),
)

GIBBS = Line(
    id="gibbs",
    rule="Apply Gibbs' inequality",
    relation=GreaterThan(divergence, 0, evaluate=False),
    reading="A divergence is never negative. It is an average of f(t) = t − 1 − log t, and f "
    "touches zero only at t = 1; so it vanishes only where π equals π*.",
    assumptions=(*SETTING, NORMALIZED),
    source="cover2006",
    locator="theorem 2.6.3",
    where=(equal(Divergence(pi, optimum, Y), gap), defines(Excess(Symbol("t", positive=True)))),
    normalized=(Policy,),
    witness=gap,
    control=Control(
        LessThan(divergence, 0, evaluate=False),
        "The inequality is turned around.",
    ),
)

BOUND = Line(
    id="bound",
    rule="Drop what can only cost",
    relation=LessThan(J, value(), evaluate=False),
    reading="Whatever the policy, its objective stays at or below β log Z(x). What it falls short "
    "by is β times its divergence from π*.",
    assumptions=(*SETTING, NORMALIZED),
    source="rafailov2023",
    locator="appendix A.1",
    normalized=(Policy,),
    witness=times(BETA, gap),
    control=Control(
        LessThan(J, ln(Z), evaluate=False),
        "The bound lacks its β; where β log Z(x) is above log Z(x), π* itself exceeds it.",
    ),
)

ATTAINED = Line(
    id="attained",
    rule="Put π* in",
    relation=equal(Objective(optimum, Y), value()),
    reading="At π* the divergence from π* is zero and the bound is reached. So π* is the maximum, "
    "and no other policy reaches it.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="appendix A.1",
    typed="beta*log Z",
    typed_note="The value of the objective at the optimum.",
    control=Control(
        equal(Objective(reference, Y), value()),
        "The reference pays nothing for divergence, but it earns only its own average reward.",
    ),
)

OPTIMUM = Line(
    id="optimum",
    rule="Name the winner",
    relation=equal(optimum, times(over(1, Z), reference, tilt)),
    reading="The best policy is the reference, reweighted by e to the power r/β. The catch is "
    "Z(x), a sum over every possible response: for a language model nobody can compute it.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 4",
    typed="pi = ref*exp(r/beta)/Z",
    typed_note="From here on pi is the optimum.",
    typed_control="pi = ref*exp(r/beta)",
    typed_names=_AT_OPTIMUM,
    control=Control(
        equal(optimum, times(reference, tilt)),
        "Without 1/Z(x) these are weights, not probabilities.",
    ),
)

LOGS = Line(
    id="logs",
    rule="Divide by the reference, take logarithms",
    relation=equal(ln(over(optimum, reference)), minus(over(reward, BETA), ln(Z))),
    reading="On a log scale the product becomes a sum: the log-ratio of optimum to reference is "
    "the reward in units of β, less a constant of the prompt.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 5",
    typed="log(pi/ref) = r/beta - log Z",
    typed_control="log(pi/ref) = r/beta + log Z",
    typed_names=_AT_OPTIMUM,
    control=Control(
        equal(ln(over(optimum, reference)), plus(over(reward, BETA), ln(Z))),
        "The sign of log Z is wrong: a factor 1/Z(x) lowers the logarithm.",
    ),
)

REWARD = Line(
    id="reward",
    rule="Solve for the reward",
    relation=equal(reward, plus(log_ratio(Optimum, Y, name="log-ratio"), value())),
    reading="Read backwards, the optimum says what the reward was: β times a log-ratio, plus "
    "β log Z(x), which is the same for every response to this prompt.",
    assumptions=SETTING,
    source="rafailov2023",
    locator="eq. 5",
    typed="r = beta*log(pi/ref) + beta*log Z",
    typed_control="r = beta*log(pi/ref) + log Z",
    typed_names=_AT_OPTIMUM,
    control=Control(
        equal(reward, plus(log_ratio(Optimum, Y, name="log-ratio"), ln(Z))),
        "The β on log Z is dropped; what is missing is exactly (β − 1) log Z(x).",
    ),
)

COMPARISON = Line(
    id="comparison",
    rule="Model the comparison",
    relation=equal(preference, Sigmoid(minus(piece("reward", chosen), rejected))),
    reading="Bradley-Terry: each response has a strength e to the power r, and wins in proportion "
    "to it. Only the difference of two rewards matters.",
    assumptions=(BRADLEY_TERRY, REWARDED),
    source="bradley1952",
    where=(defines(preference), defines(Sigmoid(Symbol("u", real=True)))),
    typed="p = sigma(r_w - r_l)",
    typed_note="Here p is the probability that the chosen response wins.",
    typed_control="p = sigma(r_l - r_w)",
    control=Control(
        equal(preference, Sigmoid(minus(rejected, chosen))),
        "The two responses are swapped, so the worse one would win more often.",
    ),
)

DIFFERENCE = Line(
    id="difference",
    rule="Subtract one reward from the other",
    relation=equal(minus(chosen, rejected), _subtracted(VALUE, VALUE)),
    reading="Write out the reward of the chosen and of the rejected response. Each brings its own "
    "β log Z(x), and the two are twins: the same prompt, the same β.",
    assumptions=(*SETTING, SAME),
    source="rafailov2023",
    locator="appendix A.2",
    typed="r_w - r_l = (beta*log(pi_w/ref_w) + beta*log Z) - (beta*log(pi_l/ref_l) + beta*log Z)",
    typed_control="r_w - r_l = (beta*log(pi_w/ref_w) + beta*log Z) "
    "- (beta*log(pi_l/ref_l) + log Z)",
    control=Control(
        equal(minus(chosen, rejected), _subtracted(VALUE, ln(Z))),
        "One of the twins has lost its β, so they no longer match.",
    ),
)

CANCELED = Line(
    id="canceled",
    rule="Cancel the twins",
    relation=equal(minus(chosen, rejected), _margin(Optimum)),
    reading="β log Z(x) meets its twin, and both are gone. What nobody could compute is no longer "
    "asked for.",
    assumptions=(*SETTING, SAME),
    source="rafailov2023",
    locator="appendix A.2",
    typed="r_w - r_l = beta*log(pi_w/ref_w) - beta*log(pi_l/ref_l)",
    typed_control="r_w - r_l = beta*log(pi_w/ref_w) - beta*log(pi_l/ref_l) + beta*log Z",
    control=Control(
        equal(minus(chosen, rejected), plus(_margin(Optimum), value("value-w"))),
        "One β log Z(x) is kept, though its twin has gone.",
    ),
)

LIKELIHOOD = Line(
    id="likelihood",
    rule="Insert it into Bradley-Terry",
    relation=equal(preference, Sigmoid(_margin(Optimum))),
    reading="The probability that the chosen response wins now speaks of two policies alone, the "
    "optimum and the reference. The reward has dropped out.",
    assumptions=(BRADLEY_TERRY, *SETTING, SAME),
    source="rafailov2023",
    locator="eq. 6",
    typed="p = sigma(beta*log(pi_w/ref_w) - beta*log(pi_l/ref_l))",
    typed_note="Here p is the probability that the chosen response wins.",
    typed_control="p = sigma(log(pi_w/ref_w) - log(pi_l/ref_l))",
    control=Control(
        equal(
            preference,
            Sigmoid(
                minus(
                    ln(over(Optimum(W, X), Reference(W, X))),
                    ln(over(Optimum(L, X), Reference(L, X))),
                )
            ),
        ),
        "The β is dropped: log-ratios are not yet rewards.",
    ),
)

LOSS = Line(
    id="loss",
    rule="Put the policy in training there, maximize the likelihood",
    relation=equal(loss, negative(ln(Sigmoid(_margin(Model))))),
    reading="A choice rather than algebra: the policy in training stands where the optimum stood, "
    "and is to make the observed preference as little surprising as possible. This is the DPO "
    "loss of one pair.",
    assumptions=(
        BRADLEY_TERRY,
        COVERED,
        SAME,
        "The policy in training stands in for the optimum; training averages over pairs.",
    ),
    source="rafailov2023",
    locator="eq. 7",
    where=(defines(loss), defines(ModelPreference(W, L, X)), defines(ImplicitReward(X, Y))),
    typed="-log sigma(beta*(h_w - h_l))",
    typed_note="The loss, where h is the log-ratio of the policy in training to the reference.",
    typed_control="-beta*log sigma(h_w - h_l)",
    typed_names=_IN_TRAINING,
    control=Control(
        equal(loss, negative(times(BETA, ln(Sigmoid(over(_margin(Model), BETA)))))),
        "The β stands outside the sigmoid, where it only rescales the loss.",
    ),
)

_implicit_w, _implicit_l = ImplicitReward(X, W), ImplicitReward(X, L)


def _pull(error: Expr) -> Expr:
    """The gradient of the loss, weighted by the sigmoid of how wrong the order is."""
    gap_gradient = minus(Gradient(ln(Model(W, X))), Gradient(ln(Model(L, X))))
    return negative(times(BETA, Sigmoid(error), gap_gradient))


GRADIENT = Line(
    id="gradient",
    rule="Differentiate",
    relation=equal(Gradient(loss), _pull(minus(_implicit_l, _implicit_w))),
    reading="A step against this gradient widens the gap between the two log-probabilities, "
    "hardest where the implicit rewards have the pair in the wrong order: that is what σ weighs. "
    "Once responses share parameters, it does not promise that either of the two rises.",
    assumptions=(
        COVERED,
        SAME,
        "θ are the logits of a table, one per response; the chain rule carries the line to any "
        "other differentiable policy.",
    ),
    source="rafailov2023",
    locator="section 4",
    where=(defines(ImplicitReward(X, Y)),),
    typed="-beta*sigma(beta*(h_l - h_w))",
    typed_note="What multiplies the gradient of log pi_w − log pi_l.",
    typed_control="-beta*sigma(beta*(h_w - h_l))",
    typed_names=_IN_TRAINING,
    control=Control(
        equal(Gradient(loss), _pull(minus(_implicit_w, _implicit_l))),
        "The weight is the probability of the right order, so settled pairs would pull hardest.",
    ),
)

LINES = (
    OBJECTIVE,
    SUM,
    NORMALIZER,
    STATIONARY,
    REWRITTEN,
    GIBBS,
    BOUND,
    ATTAINED,
    OPTIMUM,
    LOGS,
    REWARD,
    COMPARISON,
    DIFFERENCE,
    CANCELED,
    LIKELIHOOD,
    LOSS,
    GRADIENT,
)

SLIGHT = 5e-4  # what three decimals do not show


def _rewards_misread(world: World3, rows: tuple[BrokenRow, ...]) -> str:
    off = next(row.sides.difference for row in rows if row.line == REWARD.id)
    if abs(off) < SLIGHT:
        return "Here (β − 1) log Z(x) is zero, so the slip does not show. Move β or a reward."
    way = "low" if off > 0 else "high"
    return (
        f"Every reward comes out too {way}, by {abs(off):.3f}, the same for all three responses. "
        "So the difference of two rewards and the loss do not notice."
    )


def _prompts_apart(world: World3, rows: tuple[BrokenRow, ...]) -> str:
    rest = rows[0].sides.difference
    if abs(rest) < SLIGHT:
        return (
            "These two prompts happen to have the same Z, so the terms cancel by accident. "
            "Change one reward."
        )
    return (
        f"Each prompt has a Z of its own, and {_signed(rest)} stays behind. Rewards of different "
        "prompts have no common zero, so their difference is not a preference."
    )


def _nothing_to_cancel(world: World3, rows: tuple[BrokenRow, ...]) -> str:
    lost = {row.line for row in rows if not row.sides.holds}
    return (
        "The optimum is zero wherever the reference is, so its log-ratio there is log(0/0) and "
        f"the reward cannot be read back. {len(lost)} of {len(LINES)} lines have no value for "
        "the chosen response, and a policy that still uses it pays an infinite divergence."
    )


def _signed(number: float) -> str:
    return f"{number:+.3f}".replace("-", "−")


def _across(policy: type[Named]) -> Expr:
    return minus(log_ratio(policy, W, prompt=X1), log_ratio(policy, L, prompt=X2))


def _apart() -> tuple[Line, ...]:
    """The lines around the cancellation, with a prompt of its own for each response."""
    difference = minus(Reward(X1, W), Reward(X2, L))
    first = piece("written-w", plus(log_ratio(Optimum, W, prompt=X1), value("value-w", X1)))
    second = piece("written-l", plus(log_ratio(Optimum, L, prompt=X2), value("value-l", X2)))
    return (
        replace(CANCELED, relation=equal(difference, _across(Optimum))),
        replace(LIKELIHOOD, relation=equal(Sigmoid(difference), Sigmoid(_across(Optimum)))),
        replace(DIFFERENCE, relation=equal(difference, minus(first, second))),
    )


def _without_beta() -> tuple[Line, ...]:
    return (
        replace(REWARD, relation=REWARD.control.relation),
        replace(DIFFERENCE, relation=equal(minus(chosen, rejected), _subtracted(ln(Z), ln(Z)))),
    )


_LOST = (REWARD, LOGS, STATIONARY, DIFFERENCE, CANCELED, LIKELIHOOD, LOSS)

BREAKS = (
    Break(
        id="drop-beta",
        label="Drop the β on log Z",
        explanation="A common slip: r = β log(π*/π_ref) + log Z(x). The units already "
        "object, since log Z is in nats and a reward is not.",
        touches=("reward", "difference"),
        lines=_without_beta(),
        watched=(CANCELED, LIKELIHOOD, LOSS),
        story=_rewards_misread,
    ),
    Break(
        id="two-prompts",
        label="Use two different prompts",
        explanation="The chosen response answers one prompt, the rejected one another. Each brings "
        "the Z of its own prompt.",
        touches=("difference", "canceled", "likelihood"),
        lines=_apart(),
        watched=(),
        story=_prompts_apart,
        second_rewards=(-0.5, 1.2, 0.4),
    ),
    Break(
        id="zero-reference",
        label="Let the reference have a zero",
        explanation="The reference gives the chosen response no probability at all. A softmax of "
        "finite logits cannot do that; truncated sampling can.",
        touches=tuple(line.id for line in LINES if line in _LOST),
        lines=_LOST,
        watched=tuple(line for line in LINES if line not in _LOST),
        story=_nothing_to_cancel,
        zero=frozenset({0}),
    ),
)

USUAL = World3.default()
_POLICY = ", ".join(f"{probability:.2f}" for probability in USUAL.policy)


def _world(knobs: Set, rows: SetRows) -> World3:
    return World3.weighed(knobs["beta"], rows["r"], rows["p"], USUAL.policy)


DESK = Desk(
    outcomes=("chosen", "rejected", "other"),
    knobs=(Knob("beta", "β", BETA, USUAL.beta, choices=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0)),),
    rows=(
        Row("r", "reward", Reward, USUAL.rewards, (-3.0, 3.0), 0.1),
        Row(
            "p",
            "weight",
            Reference,
            USUAL.reference,
            (0.01, 1.0),
            0.01,
            made="normalized",
            told="Reference, from the weights",
        ),
    ),
    asked=(Asked((Y, COMPONENT), "the {} response"),),
    note=f"The policy in the numbers above: {_POLICY}.",
    build=_world,
)

DERIVATION = Derivation(
    id="dpo",
    title="From the RLHF objective to the DPO loss",
    goal="A loss on policy and reference alone, and its gradient, from an objective that needed a "
    "reward model.",
    lines=LINES,
    desk=DESK,
    breaks=BREAKS,
    names={**_SINGLE, **_PAIRED},
)
