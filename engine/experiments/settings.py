"""What every experiment's settings have: words on offer, numbers in bounds, read from anything."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self, get_args, get_type_hints

from engine.errors import RangeError

SEED = (0, 2**31 - 1)  # the limits of every seed


@dataclass(frozen=True)
class Settings:
    """What a learner can set; everything else follows from it.

    A subclass names its settings as fields with a default: `Literal[...]` for words, `int` or
    `float` with bounds in `limits`, `str` for texts that the experiment reads itself.

    Raises:
        RangeError: a number out of its range, or a word that is not on offer.
    """

    limits: ClassVar[Mapping[str, tuple[float, float]]] = {}

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self))
        for each in fields(self):
            _check_word(each.name, getattr(self, each.name), get_args(kinds[each.name]))
        for name, (least, most) in self.limits.items():
            _check_number(name, getattr(self, name), least, most)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Read settings from a record or an address, which may hold anything.

        Raises:
            RangeError: a value that is no setting or out of its range.
        """
        known: dict[str, type] = {each.name: type(each.default) for each in fields(cls)}
        try:
            return cls(**{name: known[name](value) for name, value in values.items()})
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            if isinstance(error, RangeError):
                raise
            raise RangeError(f"These are no settings of this lab: {error}.") from error

    def numbers(self) -> dict[str, Any]:
        """Return the settings as plain values, for a record or an address."""
        return asdict(self)


def _check_word(name: str, value: object, offered: tuple[object, ...]) -> None:
    if offered and value not in offered:
        words = ", ".join(map(str, offered))
        raise RangeError.expected(f"{name} to be one of {words}", got=value, advice="Choose one.")


def _check_number(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # false for NaN, too
        raise RangeError.expected(
            f"{name} between {least} and {most}", got=value, advice="Move it into that range."
        )
