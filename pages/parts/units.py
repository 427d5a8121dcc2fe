"""Bits or nats: the reader's choice, which holds for every quantity of information on the site."""

from typing import get_args

import streamlit as st

import content.units
from content.schema import Claim
from content.units import Unit, convert, switched
from pages.parts import state

KEY = "units"
AS_WRITTEN = "as usual"
HELP = (
    "One nat is 1.443 bits. *As usual* leaves each quantity in the unit its field uses: losses in "
    "nats, compression and your score in bits. In bits, logarithms that must stay natural are "
    "written ln. A price per nat, such as β, stays a price per nat, and so do the log-ratios and "
    "margins that it multiplies."
)


def choose() -> None:
    """Draw the switch in the sidebar; it is part of the address."""
    with st.sidebar:
        st.segmented_control(
            "Units",
            (AS_WRITTEN, *get_args(Unit)),
            default=AS_WRITTEN,
            key=KEY,
            bind="query-params",
            required=True,
            help=HELP,
        )


def wanted() -> Unit | None:
    """Return the unit that the reader chose, None for each quantity's own."""
    chosen = state.get(KEY)
    return chosen if chosen in get_args(Unit) else None


def formulas(markdown: str) -> str:
    r"""Return Markdown with its logarithms as the reader's unit sets them."""
    return content.units.formulas(markdown, wanted()) if "\\l" in markdown else markdown


def of_scores() -> Unit:
    """Return the unit in which answers are scored."""
    return wanted() or "bits"


def of_information() -> Unit:
    """Return the unit of divergences, entropies and losses that are computed here."""
    return wanted() or "nats"


def from_bits(bits: float) -> float:
    """Return a score in the unit of scores."""
    return bits if of_scores() == "bits" else convert(bits, "nats")


def from_nats(nats: float) -> float:
    """Return a quantity of information in the reader's unit."""
    return nats if of_information() == "nats" else convert(nats, "bits")


def signed(bits: float) -> str:
    """Return a score without its unit: "+1.49", "−0.32" or "0.00", with a true minus sign."""
    text = f"{from_bits(bits):+.2f}".replace("-", "−")
    return "0.00" if text in {"+0.00", "−0.00"} else text


def scored(bits: float) -> str:
    """Return a score with its unit: "+1.49 bits"."""
    return f"{signed(bits)} {of_scores()}"


def shown(claim: Claim) -> str:
    """Return the value of a claim as prose shows it, in the reader's unit."""
    unit = wanted() if switches(claim) else None
    if unit is None:
        return claim.shown
    return switched(claim.value, claim.shown, claim.unit, unit)


def of_claim(claim: Claim, value: float) -> float:
    """Return a value that belongs to a claim, in the unit in which the claim is shown."""
    unit = wanted()
    other = unit is not None and switches(claim) and claim.unit != unit
    return convert(value, unit) if unit is not None and other else value


def switches(claim: Claim) -> bool:
    """Say whether the claim is a quantity of information that follows the reader's choice."""
    return claim.unit in get_args(Unit) and not claim.fixed
