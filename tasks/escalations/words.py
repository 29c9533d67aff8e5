"""How people read a policy's parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from tasks.escalations.policy import Target

UNITS: Final = (("d", 86_400), ("h", 3600), ("m", 60), ("s", 1))


def target_text(target: Target, kinds: Mapping[str, str] | None = None) -> str:
    """`channel standby`, `user PUSER01`; with the kind of the channel where `kinds` knows it."""
    kind = target.kind.removeprefix("pagerduty_")
    known = (kinds or {}).get(target.value) if kind == "channel" else None
    return f"{kind} {target.value} ({known})" if known else f"{kind} {target.value}"


def span_text(span: timedelta) -> str:
    """A length of time in its two largest units: `+15m`, `+3d 14h`; `+0` for none."""
    seconds, parts = round(span.total_seconds()), []
    for unit, size in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return f"+{' '.join(parts[:2])}" if parts else "+0"
