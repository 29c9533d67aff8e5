"""Bundles of every kind, to try templates on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tasks.utils.bundles import Bundle, Member, Outage

if TYPE_CHECKING:
    from collections.abc import Mapping

_AT = datetime(2026, 1, 31, 3, 12, tzinfo=UTC)


def samples() -> Mapping[str, Bundle]:
    """A bundle by the name of what it stands for."""
    news = [_member(number, severity) for number, severity in enumerate(("critical", "warning", "info"), 1)]
    over = _member(4, "error", action="resolve")
    bare = Member(event_id="sample-5", action="trigger", summary="no labels, no links", at=_AT)
    return {
        "a group that grows": _bundle([*news, over, bare], open=6, came_and_went=1),
        "one alert": _bundle(news[:1], open=1, group={}),
        "an acknowledged group": _bundle([_member(1, "error", action="acknowledge")], open=1, action="acknowledge"),
        "a reminder": _bundle([], open=3, is_reminder=True, since=_AT - timedelta(hours=4)),
        "told here because PagerDuty does not answer": _bundle(
            news, open=3, outage=Outage(name="PagerDuty", since=_AT - timedelta(minutes=2))
        ),
        "a resolved group": _bundle([over], open=0, action="resolve"),
    }


def _member(number: int, severity: str, **fields: Any) -> Member:
    given: dict[str, Any] = {
        "event_id": f"sample-{number}",
        "action": "trigger",
        "summary": f"sample alert {number}",
        "severity": severity,
        "source": f"host{number}",
        "service": "sample",
        "dedup_key": f"sample-key-{number}",
        "at": _AT + timedelta(minutes=number - 10),
        "labels": {"team": "sample", "instance": f"host{number}:9100"},
        "links": [{"href": "https://example.com/graph", "text": "Graph"}],
        "client": "Sample",
        "client_url": "https://example.com",
        "details": {"annotations": {"description": "A sample.\nOf two lines."}, "value": 0.99, "list": [1, None]},
    }
    return Member(**{**given, **fields})


def _bundle(members: list[Member], **fields: Any) -> Bundle:
    given: dict[str, Any] = {
        "id": "sample",
        "service": "sample",
        "destination": "sample/people",
        "channel": "people",
        "group": {"cluster": "eu"},
        "dedup_key": "sample-group",
        "members": members,
        "severity": "critical",
        "at": _AT,
    }
    return Bundle(**{**given, **fields})
