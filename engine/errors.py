"""The errors of the engine: one tree, and every message says what to do next."""


class EngineError(ValueError):
    """Something asked of the engine has no answer; the message can be shown to a learner as is."""

    @classmethod
    def expected(cls, what: str, *, got: object, advice: str) -> "EngineError":
        """The error in the words of the house: what was expected, what came, the next step."""
        return cls(f"Expected {what}, got {got}. {advice}")


class RangeError(EngineError):
    """A number lies outside the range where the mathematics holds: β ≤ 0, a NaN reward."""


class ShapeError(EngineError):
    """A tensor has the wrong shape or type, or two tensors disagree about theirs."""


class PairsError(EngineError):
    """A list of preference pairs is empty, or names something that its world does not have."""


class DivergenceError(EngineError):
    """A training run left the finite numbers; `last` is the last good step, if there was one."""

    def __init__(self, message: str, *, last: object = None) -> None:
        super().__init__(message)
        self.last = last
