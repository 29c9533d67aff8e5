"""The steps of one comparison with PagerDuty: what it shows is taken in page by page, then what it did not show is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import structlog

from tasks.incidents.grouped import GROUP
from tasks.incidents.ours import OpenAlerts
from tasks.incidents.regroup import Regrouper
from tasks.utils.error_handler import TocsinError
from tasks.utils.rest.errors import NotFoundError, ThrottledError
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.incidents.ours import Name, Ours
    from tasks.incidents.owners import Owner, Owners
    from tasks.incidents.regroup import Regrouped
    from tasks.incidents.sightings import Incident, Reader, Sighting
    from tasks.incidents.sync_models import SyncReport
    from tasks.utils.keys import Keys
    from tasks.utils.scripts import Call

log = structlog.get_logger("tocsin.sync")

COUNTED = {
    "joined": "rebuilt",
    "rebuilt": "rebuilt",
    "resolved_again": "resolved_again",
    "known": "known",
    "ended": "ended_here",
    "over": "closed",
}
MOST_NAMED = 20
NEW = ("rebuilt", "joined")
SLACK_MS = 2000  # by which two clocks may differ, as in lua/lib/answer.lua
CHANGES = {"seen": "seen", "acknowledged": "acknowledged", "resolved": "closed"}


Answers = Callable[[Sequence[Mapping[str, Any]]], Sequence[Collection[str]]]
"""Takes in what PagerDuty says of incidents, and says what each changed; see `take_in` in `tasks.webhooks.answers`."""


class Comparison:
    """One run's steps; what comes of them is counted in `report`."""

    def __init__(
        self, client: Any, keys: Keys, owners: Owners, answers: Answers, report: SyncReport, began: int
    ) -> None:
        self._scripts = Scripts(client, keys)
        self._open = OpenAlerts(client, keys)
        self._owners = owners
        self._answers = answers
        self._report = report
        self._began = began
        self._ours: dict[Name, Ours] = {}
        self._regrouper = Regrouper(client, keys, owners)

    def look_at_ours(self, before: int) -> None:
        """Read what is open here, and was sent before that moment (ms): later sends PagerDuty need not show yet."""
        for one in self._open.all():
            self._report.ours += 1
            if one.last < before:
                self._ours[one.name] = one

    def take(self, incidents: Sequence[Incident], reader: Reader) -> list[str]:
        """Take in open incidents; the uids of alerts that are made known again."""
        self._report.incidents += len(incidents)
        alerts = [(incident, alert) for incident in incidents for alert in incident.alerts]
        regrouped = self._regroup(alerts, reader)
        known = self._open.names_of({alert.key for _, alert in alerts})
        strangers = [(incident, alert) for incident, alert in alerts if not self._is_known(alert, known)]
        owners = self._owners.of([alert for _, alert in strangers])
        ours = {incident.id for incident, alert in alerts if self._is_known(alert, known)}
        self._report.known += len(alerts) - len(strangers)
        rebuilt = regrouped
        for (incident, alert), found in zip(strangers, owners, strict=True):
            if found and alert.key.startswith(GROUP):
                continue
            words = self._rebuild(incident, alert, found)
            rebuilt += [owner.uid(alert.key) for owner, word in zip(found, words, strict=True) if word in NEW]
            if set(words) - {"ended"}:
                ours.add(incident.id)
        self._answer([incident for incident in incidents if incident.id in ours])
        return rebuilt

    def doubtful(self, most: int) -> list[Ours]:
        """Alerts that PagerDuty has not shown although it should: those sent longest ago first."""
        left = self._open.there(sorted(self._ours.values(), key=lambda one: one.last))
        self._report.unasked = len(left)
        return left[:most]

    def ask(self, one: Ours, reader: Reader) -> bool:
        """Ask what became of an alert's incident; False if no more may be asked now. It counts as over only if PagerDuty says so."""
        try:
            incident = _find(one, reader)
        except ThrottledError:
            return False  # the share is spent: the others have their turn in the next run
        self._report.unasked -= 1
        if incident is None:
            self._report.missing += 1
            return True
        self._report.still_open += incident.status != "resolved"
        self._answer([incident])
        if incident.status == "resolved":
            self._say_again(one, incident)
        return True

    def _say_again(self, one: Ours, over: Incident) -> None:
        """Say once more what is open here although its incident is over: PagerDuty lost what came since.

        Harmless where PagerDuty only lagged behind: a repeat of what is open there is merged.
        """
        alert = self._open.last_word(one)
        if alert is None or self._report.dry_run:
            return
        ids = (f"sync:{one.uid}:{self._began}", f"pagerduty:{over.id}:{over.changed}:{one.uid}:resolve")
        told = self._scripts.run("say_again", one.uid, one.key_id, one.last, *ids, json.dumps(alert))
        self._report.said_again += int(told)

    def _is_known(self, alert: Sighting, known: Mapping[str, Sequence[Name]]) -> bool:
        """Whether it is open here; then it needs no more asking."""
        names = [(key_id, alert.key) for key_id, _ in known.get(alert.key, ()) if alert.key_id in ("", key_id)]
        for name in names:
            self._ours.pop(name, None)
        return bool(names)

    def _regroup(self, alerts: Sequence[tuple[Incident, Sighting]], reader: Reader) -> list[str]:
        """Put the members of groups from before the loss back into them; the uids of those that were not known here.

        A group some of whose members cannot be told is left open, and named: to close it too early would be worse.
        """
        rebuilt: list[str] = []
        for incident, alert in alerts:
            if not self._owners.knows(alert.key_id) or not self._regrouper.is_due(incident, alert):
                continue
            done = self._read_group(incident, alert, reader)
            if (done is None or not done.is_whole) and len(self._report.groups) < MOST_NAMED:
                self._report.groups.append(f"#{incident.number} {alert.summary[:100]}")
            for uid, word in zip(done.uids, done.words, strict=True) if done else ():
                self._count(COUNTED[word])
                rebuilt += [uid] if word in NEW else []
        return rebuilt

    def _read_group(self, incident: Incident, alert: Sighting, reader: Reader) -> Regrouped | None:
        """One group; None where its log cannot be read now: that is tried again with the next run, and holds nobody else up."""
        try:
            return self._regrouper.regroup(incident, alert, reader, only_say=self._report.dry_run)
        except TocsinError as error:
            log.warning("group_not_read", incident=incident.number, error=type(error).__name__, detail=str(error))
            return None

    def _rebuild(self, incident: Incident, alert: Sighting, owners: Sequence[Owner]) -> list[str]:
        if not owners:
            self._report.foreign += 1
            return []
        flag = "1" if self._report.dry_run else ""
        calls: list[Call] = [("rebuild", json.dumps(self._told(incident, alert, owner)), flag) for owner in owners]
        words = [str(word) for word in self._scripts.run_many(calls)]
        for word in words:
            self._count(COUNTED[word])
        return words

    def _told(self, incident: Incident, alert: Sighting, owner: Owner) -> dict[str, Any]:
        uid = owner.uid(alert.key)
        return {
            "uid": uid,
            "service": owner.service,
            "dedup_key": alert.key,
            "status": "acknowledged" if incident.status == "acknowledged" else "open",
            "created": alert.created,
            "destination": owner.place.destination,
            "place": owner.place_uid(alert.key),
            "channel": owner.place.channel,
            "key_id": alert.key_id,
            "incident": incident.id,
            "event": f"rebuilt:{incident.id}:{uid}",
            "labels": self._owners.labels(owner, alert),
        }

    def _answer(self, incidents: Sequence[Incident]) -> None:
        if self._report.dry_run:
            self._report.closed += sum(incident.status == "resolved" for incident in incidents)
            return
        said = [said for one in incidents for said in _said(one)]
        for changes in self._answers(said) if said else ():
            for change in changes:
                self._count(CHANGES.get(change, ""))

    def _count(self, name: str) -> None:
        if name:
            setattr(self._report, name, getattr(self._report, name) + 1)


def _find(one: Ours, reader: Reader) -> Incident | None:
    """What became of it: the incident it is known by, else, or where that was over before its newest trigger, the newest of its key."""
    if one.incident:
        try:
            incident = reader.get(one.incident, one.key_id, one.wire)
        except NotFoundError:
            return None
        if not _is_from_before(one, incident):
            return incident
    found = [incident for incident in reader.of_key(one.wire) if _has(incident, one)]
    return max(found, key=lambda incident: incident.number, default=None)


def _is_from_before(one: Ours, incident: Incident) -> bool:
    return incident.status == "resolved" and incident.changed + SLACK_MS < one.last


def _has(incident: Incident, one: Ours) -> bool:
    return any((alert.key_id, alert.key) == one.name for alert in incident.alerts)


def _said(incident: Incident) -> list[dict[str, Any]]:
    """What it says, behind what it says of those that went into it."""
    keys = tuple(alert.key for alert in incident.alerts)
    ways = pairwise((*incident.merged, incident))
    return [*(_told(one, keys) | {"merged_into": into.id} for one, into in ways), _told(incident, keys)]


def _told(incident: Incident, keys: tuple[str, ...]) -> dict[str, Any]:
    return {
        "incident_id": incident.id,
        "keys": keys,
        "status": incident.status,
        "at": incident.changed,
        "number": incident.number,
        "opened_at": incident.created,
        "html_url": incident.url,
        "service_id": incident.service_id,
        "source": "sync",
    }
