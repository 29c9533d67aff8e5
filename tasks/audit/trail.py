"""The story of one event in plain words, from the archive and the live ledger."""

from __future__ import annotations

import json
import mmap
from typing import TYPE_CHECKING, Any, Final

from tasks.audit.chain import take_apart
from tasks.audit.escalation_words import ESCALATION_WORDS
from tasks.audit.judge import as_datetime
from tasks.audit.models import Step
from tasks.audit.position import position, sealed_in_redis
from tasks.utils.ledger import Ledger, is_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tasks.audit.archive import Archive
    from tasks.utils.keys import Keys
    from tasks.utils.ledger import Entry

SOURCES: Final = {
    "events": "by HTTP (Events API v2)",
    "alertmanager": "from Alertmanager",
    "api": "by the HTTP API",
    "shell": "from a shell",
    "task": "as a Celery task",
    "message": "as a raw Celery message",
    "pagerduty": "from PagerDuty, where it was answered",
    "sync": "by the comparison with PagerDuty, which did not show it: said again",
}
ANSWERS: Final = {
    "seen": "PagerDuty shows it as incident {}",
    "acknowledged": "acknowledged in PagerDuty, incident {}",
    "unacknowledged": "not acknowledged any more in PagerDuty, incident {}",
    "resolved": "resolved in PagerDuty, incident {}",
    "reopened": "opened again in PagerDuty, incident {}",
}
RULES: Final = {
    "resolved_before_send": "its resolve came before it was sent",
    "nothing_was_sent": "there was nothing to close on the other side",
    "dropped": "the dead letter was given up",
    "resolved_by_pagerduty": "it was resolved in PagerDuty",
    "acknowledged_by_pagerduty": "PagerDuty, where it was acknowledged, needs not be told",
    "overtaken": "newer news came before it was decided on",
}

RECEIPTS: Final = {
    "found": "it went into an incident that was there",
    "maintenance": "its service is in maintenance there, and opens no incidents",
    "may_be_suppressed": "rules of PagerDuty may suppress or pause it",
    "service_disabled": "its service is disabled there",
    "unknown_service": "the API key sees no service that the routing key leads to",
    "nobody_could_look": "PagerDuty could not be asked",
}

DONE: Final = {
    "acknowledge": "acknowledged",
    "resolve": "resolved",
    "snooze": "snoozed",
    "note": "noted",
    "merge": "merged",
    "reassign": "reassigned",
    "update": "updated",
}


class Trails:
    """Tells the stories of single events."""

    def __init__(self, client: Any, keys: Keys, archive: Archive) -> None:
        self._client = client
        self._keys = keys
        self._archive = archive
        self._ledger = Ledger(client, keys)

    def story(self, event_id: str) -> list[Step]:
        """Every step of one event, oldest first; empty when the ledger does not know it."""
        return [Step(at=as_datetime(e.at), step=e.step, text=in_words(e)) for e in self._entries(event_id)]

    def _entries(self, event_id: str) -> Iterator[Entry]:
        told: set[str] = set()
        sealed = sealed_in_redis(self._client, self._keys)
        tail = self._archive.tail()
        for path in self._archive.files():
            for entry in _search(path, event_id):
                told.add(entry.id)
                yield entry
        at = position(tail, sealed, self._ledger)
        for entries in self._ledger.read(at.first_missing(tail)):
            yield from (entry for entry in entries if entry.event == event_id and entry.id not in told)


def in_words(entry: Entry) -> str:
    """One step as people say it."""
    tell = _WORDS.get(entry.step)
    return tell(entry.reason, entry.detail) if tell else " ".join(filter(None, entry[3:]))


def _search(path: Path, event_id: str) -> Iterator[Entry]:
    """The entries of one event in one file; the file is searched as bytes, only its own lines are taken apart."""
    if not path.stat().st_size:
        return
    needle = b'"e":' + json.dumps(event_id).encode() + b","
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(needle)
        while at >= 0:
            start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
            if end < 0:
                return
            entry = _readable(data[start:end])
            if entry is not None and entry.event == event_id:
                yield entry
            at = data.find(needle, end)


def _readable(line: bytes) -> Entry | None:
    try:
        return take_apart(line).entry
    except ValueError:
        return None


def _received(source: str, earlier: str) -> str:
    said = f"received {SOURCES.get(source, f'from {source}')}"
    return f"{said} at {as_datetime(int(earlier)):%H:%M:%S} UTC; until now it waited in the spool" if earlier else said


def _accepted(action: str, detail: str) -> str:
    service = detail.partition(" ")[0]
    if action == "refused":
        return "taken in, but it cannot become an alert"
    return f"accepted: {action} for service {service}"


def _adapted(reason: str, channel: str) -> str:
    if reason == "not_seen_yet":
        return f"channel {channel} does not show the incident yet; it is asked once more"
    if channel:
        return f"channel {channel} refused its content ({reason}); goes once more in minimal form"
    try:
        named = ", ".join(json.loads(reason))
    except (ValueError, TypeError):
        named = reason
    return f"adapted so that it can be sent: {named}"


def _sent(channel: str, number: str) -> str:
    if is_bundle(number):
        return f"sent to channel {channel} in {number}"
    if number == "late":
        return f"sent to channel {channel}, as an answer tells that came late"
    return f"sent to channel {channel} at the {_ordinal(number)} attempt"


def _merged(reason: str, into: str) -> str:
    why = {
        "duplicate": "says the same",
        "superseded": "newer news of the same alert came before it was sent",
        "storm": "a summary that names it was sent",
    }
    return f"merged into {into}: {why.get(reason, reason)}"


def _suppressed(rule: str, detail: str) -> str:
    why = f": {RULES[rule]}" if rule in RULES else ""
    return f"suppressed by rule {rule}{why}" + (f" {detail}" if rule == "dropped" else "")


def _answered(change: str, incident: str) -> str:
    return ANSWERS.get(change, f"{change} in PagerDuty, incident {{}}").format(incident)


def _missed(channel: str, following: str) -> str:
    goes_on = f"; it is said again by channel {following}" if following else ""
    return f"channel {channel} took it, and PagerDuty shows no incident of it{goes_on}"


def _receipt(verdict: str, why: str) -> str:
    said = (
        "accounted for in PagerDuty" if verdict == "seen" else "nobody can tell whether PagerDuty has an incident of it"
    )
    return f"{said}: {RECEIPTS.get(why, why)}"


def _ordinal(number: str) -> str:
    ending = "th" if number[-2:] in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1:], "th")
    return number + ending


_WORDS: Final[dict[str, Callable[[str, str], str]]] = {
    "received": _received,
    "accepted": _accepted,
    "adapted": _adapted,
    "merged": _merged,
    "suppressed": _suppressed,
    "attempt": lambda channel, number: f"attempt {number}, to channel {channel}",
    "bundled": lambda bundle, _: f"goes out in {bundle}, with what else its group has to tell",
    "sealed": lambda number, lane: f"sealed with {number} pieces of news, for lane {lane}",
    "dissolved": lambda reason, _: f"given up ({reason}); each of its members says what became of it",
    "sent": _sent,
    "partly_sent": lambda channel, _: f"sent to channel {channel}; the alert may be open at another place too",
    "refused": lambda reason, channel: f"channel {channel} refused it ({reason})",
    "missed": _missed,
    "receipt": _receipt,
    "repeated": lambda channel, _: f"sent to channel {channel} once more, because an earlier answer was lost",
    "retry": lambda reason, channel: f"channel {channel} did not take it ({reason}); it will be tried again",
    "next_channel": lambda reason, channel: f"goes on to channel {channel} ({reason})",
    "dead": lambda reason, detail: f"dead letter: {reason}" + (f" ({detail})" if detail else ""),
    "replayed": lambda *_: "put back, to be decided on again",
    "released": lambda rule, _: f"let go by rule {rule}, which is over; to be decided on again",
    "answered": _answered,
    "acted": lambda verb, detail: f"{DONE.get(verb, verb)} in PagerDuty by Tocsin: incident {detail}",
    **ESCALATION_WORDS,
    "lost": lambda *_: "Redis had lost everything: a new data set begins",
    "rebuilt": lambda place, incident: (
        f"found open at PagerDuty as incident {incident}, and rebuilt as sent to {place}"
    ),
    "swept": lambda *_: "found waiting without a due time, and given one",
}
