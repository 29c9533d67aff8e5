"""What each verb asks of PagerDuty, how much of it goes into one call, and how to see that an unanswered call has worked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.parameters import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tasks.incidents.models import Wish
    from tasks.incidents.rows import Step
    from tasks.utils.rest.client import RestClient

Incident = dict[str, Any]

MOST_A_CALL: Final = 250  # PagerDuty refuses more
SLACK: Final = timedelta(minutes=2)  # by which PagerDuty's clock may be behind ours


class CannotTellError(PermanentError):
    """Nobody can see whether a call has worked whose answer was lost."""


class Deed(Protocol):
    """One thing to do to incidents."""

    most: int
    """Incidents in one call."""
    must_look: bool
    """Whether doing it twice does more than doing it once, so that one looks before it is repeated."""

    def carry_out(self, ids: Sequence[str]) -> Sequence[Incident]:
        """Do it; the incidents as PagerDuty answers with them, as far as it does."""
        ...

    def was_done(self, incident_id: str, since: datetime) -> bool:
        """Whether a call begun at that time has worked, whose answer nobody heard."""
        ...


class Change:
    """The same change of many incidents."""

    most = MOST_A_CALL
    must_look = False

    def __init__(self, rest: RestClient, sender: str | None, change: Mapping[str, Any]) -> None:
        self._rest = rest
        self._sender = sender
        self._change = change
        self.changes_anything = bool(change)

    def carry_out(self, ids: Sequence[str]) -> Sequence[Incident]:
        """Change them."""
        return self._rest.incidents.update_many(({"id": one, **self._change} for one in ids), sender=self._sender)

    def was_done(self, incident_id: str, since: datetime) -> bool:
        """Not asked: it does no harm to do it again."""
        del incident_id, since
        return False


class Merge:
    """Incidents that go into another one."""

    most = 100
    must_look = True

    def __init__(self, rest: RestClient, sender: str | None, into: str) -> None:
        self._rest = rest
        self._sender = sender
        self._into = into

    def carry_out(self, ids: Sequence[str]) -> Sequence[Incident]:
        """Merge them. PagerDuty answers with the one they went into."""
        self._rest.incidents.merge(self._into, list(ids), sender=self._sender)
        return ()

    def was_done(self, incident_id: str, since: datetime) -> bool:
        """Whether it is resolved because it went in there."""
        del since
        reason = self._rest.incidents.get(incident_id).get("resolve_reason") or {}
        return bool((reason.get("incident") or {}).get("id") == self._into)


class Snooze:
    """One incident that stays quiet for a while."""

    most = 1
    must_look = True

    def __init__(self, rest: RestClient, sender: str | None, span: timedelta) -> None:
        self._rest = rest
        self._sender = sender
        self._span = span

    def carry_out(self, ids: Sequence[str]) -> Sequence[Incident]:
        """Snooze it."""
        (incident_id,) = ids
        return (self._rest.incidents.snooze(incident_id, self._span, sender=self._sender),)

    def was_done(self, incident_id: str, since: datetime) -> bool:
        """Whether it wakes up no earlier than it was to."""
        wakes = since + self._span - SLACK
        pending = self._rest.incidents.get(incident_id).get("pending_actions") or []
        return any(one.get("type") == "unacknowledge" and moment(one["at"]) >= wakes for one in pending)


class Note:
    """A note on one incident."""

    most = 1
    must_look = True

    def __init__(self, rest: RestClient, sender: str | None, content: str) -> None:
        self._rest = rest
        self._sender = sender
        self._content = content

    def carry_out(self, ids: Sequence[str]) -> Sequence[Incident]:
        """Leave it."""
        (incident_id,) = ids
        self._rest.incidents.add_note(incident_id, self._content, sender=self._sender)
        return ()

    def was_done(self, incident_id: str, since: datetime) -> bool:
        """Whether there is such a note since then."""
        return any(
            note.get("content") == self._content and moment(note["created_at"]) >= since - SLACK
            for note in self._rest.incidents.notes(incident_id)
        )


class StatusUpdate:
    """News for those who have subscribed to one incident."""

    most = 1
    must_look = True

    def __init__(self, rest: RestClient, sender: str | None, message: str) -> None:
        self._rest = rest
        self._sender = sender
        self._message = message

    def carry_out(self, ids: Sequence[str]) -> Sequence[Incident]:
        """Publish it."""
        (incident_id,) = ids
        self._rest.incidents.status_update(incident_id, self._message, sender=self._sender)
        return ()

    def was_done(self, incident_id: str, since: datetime) -> bool:
        """PagerDuty does not tell. Raises CannotTellError: better that somebody looks than that all subscribers are told twice."""
        del incident_id, since
        raise CannotTellError(
            "PagerDuty's answer was lost, so subscribers may have got the news or not; ask one, and send it again if not"
        )


class Create:
    """A new incident. Its key makes it one, however often it is asked for."""

    most = 1
    must_look = False

    def __init__(self, rest: RestClient, sender: str | None, incident: Incident) -> None:
        self._rest = rest
        self._sender = sender
        self._incident = incident

    def carry_out(self, ids: Sequence[str]) -> Sequence[Incident]:
        """Create it, or find the open one of that key."""
        del ids
        return (self._rest.incidents.create(self._incident, sender=self._sender),)

    def was_done(self, incident_id: str, since: datetime) -> bool:
        """Not asked: the key tells."""
        del incident_id, since
        return False


def deed_of(rest: RestClient, wish: Wish, sender: str | None, into: str, key: str) -> Deed:
    """What a wish comes down to. `into`: the id of the incident of a merge. `key`: of a new incident that was given none."""
    makers: dict[str, Callable[[], Deed]] = {
        "create": lambda: Create(rest, sender, new_incident(wish, key)),
        "update": lambda: Change(rest, sender, changes(wish)),
        "acknowledge": lambda: Change(rest, sender, {"status": "acknowledged"}),
        "resolve": lambda: Change(rest, sender, {"status": "resolved"}),
        "merge": lambda: Merge(rest, sender, into),
        "snooze": lambda: Snooze(rest, sender, timedelta(seconds=wish.seconds)),
        "note": lambda: Note(rest, sender, wish.note),
        "reassign": lambda: Change(rest, sender, assignment(wish)),
    }
    return makers[wish.verb]()


def new_incident(wish: Wish, key: str) -> Incident:
    """The body of a new incident."""
    incident: Incident = {
        "type": "incident",
        "title": wish.title,
        "service": {"id": wish.service, "type": "service_reference"},
        "incident_key": wish.key or key,
        **changes(wish.model_copy(update={"title": ""})),
        **assignment(wish),
    }
    if wish.body:
        incident["body"] = {"type": "incident_body", "details": wish.body}
    return incident


def changes(wish: Wish) -> dict[str, Any]:
    """What an update changes."""
    told: dict[str, Any] = {}
    if wish.title:
        told["title"] = wish.title
    if wish.urgency:
        told["urgency"] = wish.urgency
    if wish.priority:
        told["priority"] = {"id": wish.priority, "type": "priority_reference"}
    if wish.escalation_level:
        told["escalation_level"] = wish.escalation_level
    return told


def assignment(wish: Wish) -> dict[str, Any]:
    """Who is to have it from now on."""
    if wish.escalation_policy:
        return {"escalation_policy": {"id": wish.escalation_policy, "type": "escalation_policy_reference"}}
    if wish.users:
        return {"assignments": [{"assignee": {"id": user, "type": "user_reference"}} for user in wish.users]}
    return {}


def begun(step: Step) -> datetime:
    """When a step was begun."""
    return datetime.fromtimestamp(step.at / 1000, UTC)
