"""A learner's days: local, from four in the morning to four in the morning."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ROLLOVER = 4  # o'clock; who studies past midnight is still in the day before
_KEY = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


@dataclass(frozen=True)
class Days:
    """Days are numbered as `date.toordinal` does."""

    zone: tzinfo = UTC

    @classmethod
    def of(cls, name: str, utc_offset: int) -> "Days":
        """Return the days of a zone of the IANA database; of a fixed offset if it is not known.

        `utc_offset` is in minutes, east of Greenwich positive.
        """
        if _KEY.fullmatch(name):
            # It may be missing on this machine, which need not be the learner's.
            with suppress(ZoneInfoNotFoundError, OSError, ValueError):
                return cls(ZoneInfo(name))
        return cls(timezone(timedelta(minutes=utc_offset)))

    def day(self, moment: datetime) -> int:
        """Return the number of the day that a moment belongs to."""
        return _day(moment.astimezone(self.zone))

    def day_of_ms(self, milliseconds: int) -> int:
        """Return the same for a moment in milliseconds since 1970, UTC."""
        return _day(datetime.fromtimestamp(milliseconds / 1000, self.zone))

    def start(self, day: int) -> datetime:
        """Return the moment, in UTC, at which a day begins."""
        return _start(self.zone, day)


@lru_cache(maxsize=20_000)  # the days of some decades in some zones
def _start(zone: tzinfo, day: int) -> datetime:
    return datetime.combine(date.fromordinal(day), time(ROLLOVER), zone).astimezone(UTC)


def _day(local: datetime) -> int:
    return local.toordinal() - (local.hour < ROLLOVER)
