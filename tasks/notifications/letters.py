"""Makes the message of an attempt: an event as it stands, or a bundle of news in the words its channel takes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

from config.sealing import MARK
from tasks.notifications.channels.protocol import Address, Message
from tasks.utils.bundles import Bundle, Member, Outage
from tasks.utils.kept_labels import recall
from tasks.utils.rows import service_of
from tasks.utils.scripts import Scripts
from tasks.utils.sealed_fields import SealedFields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tasks.utils.bundles import Notice
    from tasks.utils.keys import Keys
    from tasks.utils.rows import Attempt

SEVERITIES: Final = ("critical", "error", "warning", "info")


class Builder(Protocol):
    """Finds the words; see `tasks.utils.notification_builder`."""

    def notice(self, kind: str, bundle: Bundle, *, locale: str = "en", template: str = "") -> Notice:
        """A bundle in the words of one kind of channel."""
        ...

    def event(self, bundle: Bundle, *, locale: str = "en", template: str = "") -> dict[str, Any]:
        """A bundle as one growing alert, in wire shape."""
        ...


class Letters:
    """Writes messages. Reads the members of bundles; changes nothing."""

    def __init__(
        self,
        client: Any,
        keys: Keys,
        make_builder: Callable[[], Builder],
        names: Mapping[str, str] | None = None,
        fields: SealedFields | None = None,
    ) -> None:
        self._fields = fields or SealedFields({}, None)
        self._scripts = Scripts(client, keys)
        self._names = names or {}
        self._make_builder = make_builder

    @cached_property
    def _builder(self) -> Builder:
        """Made when words are first needed: most processes need none."""
        return self._make_builder()

    def message(self, attempt: Attempt, destination: str, address: Address) -> Message:
        """What goes out. The same news under the same id on every try."""
        content = self._opened(attempt.body)
        alert, notice = content, None
        if "bundle" in content or address.takes_words:
            bundle = self._bundle(attempt, destination, content)
            words = {name: address.options[name] for name in ("locale", "template") if address.options.get(name)}
            if address.takes_words:
                notice = self._builder.notice(address.kind, bundle, **words)
            else:
                alert = self._builder.event(bundle, **words)
        return Message(
            alert=alert,
            url=address.url,
            key=address.key(attempt.key_id),
            minimal=attempt.minimal,
            id=attempt.event_id,
            notice=notice,
            options=address.options,
        )

    def _bundle(self, attempt: Attempt, destination: str, content: Mapping[str, Any]) -> Bundle:
        sealed = content.get("bundle") or _bundle_of_one(attempt, content)
        found = self._found([name for name in sealed["members"].split("\n") if name])
        members = [_member(row[:7], self._opened(row[5])) for row in found]
        worst = min((SEVERITIES.index(m.severity) for m in members if m.severity in SEVERITIES), default=3)
        return Bundle(
            id=sealed["id"],
            service=service_of(destination),
            destination=destination,
            channel=attempt.channel,
            group=json.loads(sealed["labels"]),
            dedup_key=content["dedup_key"],
            action=attempt.action,
            members=members,
            open=sealed["open"],
            came_and_went=sealed["came_and_went"],
            is_reminder=sealed["is_reminder"],
            severity=sealed["severity"] or SEVERITIES[worst],
            outage=self._outage([sealed.get("down") or "", *(row[7] for row in found if row[1] == "trigger")]),
            since=_moment(sealed["since"]) if sealed.get("since") else None,
            at=_moment(sealed["at"]) if sealed["at"] else max((member.at for member in members), default=_moment("0")),
        )

    def _opened(self, body: str) -> Any:
        """An alert as it was kept, with what is kept encrypted readable: from here on it goes out."""
        content = json.loads(body)
        return self._fields.open(content) if MARK in body else content

    def _found(self, event_ids: Sequence[str]) -> list[Sequence[str]]:
        found = self._scripts.run("read_bundle", *event_ids) if event_ids else []
        return [row for row in found if row[1]]

    def _outage(self, told: Sequence[str]) -> Outage | None:
        """The first of what was down, from lines of endpoint, since when, and `forced` or `missed`."""
        outages = []
        for line in filter(None, told):
            endpoint, since, how = line.split(" ")
            name = self._names.get(endpoint, endpoint)
            outages.append(
                Outage(name=name, since=_moment(since), is_forced=how == "forced", is_silent=how == "missed")
            )
        return min(outages, key=lambda outage: outage.since, default=None)


def _bundle_of_one(attempt: Attempt, content: Mapping[str, Any]) -> dict[str, Any]:
    """An alert that is no group's, as the one member of a bundle."""
    is_over = content["event_action"] == "resolve"
    return {
        "id": attempt.event_id,
        "members": attempt.event_id.removeprefix("~"),
        "labels": "{}",
        "open": 0 if is_over else 1,
        "came_and_went": 0,
        "is_reminder": False,
        "severity": "",
        "at": "",
    }


def _member(row: Sequence[str], alert: Mapping[str, Any]) -> Member:
    """One piece of news. What an acknowledge or resolve leaves out is known from the alert's last trigger."""
    event_id, action, received, service, severity, _, kept = row
    payload = alert.get("payload") or {}
    dedup_key = alert.get("dedup_key", "")
    labels = recall(kept, service, dedup_key)
    return Member(
        event_id=event_id,
        action=action,
        summary=str(payload.get("summary") or labels.get("summary", "")),
        severity=severity if severity in SEVERITIES else labels.get("severity", "info"),
        source=str(payload.get("source") or labels.get("source", "")),
        service=service,
        dedup_key=dedup_key,
        at=_moment(received),
        labels=labels,
        links=[link for link in alert.get("links") or [] if isinstance(link, dict)],
        client=str(alert.get("client") or ""),
        client_url=str(alert.get("client_url") or ""),
        details=payload.get("custom_details"),
    )


def _moment(ms: str) -> datetime:
    return datetime.fromtimestamp(int(ms) / 1000, UTC)
