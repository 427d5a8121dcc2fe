"""What the numbers of a record mean for this learner: one sentence each, computed, never fixed.

Every function is pure; quantities of information are in bits and said in the unit asked for. A
difference that chance alone would make is called that.
"""

import math
import statistics as averages
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from content.units import Unit, convert
from drills.events import Reviewed
from drills.optimize import Change
from drills.reviews import Stage
from drills.score import ENOUGH, Decomposition, Group, wilson
from drills.statistics import Forecast, Retention, Share
from drills.store import Entry

if TYPE_CHECKING:
    from drills.history import History  # it loads genanki

_KINDS = {  # of what is worth counting apart
    "reviewed": "review",
    "answered": "answer",
    "predicted": "prediction",
    "repredicted": "prediction",
    "attempted": "typed line",
    "unreviewed": "taken back",
}
_SIGNS = 2  # standard deviations, within which a difference is called chance


def more(lacks: int, what: str) -> str:
    """Say how many answers are still needed before anything is said."""
    return (
        f"{ENOUGH} {what} are the least that says anything: {lacks} more "
        f"{'is' if lacks == 1 else 'are'} needed."
    )


def too_few_ever(lacks: int) -> str:
    """Say why the first week cannot be compared with, now that it is over."""
    return (
        f"Your first week held {ENOUGH - lacks} answers that favor one option; {ENOUGH} are the "
        f"least that says anything, so there is nothing to compare this week with."
    )


def opens(at: datetime) -> str:
    """Say from when on there are two weeks to compare."""
    return (
        f"From {_day(at.date())} on, the last seven days stand here beside the seven after your "
        f"first answer."
    )


def loss(found: Decomposition, unit: Unit) -> str:
    """Say what the answers cost against knowing nothing."""
    cost, even = _amount(found.loss, unit), _amount(found.even, unit)
    saved = found.even - found.loss
    if saved > 0:
        return (
            f"An answer of yours costs {cost} on average, where an even split over the same "
            f"options would cost {even}: what you know saves {_amount(saved, unit)} a question."
        )
    return (
        f"An answer of yours costs {cost} on average, and an even split over the same options "
        f"would cost only {even}: so far your confidence costs more than your knowledge brings."
    )


def split(found: Decomposition, unit: Unit) -> str:
    """Say whether the answers cost more or less than the beliefs behind them expected."""
    band = _SIGNS * found.chance
    paid = (
        f"Your beliefs expected to pay {_amount(found.entropy, unit)}, and you paid "
        f"{_amount(found.loss, unit)}"
    )
    if abs(found.gap) <= band:
        return (
            f"{paid}: the difference is within the {_amount(band, unit)} either way that chance "
            f"makes of {found.count} answers."
        )
    if found.gap > 0:
        return (
            f"{paid}: the excess of {_amount(found.gap, unit)} is more than chance makes "
            f"({_amount(band, unit)}), so you claim more than you know."
        )
    return (
        f"{paid}: that is {_amount(-found.gap, unit)} less, more than chance makes "
        f"({_amount(band, unit)}), so you know more than you claim."
    )


def miscalibration(found: Decomposition, groups: Sequence[Group], unit: Unit) -> str:
    """Say what being too sure or too timid costs, and how much of it chance would show anyway.

    Of a calibrated learner twice the number of answers times this divergence, in nats, is nearly
    chi-squared with a degree of freedom for each group: mean g, variance 2 g.
    """
    most = len(groups) + _SIGNS * math.sqrt(2 * len(groups))
    chance = convert(most / (2 * found.led), "bits")
    said = (
        f"How sure you are of your favorite, against how often it is right, costs "
        f"{_amount(found.miscalibration, unit)} an answer"
    )
    if found.miscalibration <= chance:
        return (
            f"{said}; of {found.led} answers chance alone may show up to {_amount(chance, unit)}, "
            f"so nothing here speaks against you."
        )
    return (
        f"{said}, more than the {_amount(chance, unit)} that chance alone may show of {found.led} "
        f"answers: to state how often you are right would save it."
    )


def perplexity(found: Decomposition) -> str:
    """Say how many options the answers were as uncertain as."""
    return (
        f"You were as uncertain as somebody who chooses among {found.perplexity:.1f} equally "
        f"likely options; the questions had {found.options:.1f}, as a geometric mean."
    )


def curve(groups: Sequence[Group]) -> str:
    """Name the confidence that is farthest off, if one is off by more than its band."""
    off = [group for group in groups if not group.low <= group.stated <= group.high]
    answers = sum(group.count for group in groups)
    if not off:
        return (
            f"Every band meets the diagonal: nothing in these {answers} answers says that you are "
            f"right more or less often than you claim."
        )
    worst = max(off, key=lambda group: group.count * abs(group.frequency - group.stated))
    advice = "say less" if worst.frequency < worst.stated else "you may say more"
    return (
        f"When you are {worst.stated:.0%} sure, you are right {worst.frequency:.0%} of the time "
        f"({worst.right} of {worst.count}, which allows {worst.low:.0%} to {worst.high:.0%}): "
        f"{advice} there."
    )


def reading(before: Decomposition, after: Decomposition, unit: Unit) -> str:
    """Say what reading was worth, question by question."""
    worth = before.loss - after.loss
    said = (
        f"The same {before.count} questions cost you {_amount(before.loss, unit)} each before "
        f"reading and {_amount(after.loss, unit)} after it"
    )
    if _alike(worth, unit):
        return f"{said}: reading has not moved you, on average."
    if worth < 0:
        return f"{said}: you left the text surer of something that is not so."
    return f"{said}: reading was worth {_amount(worth, unit)} a question."


def weeks(before: Decomposition, after: Decomposition, unit: Unit) -> str:
    """Say whether this week's answers beat an even split by more than the first week's did."""
    first, last = before.even - before.loss, after.even - after.loss
    said = (
        f"This week's {after.count} answers beat an even split by {_signed(last, unit)} each, "
        f"those of your first week ({before.count}) by {_signed(first, unit)}"
    )
    if _alike(last - first, unit):
        return f"{said}: the same."
    if last > first:
        return f"{said}: {_amount(last - first, unit)} better, on other questions."
    return f"{said}: {_amount(first - last, unit)} worse, on other questions."


def retention(found: Retention, wish: float) -> str:
    """Say whether what was kept is what the intervals aim at."""
    share = found.all
    if share.of < ENOUGH:
        return more(ENOUGH - share.of, "first answers to cards in review")
    low, high = wilson(share.passed, share.of)
    said = f"You recalled {share.passed / share.of:.0%} and asked for {wish:.0%}"
    if low <= wish <= high:
        return f"{said}: what {share.of} answers can tell apart, the intervals suit your memory."
    if share.passed / share.of < wish:
        return f"{said}: the intervals are longer than your memory carries."
    return f"{said}: you come back sooner than your memory needs."


def kept(young: Share, mature: Share) -> str:
    """Say where more is forgotten: at short intervals or at long ones."""
    if young.rate is None or mature.rate is None or min(young.of, mature.of) < ENOUGH:
        return f"Young and mature are compared from {ENOUGH} answers each."
    weaker, stronger = sorted((young, mature), key=lambda share: share.passed / share.of)
    name = "young" if weaker is young else "mature"
    if wilson(weaker.passed, weaker.of)[1] >= wilson(stronger.passed, stronger.of)[0]:
        return "Young and mature cards are kept equally well, as far as so few answers can tell."
    points = 100 * abs(young.rate - mature.rate)
    return f"You forget {name} cards more often than the others, by {points:.0f} in a hundred."


def forecast(found: Forecast, today: date) -> str:
    """Say what is waiting, and which of the coming days asks for most."""
    total = sum(found.days)
    if not total and not found.overdue:
        return f"Nothing comes due in the next {len(found.days)} days."
    late = f"{_cards(found.overdue)} overdue, " if found.overdue else ""
    said = f"{late}{_cards(found.days[0])} due today"
    if not sum(found.days[1:]):
        return f"{said[0].upper()}{said[1:]}, and nothing on the {len(found.days) - 1} days after."
    most = max(range(1, len(found.days)), key=lambda day: found.days[day])
    when = "tomorrow" if most == 1 else f"on {_day(today + timedelta(days=most))}"
    return f"{said[0].upper()}{said[1:]}; most of what follows, {found.days[most]}, comes {when}."


def heatmap(found: Mapping[date, int]) -> str:
    """Say on how many days there were reviews, how many, and the longest run of days."""
    done = [count for count in found.values() if count]
    run = longest = 0
    for count in found.values():
        run = run + 1 if count else 0
        longest = max(longest, run)
    typical = averages.median(done) if done else 0
    return (
        f"You reviewed on {len(done)} of the last {len(found)} days, {typical:.0f} "
        f"{'review' if round(typical) == 1 else 'reviews'} on a typical one, "
        f"at most {longest} {'day' if longest == 1 else 'days'} in a row."
    )


def load(a_day: float, seconds: float | None) -> str:
    """Say what the cards in review ask for in the long run, in reviews and in time."""
    said = f"The cards you have ask for {a_day:.1f} reviews a day in the long run"
    if seconds is None:
        return f"{said}, if none is added."
    minutes = a_day * seconds / 60
    spent = "less than a minute" if minutes < 1 else f"about {_count(round(minutes), 'minute')}"
    return f"{said}, {spent} at your {seconds:.0f} seconds a review."


def stages(found: Mapping[Stage, int]) -> str:
    """Say how far the cards are."""
    total, mature = sum(found.values()), found["mature"]
    if not total:
        return "No card is in your reviews."
    if not mature:
        return (
            f"None of your {_count(total, 'card')} comes back in three weeks or more yet, which "
            f"is what mature means."
        )
    return f"{mature} of your {_count(total, 'card')} ({mature / total:.0%}) can wait three weeks."


def search(before: float, after: float, unit: Unit) -> str:
    """Say what other parameters would have saved on the reviews they were found from."""
    said = (
        f"Your own reviews surprise the parameters in use by {_amount(before, unit)} each, and "
        f"those found by {_amount(after, unit)}"
    )
    if after >= before or _alike(before - after, unit):
        return f"{said}: they predict you no better, so keep what you have."
    return f"{said}, on the same reviews they were found from: they know your memory better."


def moved(changes: Sequence[Change], a_day: float) -> str:
    """Say how many cards would come back at another time, and what that does to the load."""
    if not changes:
        return "No card would come back on another day."
    longer = sum(each.after_days > each.before_days for each in changes)
    then = a_day + sum(1 / max(1, c.after_days) - 1 / max(1, c.before_days) for c in changes)
    return (
        f"{_count(len(changes), 'card')} would come back on another day, {longer} of them later: "
        f"{a_day:.1f} reviews a day become {then:.1f}."
    )


def brought(entries: Sequence[Entry], new: Sequence[Entry]) -> str:
    """Say what a file holds, from when it is, and how much of it is new."""
    if not new:
        return f"The file holds {_entries(len(entries))}, all in your record: nothing is new."
    kinds = Counter(_KINDS.get(each.payload.kind, "other") for each in new)
    listed = ", ".join(_kind(kind, count) for kind, count in kinds.most_common())
    moments = sorted(at for each in entries if (at := _moment(each)))
    span = f", from {_when(moments[0])} to {_when(moments[-1])}" if moments else ""
    known = len(entries) - len(new)
    rest = f"; {_entries(known)} you have already" if known else ""
    return f"The file holds {_entries(len(entries))}{span}. New here: {listed}{rest}."


def added(count: int) -> str:
    """Say what was taken in."""
    return f"{_entries(count)} joined your record."


def anki(found: "History") -> str:
    """Say what else is in an export: cards set back to new, and what stays out."""
    said = []
    if new := len(found.resets):
        were, their = ("was", "its") if new == 1 else ("were", "their")
        said.append(
            f"{_count(new, 'card')} {were} set back to new in Anki, so {their} earlier reviews no "
            f"longer count here either."
        )
    left = [
        f"{_count(number, what)} {why}"
        for number, what, why in (
            (found.elsewhere, "review", "of other decks"),
            (found.moved, "due date", "set by hand: here the reviews decide"),
            (found.ungraded, "line", "of Anki's log that changes nothing"),
        )
        if number
    ]
    if left:
        said.append(f"Left out: {'; '.join(left)}.")
    return " ".join(said)


def _entries(number: int) -> str:
    return f"{number:,} {'entry' if number == 1 else 'entries'}"


def _kind(kind: str, count: int) -> str:
    return f"{count:,} {kind}" if kind in ("other", "taken back") else _count(count, kind)


def _moment(entry: Entry) -> datetime | None:
    """Return when something happened, if the file says so."""
    if isinstance(entry.payload, Reviewed) and entry.payload.at_ms is not None:
        return datetime.fromtimestamp(entry.payload.at_ms / 1000, UTC)
    return entry.at


def _when(moment: datetime) -> str:
    return f"{moment:%B} {moment.day}, {moment.year}"


def _amount(bits: float, unit: Unit) -> str:
    return f"{_in(bits, unit):.2f} {unit}"


def _signed(bits: float, unit: Unit) -> str:
    return _amount(bits, unit).replace("-", "−")


def _in(bits: float, unit: Unit) -> float:
    return bits if unit == "bits" else convert(bits, unit)


def _alike(bits: float, unit: Unit) -> bool:
    """Whether a difference vanishes when it is written down."""
    return abs(_in(bits, unit)) < 0.005


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _cards(number: int) -> str:
    return _count(number, "card") if number else "no card"


def _day(day: date) -> str:
    return f"{day:%A}, {day:%B} {day.day}"
