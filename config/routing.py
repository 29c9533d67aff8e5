"""What a service file says about where its alerts go: a tree of routes."""

import re
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from config.errors import UnfitError, did_you_mean
from config.grouping import BundleSize, GroupBy
from config.matchers import Matcher
from config.section import Section
from config.sections import Severity
from config.values import Duration, Name

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MINUTES_A_DAY = 24 * 60
_TIME_MEND = 'write hours and minutes of a 24-hour clock, such as "07:30" or "22:00"; "24:00" is the end of the day'


def minutes_of(time: str) -> int:
    """Minutes since midnight for `HH:MM`; UnfitError if it is no time of day."""
    found = re.fullmatch(r"(\d{1,2}):([0-5]\d)", time, re.ASCII)
    minutes = int(found[1]) * 60 + int(found[2]) if found else MINUTES_A_DAY + 1
    if minutes > MINUTES_A_DAY:
        raise UnfitError("is no time of day", _TIME_MEND)
    return minutes


def _full_time(time: str) -> str:
    hours, minutes = divmod(minutes_of(time), 60)
    return f"{hours:02}:{minutes:02}"


def _known_zone(name: str) -> str:
    from zoneinfo import ZoneInfo, available_timezones  # noqa: PLC0415 - only who routes by time pays for it

    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = did_you_mean(name, sorted(available_timezones()), listed=False)
        mend = near if near.startswith("did") else "write a name of the IANA database, such as Europe/Berlin or UTC"
        raise UnfitError("is no time zone", mend) from None
    return name


def _lowered(word: object) -> object:
    return word.strip().lower() if isinstance(word, str) else word


TimeOfDay = Annotated[str, AfterValidator(_full_time)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]


class Window(Section):
    """A stretch of the week by the clock on the wall; where it passes midnight, its days are those it begins on."""

    days: tuple[Annotated[Day, BeforeValidator(_lowered)], ...] = Field(
        (),
        description="Days of the week it begins on: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`; none = every day.",
    )
    start: TimeOfDay = Field("00:00", alias="from", description="When it begins, such as `22:00`.")
    end: TimeOfDay = Field(
        "24:00", alias="to", description="When it ends, that minute left out; not after `from` = on the next day."
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Window":
        if self.start == self.end:
            raise UnfitError("begins and ends at the same time", "leave out from and to for the whole day")
        if self.start == "24:00":
            raise UnfitError("begins at the end of the day", 'write from: "00:00", and the next day')
        if not self.days and (self.start, self.end) == ("00:00", "24:00"):
            raise UnfitError("is the whole week", "give days, or from and to, or leave times out")
        return self

    def __str__(self) -> str:
        days = ",".join(self.days) or "every day"
        return f"{days} {self.start}-{self.end}"


class Route(Section):
    """One way for alerts of a service. It is taken where all its conditions and those of the routes above it hold."""

    name: Name = Field(description="Name of the route, unique in its service; `tocsin alerts explain` uses it.")
    match: tuple[Matcher, ...] = Field(
        (), description="Matchers as in Alertmanager, all of which must hold: `team=db`, `host=~web.*`, `env!=test`."
    )
    severity: tuple[Annotated[Severity, BeforeValidator(_lowered)], ...] = Field(
        (), description="Only these severities: `critical`, `error`, `warning`, `info`; none = all."
    )
    times: tuple[Window, ...] = Field(
        (), description="Only in these stretches of the week, in one at least; none = always."
    )
    time_zone: TimeZone | None = Field(
        None,
        description="Time zone of `times` here and below, an IANA name. Default: that of the route above, else UTC.",
    )
    channels: tuple[Name, ...] | None = Field(
        None,
        min_length=1,
        description="Channels of this service to take, in order of fall-back. Default: as the route above.",
    )
    service: Name | None = Field(
        None, description="Service to hand over to: its own channels are taken. Default: as the route above."
    )
    group_by: GroupBy | None = Field(
        None,
        description="Labels that alerts told of together have in common, such as `[cluster, alertname]`; `[]` = all of them. "
        "Default: as the route above, else the service; without any, PagerDuty gets each alert by itself, other channels group all.",
    )
    max_wait: Duration | None = Field(
        None, description="`grouping.max_wait` for this route. Default: as the route above, else the service."
    )
    max_size: BundleSize | None = Field(
        None, description="`grouping.max_size` for this route. Default: as the route above, else the service."
    )
    repeat_interval: Duration | None = Field(
        None, description="`grouping.repeat_interval` for this route. Default: as the route above, else the service."
    )
    goes_on: bool = Field(
        default=False, alias="continue", description="Where it is taken, try the routes after it, too."
    )
    routes: tuple["Route", ...] = Field(
        (), description="Routes that refine this one; where none is taken, this one is."
    )


def walk(routes: Iterable[Route]) -> Iterator[Route]:
    """Every route of a tree, each before those beneath it."""
    for route in routes:
        yield route
        yield from walk(route.routes)
