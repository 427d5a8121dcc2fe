r"""Quantities of information in the unit a reader chose: nats, bits, or as the author wrote them.

Authors write `\log` where a formula holds in either base, the quantity then being in that base's
unit, and `\ln` where it holds for natural logarithms only (an exponent beside it, a gradient, a
price per nat). As long as nobody asks for bits both are set as log, as the field does; in bits
they are told apart.
"""

import math
import re
from typing import Literal

Unit = Literal["nats", "bits"]

_LOGARITHM = re.compile(r"\\(log|ln)(?![A-Za-z_])")
_BITS_PER_NAT = 1 / math.log(2)


def quantity(number: str, unit: str, wanted: Unit | None = None) -> str:
    """The number with its unit: "0.693 nats", "1 bit"; in the wanted unit, to as many digits."""
    if wanted is not None and wanted != unit:
        number, unit = _rounded_as(number, convert(_float(number), wanted)), wanted
    return f"{number} {unit[:-1] if number == '1' else unit}"


def switched(value: float, shown: str, unit: str, wanted: Unit) -> str:
    """A value, exact in its unit and shown as "0.693 nats", in the wanted unit, as many digits."""
    if unit == wanted:
        return shown
    return f"{_rounded_as(shown.partition(' ')[0], convert(value, wanted))} {wanted}"


def convert(value: float, wanted: Unit) -> float:
    """A quantity of the other unit in the wanted one."""
    return value * _BITS_PER_NAT if wanted == "bits" else value / _BITS_PER_NAT


def formulas(markdown: str, wanted: Unit | None = None) -> str:
    r"""Markdown with every `\log` and `\ln` as the wanted unit sets them."""
    if "\\l" not in markdown:
        return markdown
    names = (
        {"log": r"\log_2", "ln": r"\ln"} if wanted == "bits" else {"log": r"\log", "ln": r"\log"}
    )
    return _LOGARITHM.sub(lambda found: names[found[1]], markdown)


def _float(number: str) -> float:
    return float(number.replace("−", "-"))


def _rounded_as(model: str, value: float) -> str:
    """The value to as many significant digits as the model shows, and no fewer than two."""
    digits = max(2, len(model.lstrip("−0.").replace(".", "")))
    rounded = abs(float(f"{value:.{digits - 1}e}"))
    decimals = max(0, digits - 1 - math.floor(math.log10(rounded))) if rounded else 0
    return f"{value:.{decimals}f}".replace("-", "−")
