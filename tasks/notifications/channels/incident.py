"""PagerDuty's incidents over the REST API: for services without an integration key. Source: PagerDuty's developer documentation.

A trigger creates an incident whose key is the alert's; there is only one open incident with it, so that a repeat does no harm.
What follows finds it by that key.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from tasks.notifications.channels.posting import Pauses
from tasks.utils.error_handler import TocsinError
from tasks.utils.formatters import cut_text
from tasks.utils.identifiers import wire_key
from tasks.utils.rest.credentials import KeyCredentials
from tasks.utils.rest.errors import ALREADY, DUPLICATE, ThrottledError, TokenRefusedError, said_by
from tasks.utils.rest.line import ACCEPT
from tasks.utils.rest.parameters import path_of
from tasks.utils.rows import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from tasks.notifications.channels.posting import Answer, Poster
    from tasks.notifications.channels.protocol import Message
    from tasks.utils.rest.allowance import Allowance
    from tasks.utils.rest.credentials import Credentials

MOST_TITLE: Final = 1_024
MOST_MINIMAL_TITLE: Final = 255
MOST_DETAILS: Final = 20_000
STOPPED: Final = (401, 403, 404)  # the key is not taken, may not do this, or there is no such service
URGENT: Final = ("critical", "error")
LOOK_AGAIN_MS: Final = 10_000  # PagerDuty may show a new incident late
NOT_SEEN_YET: Final = "not_seen_yet"
NOT_FOUND: Final = 404
NOT_TAKEN: Final = 401  # the key is none, or none any more


@dataclass(frozen=True)
class _Call:
    message: Message
    ends: float  # monotonic


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    body: Any
    authorization: str = field(repr=False)
    limit: str


class PagerDutyIncident:
    """Creates, acknowledges and resolves incidents.

    `allowance` counts its calls among all REST calls of the key; None counts none.
    `account` says who asks where a message has no key of its own.
    """

    def __init__(
        self,
        poster: Poster,
        *,
        deadline: timedelta,
        throttle_pause: timedelta,
        key_pause: timedelta,
        allowance: Allowance | None = None,
        account: Credentials | None = None,
    ) -> None:
        self._poster = poster
        self._seconds = deadline.total_seconds()
        self._pauses = Pauses(throttle_pause, key_pause)
        self._allowance = allowance
        self._account = account

    def send(self, message: Message) -> Outcome:
        """Send once (short retries included) and classify the answer."""
        call = _Call(message, time.monotonic() + self._seconds)
        if message.alert["event_action"] == "trigger":
            return self._open(call)
        return self._follow(call)

    def close(self) -> None:
        """Close the connections."""
        self._poster.close()
        if self._account is not None:
            self._account.close()
        if self._allowance is not None:
            self._allowance.client.close()

    def _open(self, call: _Call) -> Outcome:
        """Create it; where it is open already, let it say what is new."""
        wanted = new_incident(call.message)
        outcome, answer = self._ask(call, "POST", "/incidents", {"incident": wanted})
        if answer is None or answer.status != 400 or DUPLICATE not in said_by(400, answer.text.encode()).reason:
            return outcome
        looked, found = self._open_ones(call)
        if looked.verb != "sent":
            return looked
        told: dict[str, Any] = {name: wanted[name] for name in ("title", "urgency") if name in wanted}
        news = [one for one in found if any(one.get(name) != value for name, value in told.items())]
        return self._change(call, news, told) if news else Outcome("sent")

    def _follow(self, call: _Call) -> Outcome:
        """Acknowledge or resolve the open ones. None there: asked once more, for PagerDuty may show a new one late."""
        looked, found = self._open_ones(call)
        if looked.verb != "sent":
            return looked
        status = {"acknowledge": "acknowledged", "resolve": "resolved"}[call.message.alert["event_action"]]
        concerned = [one for one in found if one.get("status") != status]
        if concerned:
            return self._change(call, concerned, {"status": status})
        if found or call.message.minimal:
            return Outcome("sent")
        looked, ever = self._found(call, ())
        if looked.verb != "sent":
            return looked
        return Outcome("sent") if ever else Outcome("minimal", NOT_SEEN_YET, LOOK_AGAIN_MS)

    def _change(self, call: _Call, incidents: list[dict[str, Any]], change: Mapping[str, Any]) -> Outcome:
        for incident in incidents:
            body = {"incident": {"type": "incident", **change}}
            outcome, answer = self._ask(call, "PUT", f"/incidents{path_of(str(incident['id']))}", body)
            is_over = answer is not None and said_by(answer.status, answer.text.encode()).code in ALREADY
            if outcome.verb != "sent" and not is_over and not (answer is not None and answer.status == NOT_FOUND):
                return outcome
        return Outcome("sent")

    def _open_ones(self, call: _Call) -> tuple[Outcome, list[dict[str, Any]]]:
        return self._found(call, ("triggered", "acknowledged"))

    def _found(self, call: _Call, statuses: tuple[str, ...]) -> tuple[Outcome, list[dict[str, Any]]]:
        """The incidents of the message's key."""
        options = call.message.options
        wanted = [
            ("incident_key", wire_key(str(call.message.alert["dedup_key"]))),
            ("service_ids[]", options["service_id"]),
            ("date_range", "all"),
            ("limit", "5"),
            *(("urgencies[]", urgency) for urgency in ("high", "low")),
            *(("statuses[]", status) for status in statuses),
        ]
        outcome, answer = self._ask(call, "GET", f"/incidents?{urlencode(wanted)}")
        if outcome.verb != "sent" or answer is None:
            return outcome, []
        try:
            found = json.loads(answer.text)["incidents"]
            return outcome, [one for one in found if isinstance(one, dict) and one.get("id")]
        except (ValueError, TypeError, KeyError, RecursionError):
            return Outcome("retry", "unreadable_answer"), []

    def _ask(self, call: _Call, method: str, path: str, body: Any = None) -> tuple[Outcome, Answer | None]:
        """One call within what is left of the deadline; once more where it was refused and there is another key by now."""
        who = KeyCredentials(lambda: call.message.key) if call.message.key or not self._account else self._account
        try:
            header = who.header()
            outcome, answer = self._call(call, _Request(method, path, body, header, who.limit))
            if answer is not None and answer.status == NOT_TAKEN and who.renew(header):
                return self._call(call, _Request(method, path, body, who.header(), who.limit))
        except TokenRefusedError:
            return self._pauses.stopped("key_rejected"), None
        except TocsinError as error:
            return Outcome("retry", f"no_access:{type(error).__name__}"), None
        return outcome, answer

    def _call(self, call: _Call, request: _Request) -> tuple[Outcome, Answer | None]:
        """One request, counted among all REST calls of the key."""
        message, limit, body = call.message, request.limit, request.body
        try:
            if self._allowance is not None:
                self._allowance.take(limit)
        except ThrottledError as error:
            return Outcome("pause", "throttled", milliseconds_of(error.retry_after)), None
        answers: list[Answer] = []

        def classify(answer: Answer) -> Outcome:
            answers.append(answer)
            if self._allowance is not None:
                self._allowance.heed(
                    limit, answer.status, {name.lower(): value for name, value in answer.headers.items()}
                )
            return self._classify(answer, minimal=message.minimal)

        outcome = self._poster.post(
            f"{message.url.rstrip('/')}{request.path}",
            b"" if body is None else json.dumps(body).encode(),
            classify,
            method=request.method,
            headers=_headers(message, request.authorization),
            seconds=max(0.05, call.ends - time.monotonic()),
        )
        return outcome, answers[-1] if answers else None

    def _classify(self, answer: Answer, *, minimal: bool) -> Outcome:
        status = answer.status
        if 200 <= status < 300:
            return Outcome("sent")
        if status == 429:
            return self._pauses.throttled(answer.headers)
        if status in STOPPED:
            return self._pauses.stopped("key_rejected")
        if status in (407, 408) or not 400 <= status < 500:
            return Outcome("retry", f"http:{status}")
        if status in (400, 413) and not minimal:
            return Outcome("minimal", "content_rejected")
        return Outcome("refused", f"http:{status}")


def new_incident(message: Message) -> dict[str, Any]:
    """The incident an alert becomes; in minimal form no more than its title."""
    alert, options = message.alert, message.options
    payload = alert.get("payload") or {}
    title = " ".join(str(payload.get("summary") or alert["dedup_key"]).split()) or "Tocsin"
    incident: dict[str, Any] = {
        "type": "incident",
        "title": cut_text(title, MOST_MINIMAL_TITLE if message.minimal else MOST_TITLE),
        "service": {"id": options["service_id"], "type": "service_reference"},
        "incident_key": wire_key(str(alert["dedup_key"])),
    }
    if message.minimal:
        return incident
    severity = str(payload.get("severity", ""))
    incident["urgency"] = (options.get("urgencies") or {}).get(severity) or ("high" if severity in URGENT else "low")
    priority = (options.get("priorities") or {}).get(severity)
    if priority:
        incident["priority"] = {"id": priority, "type": "priority_reference"}
    if options.get("escalation_policy"):
        incident["escalation_policy"] = {"id": options["escalation_policy"], "type": "escalation_policy_reference"}
    incident["body"] = {"type": "incident_body", "details": details(alert)}
    return incident


def details(alert: Mapping[str, Any]) -> str:
    """What an alert says, as text for people."""
    payload = alert.get("payload") or {}
    facts = {name: payload.get(name) for name in ("severity", "source", "component", "group", "class", "timestamp")}
    lines = [f"{name}: {value}" for name, value in facts.items() if value]
    lines += [f"{alert.get('client') or 'seen at'}: {alert['client_url']}"] if alert.get("client_url") else []
    lines += [
        f"{link.get('text') or 'link'}: {link['href']}"
        for link in alert.get("links") or []
        if isinstance(link, dict) and link.get("href")
    ]
    more = payload.get("custom_details")
    if more:
        lines += ["", more if isinstance(more, str) else json.dumps(more, indent=2, ensure_ascii=False)]
    whole = "\n".join(lines).encode("utf-8", "replace").decode()
    return cut_text(whole, MOST_DETAILS) or "no details"


def milliseconds_of(seconds: float | None) -> int:
    """A wait as outcomes have it; a second at least."""
    return max(1_000, round((seconds or 1.0) * 1_000))


def _headers(message: Message, authorization: str) -> dict[str, str]:
    sender = message.options.get("from_email")
    return {
        "Authorization": authorization,
        "Accept": ACCEPT,
        **({"From": str(sender)} if sender else {}),
    }
