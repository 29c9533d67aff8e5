"""Groups after a loss: whose incident PagerDuty still has open, and whose members only it can name."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

from tasks.incidents.grouped import GROUP, STORM
from tasks.incidents.sightings import Sighting
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.incidents.grouped import Membership, Story
    from tasks.incidents.owners import Owner, Owners, Place
    from tasks.incidents.sightings import Incident, Reader
    from tasks.utils.keys import Keys
    from tasks.utils.scripts import Call

SUMMARIES = "5000 500 0 0"  # as in lua/lib/storm.lua
ENDS = {"resolve": "over", "acknowledge": "acknowledged"}


class Home(NamedTuple):
    """Where a group lives: the place that has its incident, its destination, and the service its alerts are of ('' = several)."""

    place: Place
    destination: str
    service: str = ""


class Regrouped(NamedTuple):
    """What came of one group: the script's word for each member, the uids of those made known, whether all members are known."""

    words: Sequence[str]
    uids: Sequence[str]
    is_whole: bool


class Regrouper:
    """Makes groups known again, once for each incident and data set."""

    def __init__(self, client: Any, keys: Keys, owners: Owners) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._owners = owners

    def is_due(self, incident: Incident, alert: Sighting) -> bool:
        """Whether the incident is that of a group, from before this data set, and has not been read yet."""
        if not alert.key.startswith(GROUP):
            return False
        epoch = int(self._client.get(self._keys.epoch) or 0)
        known = self._client.hget(self._keys.alert(alert.key.removeprefix(GROUP)), "regrouped")
        return incident.created < epoch and incident.id not in (known or "").split()

    def regroup(self, incident: Incident, alert: Sighting, reader: Reader, *, only_say: bool) -> Regrouped | None:
        """Put every member that PagerDuty names into its group; None where nobody can tell whose group it is, or who is in it."""
        story = reader.story(incident.id)
        home = self._home(alert, story.labels)
        if home is None or all(one.action == "resolve" for one in story.members):
            return None
        found = [(one, owner) for one in story.members for owner in self._owners_of(one, alert, home)]
        asked = [self._asked(incident, alert, one, owner, home) for one, owner in found]
        calls: list[Call] = [("rebuild", json.dumps(one), "1" if only_say else "") for one in asked]
        is_whole = story.is_whole and len({one.key for one, _ in found}) == len(story.members)
        # The members first: while the group has none but newer ones, it would end with them.
        words = [str(word) for word in self._scripts.run_many(calls)]
        if not only_say:
            self._scripts.run(
                "rebuild_group", json.dumps(self._group(incident, alert, story, home)), "" if is_whole else "1"
            )
        return Regrouped(words, [one["uid"] for one in asked], is_whole)

    def _home(self, alert: Sighting, labels: Mapping[str, str]) -> Home | None:
        """The one destination whose group of these labels has this key."""
        group = alert.key.removeprefix(GROUP)
        for place in self._owners.places(alert.key_id):
            if self._owners.group(place.destination, labels) == group:
                return Home(place, place.destination)
            service, severity = labels.get("service", ""), labels.get("severity", "")
            destination = f"{place.destination}{STORM}"
            if _short_sha1(f"{destination}>{service}>{severity}") == group:
                return Home(place, destination, service)
        return None

    def _owners_of(self, member: Membership, alert: Sighting, home: Home) -> list[Owner]:
        sighting = _sighting(member, alert)
        owners = self._owners.among(sighting, home.place)
        return [owner for owner in owners if home.service in ("", owner.service)]

    def _asked(
        self, incident: Incident, alert: Sighting, member: Membership, owner: Owner, home: Home
    ) -> dict[str, Any]:
        uid, place = owner.uid(member.key), owner.place_uid(member.key)
        is_acknowledged = incident.status == "acknowledged" or member.action == "acknowledge"
        return {
            "uid": uid,
            "service": owner.service,
            "dedup_key": member.key,
            "status": "acknowledged" if is_acknowledged else "open",
            "is_over": member.action == "resolve",
            "created": member.at or incident.created,
            "destination": home.destination,
            "place": place
            if home.destination == home.place.destination
            else _short_sha1(f"{place}>{home.destination}"),
            "group": alert.key.removeprefix(GROUP),
            "channel": home.place.channel,
            "key_id": alert.key_id,
            "incident": incident.id,
            "event": f"rebuilt:{incident.id}:{uid}",
            "labels": self._owners.labels(owner, _sighting(member, alert)),
        }

    def _group(self, incident: Incident, alert: Sighting, story: Story, home: Home) -> dict[str, Any]:
        is_storm = home.destination.endswith(STORM)
        return {
            "group": alert.key.removeprefix(GROUP),
            "destination": home.destination,
            "spec": SUMMARIES if is_storm else self._owners.spec(home.destination),
            "labels": json.dumps(dict(story.labels)),
            "is_storm": is_storm,
            "severity": alert.severity,
            "channel": home.place.channel,
            "key_id": alert.key_id,
            "incident": incident.id,
            "created": incident.created,
        }


def _sighting(member: Membership, alert: Sighting) -> Sighting:
    said = member.entry
    return Sighting(
        key=member.key,
        key_id=alert.key_id,
        created=member.at,
        summary=str(said.get("summary") or ""),
        severity=str(said.get("severity") or alert.severity),
        details=said.get("labels"),
    )


def _short_sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:32]
