"""How far back to look, as people write it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

_AGO = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only what was accepted since: 30m, 2h, 7d ago, or an ISO time.")
]


def span_since(text: str | None) -> timedelta | None:
    """From `90s`, `30m`, `2h` or `7d` ago, or from an ISO time (local where it names no zone), until now."""
    if text is None:
        return None
    if match := _AGO.fullmatch(text.strip()):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        span = datetime.now(UTC) - datetime.fromisoformat(text.strip()).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time: write 90s, 30m, 2h or 7d, or 2026-01-31T14:00") from None
    if span < timedelta(0):
        raise typer.BadParameter(f"{text!r} is still to come")
    return span


def length(text: str) -> timedelta:
    """From `90s`, `30m`, `2h`, `1d`."""
    from config.errors import UnfitError
    from config.values import parse_duration

    try:
        return parse_duration(text)
    except UnfitError as error:
        raise typer.BadParameter(f"{text!r} {error}: {error.mend}") from None


def moment(text: str | None) -> datetime | None:
    """From an ISO time, local where it names no zone; None where nothing was said."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is no time: write 2026-01-31T03:00, or with a zone 2026-01-31T03:00+01:00"
        ) from None
