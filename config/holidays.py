"""What a file of holidays says: days on which business hours do not open."""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, Field

from config.errors import UnfitError
from config.section import Section
from config.values import Name

_LEAP_YEAR = "2024-"  # has the 29th of February, a holiday that most years do not have
_DAY = re.compile(r"((?:\d{4}-)?\d\d-\d\d)(?:[ \t]+(\S.*))?", re.ASCII)
_MEND = "write the date and what people call it: `2026-12-25 Christmas Day`, or `12-25 Christmas Day` for every year"


def _check_day(text: str) -> str:
    found = _DAY.fullmatch(text)
    if found is None:
        raise UnfitError("is no date", _MEND)
    try:
        date.fromisoformat(found[1] if len(found[1]) == 10 else _LEAP_YEAR + found[1])
    except ValueError:
        raise UnfitError("is a day that no calendar has", _MEND) from None
    return text


class Holidays(Section):
    """Days off in one place; the name of the file is the name of the list."""

    name: Name = Field(description="Name of the list; may be left out. Default: the name of the file.")
    description: str | None = Field(None, description="One line for people: whose holidays these are.")
    days: Annotated[tuple[Annotated[str, AfterValidator(_check_day)], ...], Field(min_length=1)] = Field(
        description="The days, each with what people call it: `2026-12-25 Christmas Day`, or `12-25 Christmas Day` for every year."
    )

    @property
    def last(self) -> date | None:
        """The last of the days that are of one year only; None where all come every year."""
        dated = [day for day in self.by_day() if len(day) == 10]
        return date.fromisoformat(max(dated)) if dated else None

    def by_day(self) -> dict[str, str]:
        """What people call each day: `2026-12-25` or, of every year, `12-25`."""
        parts = (day.split(maxsplit=1) for day in self.days)
        return {day: "".join(name) or "holiday" for day, *name in parts}
