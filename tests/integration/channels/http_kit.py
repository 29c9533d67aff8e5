"""Every channel over HTTP, made alike, so that one test asks all of them; and a send that watches for secrets."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.notifications.channels.incident import PagerDutyIncident
from tasks.notifications.channels.pagerduty import PagerDutyEvents
from tasks.notifications.channels.posting import Poster
from tasks.notifications.channels.protocol import Message
from tasks.notifications.channels.slack import SlackHook
from tasks.notifications.channels.teams import TeamsHook
from tasks.notifications.channels.webhook import SignedWebhook
from tasks.utils.bundles import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.notifications.channels.protocol import Channel

SECRET = "geheimgeheimgeheimgeheimgeheimge"  # 32 letters, as PagerDuty's keys
SECOND = timedelta(seconds=1)
PATIENT = 5 * SECOND
TRUST = ssl.create_default_context()
STOPPED_MS, PAUSED_MS = 600_000, 45_000
NOTICE = Notice(
    subject="disk full (web1)",
    text="The *disk* of web1 is full.",
    html="<p>The disk of web1 is full.</p>",
    document={"summary": "disk full", "open": 1},
)
ALERT = {
    "event_action": "trigger",
    "dedup_key": "disk",
    "payload": {"summary": "s", "source": "w", "severity": "error"},
}


@dataclass(frozen=True)
class Kind:
    """One kind of channel: how it is made, where in its address the secret is, and what the statuses mean that it knows."""

    name: str
    make: Callable[[dict[str, Any]], Channel]
    path: str
    key: str  # "" = the whole URL
    sent: frozenset[int]
    stopped: frozenset[int]
    minimal: frozenset[int]
    is_guarded: bool = True

    def message(self, base: str, *, minimal: bool = False, **options: Any) -> Message:
        """A message to a server at `base`, to which private addresses are allowed unless the options say otherwise."""
        url = base + self.path
        options = {"allow_private": True, "locale": "en", "service_id": "PABC123", **options}
        return Message(ALERT, url, self.key or url, minimal, id="0abc", notice=NOTICE, options=options)

    def expected(self, status: int, *, minimal: bool = False) -> tuple[str, str, int]:
        """What a status means: verb, reason, delay."""
        known = {429: ("pause", "throttled", PAUSED_MS)}
        known |= dict.fromkeys(range(300, 400), ("refused", "redirected", 0)) if self.is_guarded else {}
        known |= dict.fromkeys(self.sent, ("sent", "", 0))
        known |= dict.fromkeys(self.stopped, ("refused", "key_rejected", STOPPED_MS))
        known |= {} if minimal else dict.fromkeys(self.minimal, ("minimal", "content_rejected", 0))
        is_passing = status in (407, 408) or not 400 <= status < 500
        return known.get(status, ("retry" if is_passing else "refused", f"http:{status}", 0))

    def __str__(self) -> str:
        return self.name


def _bounds(**other: Any) -> dict[str, Any]:
    return {
        "trust": TRUST,
        "deadline": SECOND,
        "attempts": 1,
        "throttle_pause": 45 * SECOND,
        "key_pause": 600 * SECOND,
        **other,
    }


def _pagerduty(other: dict[str, Any]) -> Channel:
    bounds = _bounds(**other)
    return PagerDutyEvents(**{name: bounds[name] for name in bounds.keys() - {"guard", "trust"}})


def _incident(other: dict[str, Any]) -> Channel:
    bounds = _bounds(**other)
    shared = {name: bounds[name] for name in ("deadline", "throttle_pause", "key_pause")}
    return PagerDutyIncident(Poster(**bounds), **shared)


SUCCESS = frozenset(range(200, 300))
KINDS = [
    Kind(
        "pagerduty", _pagerduty, "/v2/enqueue", SECRET, frozenset({202}), frozenset({401, 403}), frozenset({400, 413}),
        is_guarded=False,
    ),
    Kind(
        "pagerduty_incident", _incident, "", SECRET, SUCCESS, frozenset({401, 403, 404}), frozenset({400, 413}),
        is_guarded=False,
    ),
    Kind(
        "slack", lambda other: SlackHook(Poster(**_bounds(**other))), f"/services/T0/B0/{SECRET}", "", SUCCESS,
        frozenset({403, 404, 410}), frozenset({400, 413}),
    ),
    Kind(
        "teams", lambda other: TeamsHook(Poster(**_bounds(**other))), f"/workflows/1?sig={SECRET}", "", SUCCESS,
        frozenset({401, 403, 404, 410}), frozenset({400, 413}),
    ),
    Kind(
        "webhook", lambda other: SignedWebhook(Poster(**_bounds(**other)), lambda: 1_790_000_000.5),
        f"/in?token={SECRET}", SECRET, SUCCESS, frozenset({401, 403, 410}), frozenset(),
    ),
]  # fmt: skip
FOR_PEOPLE = [kind for kind in KINDS if kind.is_guarded]


def body_of(request: bytes) -> Any:
    """The JSON of a request."""
    return json.loads(request.partition(b"\r\n\r\n")[2])


def headers_of(request: bytes) -> dict[str, str]:
    """The headers of a request, their names in small letters."""
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
