"""Numbers in prose: a true minus, powers of ten as powers, no floating-point noise."""

import math

_TIMES = "\u00a0·\u00a0"  # a number stays on its line
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def told(value: float, *, digits: int = 4) -> str:
    """Return a number as a reader expects it: "29.46", "0.0015", "2.7 · 10⁻⁶", "∞"."""
    if not math.isfinite(value):
        return fixed(value)
    if value == 0 or 1e-3 <= abs(value) < 10**digits:
        return f"{value:.{digits}g}".replace("-", "−")
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.replace('-', '−')}{_TIMES}10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def fixed(value: float) -> str:
    """Return a number with four decimals, for values that are read side by side."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.4f}".replace("-", "−")


def divergence(value: float, unit: str) -> str:
    """Return a divergence; what double precision cannot tell from zero is said so."""
    return f"below 10⁻¹⁵ {unit}" if value < 1e-15 else f"{told(value, digits=3)} {unit}"
