"""The names of learning from preferences: policies, rewards, Z, the objective, the DPO loss.

Probabilities take (response, prompt), rewards (prompt, response). What has a `definition` is
written in terms of the unknowns: π, π_ref, r, β and, for the trained policy π_θ, its logits.
"""

from sympy import Expr, Symbol

from engine.algebra.expressions import (
    BETA,
    Binder,
    Divergence,
    Expectation,
    Glyph,
    Named,
    Total,
    e,
    ln,
    minus,
    negative,
    over,
    plus,
    times,
)

_RIVAL = Symbol("y'")  # bound: the responses a softmax normalizes over


class Policy(Named):
    """π(y | x), any policy at all."""

    glyph = Glyph("π", "pi", role="policy")
    slug = "policy"
    separators = ("∣",)
    prompted = True
    is_positive = True


class Reference(Named):
    """π_ref(y | x), the policy that training starts from and is held to."""

    glyph = Glyph("π", "pi ref", sub="ref", role="reference")
    slug = "reference"
    separators = ("∣",)
    prompted = True
    is_positive = True


class Reward(Named):
    """r(x, y), finite."""

    glyph = Glyph("r", "r", role="reward")
    slug = "reward"


class Partition(Named):
    """Z(x), the sum that turns the tilted reference into a distribution."""

    glyph = Glyph("Z", "Z", role="partition")
    slug = "partition"
    is_positive = True

    def definition(self) -> Expr:
        """Σ π_ref e^(r/β)."""
        x, y = self.args[0], Symbol("y")
        return Total(times(Reference(y, x), e(over(Reward(x, y), BETA))), y)


class Optimum(Named):
    """π*(y | x), the reference tilted by the reward."""

    glyph = Glyph("π", "pi star", sup="∗", role="policy")
    slug = "optimum"
    separators = ("∣",)
    prompted = True
    is_positive = True

    def definition(self) -> Expr:
        """π_ref e^(r/β) / Z."""
        y, x = self.args
        return times(over(1, Partition(x)), Reference(y, x), e(over(Reward(x, y), BETA)))


class Objective(Binder):
    """J of a distribution over responses: expected reward less β times the divergence."""

    glyph = Glyph("J", "J")
    slug = "objective"

    def definition(self) -> Expr:
        """E[r] − β KL(· ‖ π_ref)."""
        policy, y = self.args
        x = policy.args[1]
        leash = times(BETA, Divergence(policy, Reference(y, x), y))
        return minus(Expectation(policy, Reward(x, y), y), leash)

    def shown(self) -> tuple[type[Named], ...]:
        """The policy alone: J(π)."""
        return (self.args[0].func,)


class Logit(Named):
    """θ_y, the parameter of a tabular policy for one response."""

    glyph = Glyph("θ", "theta")
    slug = "logit"


class Model(Named):
    """π_θ(y | x), the policy that is trained: a softmax over its logits."""

    glyph = Glyph("π", "pi theta", sub="θ", role="policy")
    slug = "model"
    separators = ("∣",)
    prompted = True
    is_positive = True

    def definition(self) -> Expr:
        """e^θ_y / Σ e^θ."""
        y, x = self.args
        return over(e(Logit(y, x)), Total(e(Logit(_RIVAL, x)), _RIVAL))


class ImplicitReward(Named):
    """The reward that π_θ would be optimal for, up to a constant per prompt."""

    glyph = Glyph("r", "r hat", sub="θ", hat=True, role="reward")
    slug = "implicit"

    def definition(self) -> Expr:
        """β log(π_θ / π_ref)."""
        x, y = self.args
        return times(BETA, ln(over(Model(y, x), Reference(y, x))))


class Preference(Named):
    """P(y_w ≻ y_l | x), the probability that the first response is preferred."""

    glyph = Glyph("P", "the probability")
    slug = "preference"
    separators = ("≻", "∣")
    is_positive = True
    reward: type[Named] = Reward

    def definition(self) -> Expr:
        """The Bradley-Terry model: e^r_w / (e^r_w + e^r_l)."""
        first, second, x = self.args
        strength, rival = e(self.reward(x, first)), e(self.reward(x, second))
        return over(strength, plus(strength, rival))


class ModelPreference(Preference):
    """P_θ(y_w ≻ y_l | x): the same, under the reward that π_θ implies."""

    glyph = Glyph("P", "the probability under theta", sub="θ")
    slug = "model-preference"
    reward = ImplicitReward


class Loss(Named):
    """The DPO loss of one pair (y_w, y_l) at one prompt."""

    glyph = Glyph("L", "the loss")
    slug = "loss"

    def definition(self) -> Expr:
        """−log P_θ(y_w ≻ y_l | x), the negative log-likelihood."""
        return negative(ln(ModelPreference(*self.args)))

    def shown(self) -> tuple[type[Named], ...]:
        """The policy alone: L(π_θ)."""
        return (Model,)
