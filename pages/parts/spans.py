"""Spans of time in words: how long something took, when something is due."""

from datetime import timedelta

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def spent(milliseconds: int) -> str:
    """Return a time spent: "40 s", "3 min", "1 h 5 min"."""
    span = timedelta(milliseconds=milliseconds)
    if span < _MINUTE:
        return f"{span.seconds} s"
    minutes = round(span / _MINUTE)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def until(span: timedelta, days: int) -> str:
    """Return when something is due that comes after `span`, so many of the learner's days on."""
    if days > 1:
        return f"in {days} days"
    if days == 1:
        return "tomorrow"
    if span < _HOUR:
        minutes = max(1, -(-span // _MINUTE))
        return f"in {minutes} {'minute' if minutes == 1 else 'minutes'}"
    return f"in {span / _HOUR:.0f} hours"
