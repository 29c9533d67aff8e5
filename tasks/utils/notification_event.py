"""A bundle as one growing alert of PagerDuty's Events API v2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.utils.formatters import cut_text, json_bytes
from tasks.utils.notification_document import shortened
from tasks.utils.notification_facts import labels, line, links, newest_first, telling_labels, worst
from tasks.utils.notification_words import iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tasks.utils.bundles import Bundle, Member
    from tasks.utils.template_values import Facts

MOST_SUMMARY_CHARACTERS: Final = 1_024
MOST_SOURCE_CHARACTERS: Final = 1_024
MOST_KEY_CHARACTERS: Final = 1_024
MOST_LINKS: Final = 10
MOST_MEMBER_BYTES: Final = 49_152  # of all members together: an event of a group stays far below PagerDuty's 512 KB
MOST_DETAIL_BYTES: Final = 49_152  # of the details of a group of one


def event(bundle: Bundle, facts: Facts, summary: str, note: str) -> dict[str, Any]:
    """The body, without its routing key. The summary is what people read first."""
    members = newest_first(bundle)
    body: dict[str, Any] = {
        "event_action": bundle.action,
        "dedup_key": bundle.dedup_key,
        "payload": {
            "summary": summary,
            "source": _source(bundle, members, facts)[:MOST_SOURCE_CHARACTERS],
            "severity": worst(bundle),
            "timestamp": iso(members[0].at if members else bundle.at),
        },
    }
    if bundle.service:
        body["payload"]["group"] = line(bundle.service)
    if bundle.action == "trigger":
        body["payload"]["custom_details"] = _details(bundle, members, facts, note)
        body.update(_ways_on(members))
    return body


def _source(bundle: Bundle, members: list[Member], facts: Facts) -> str:
    sources = list(dict.fromkeys(line(member.source) for member in members if member.source.strip()))
    return ", ".join(sources[:5]) or facts["where"].strip() or line(bundle.service) or "unknown"


def _details(bundle: Bundle, members: list[Member], facts: Facts, note: str) -> dict[str, Any]:
    details: dict[str, Any] = {"group": dict(labels(bundle.group))} if bundle.group else {}
    details["counts"] = {
        name: facts[name] for name in ("open", "new", "acknowledged", "resolved", "came_and_went") if facts[name]
    }
    if len(members) == 1:
        details["details"] = shortened(members[0].details, MOST_DETAIL_BYTES)
    listed = _fitting(_entry(member) for member in members)
    details["alerts"] = listed
    if len(listed) < len(members):
        details["more"] = len(members) - len(listed)
        details["also"] = [_key(member) for member in members[len(listed) :]]  # each is named, if only by its key
    return {**details, "note": note} if note else details


def _entry(member: Member) -> dict[str, Any]:
    entry = {
        "at": iso(member.at),
        "action": member.action,
        "severity": member.severity,
        "summary": line(member.summary),
        "source": line(member.source),
        "event_id": member.event_id,
        "dedup_key": _key(member),
        "labels": dict(telling_labels(member.labels)),
        "links": [link["href"] for link in links(member)],
    }
    return {name: value for name, value in entry.items() if value}


def _key(member: Member) -> str:
    """As it is: after a loss of Redis the alert is known again by it."""
    return cut_text(member.dedup_key, MOST_KEY_CHARACTERS)


def _fitting(entries: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first entries that fit into the room there is; one at least."""
    room = MOST_MEMBER_BYTES
    fitting: list[dict[str, Any]] = []
    for entry in entries:
        room -= json_bytes(entry)
        if room < 0 and fitting:
            break
        fitting.append(entry)
    return fitting


def _ways_on(members: list[Member]) -> dict[str, Any]:
    """Links of the members, each once, and whose page it was if it was the same for all."""
    found: dict[str, dict[str, str]] = {}
    for member in members[:50]:
        for link in links(member):
            found.setdefault(link["href"], {"href": link["href"], "text": link["text"] or line(member.summary)[:80]})
    clients = {(line(member.client), member.client_url) for member in members if member.client}
    client, url = clients.pop() if len(clients) == 1 else ("Tocsin", "")
    more: dict[str, Any] = {"client": client, **({"client_url": url} if url else {})}
    return {**more, **({"links": list(found.values())[:MOST_LINKS]} if found else {})}
