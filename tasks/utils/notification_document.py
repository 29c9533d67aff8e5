"""A bundle as JSON for programs: version 1. Fields may be added to it, none is taken away or changes its meaning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.utils.formatters import compact_json, cut_text, json_bytes, shrink_details, tame
from tasks.utils.notification_facts import labels, line, links, worst
from tasks.utils.notification_media import web_address
from tasks.utils.notification_words import iso

if TYPE_CHECKING:
    from tasks.utils.bundles import Bundle, Member
    from tasks.utils.template_values import Facts

VERSION: Final = 1
MOST_DETAIL_BYTES: Final = 262_144  # of all members together
LEAST_DETAIL_BYTES: Final = 3_000  # below that, `shrink_details` has only room for its note


def document(bundle: Bundle, facts: Facts, subject: str, text: str) -> dict[str, Any]:
    """The whole bundle, oldest member first as it came."""
    room = max(MOST_DETAIL_BYTES // max(len(bundle.members), 1), LEAST_DETAIL_BYTES)
    return {
        "version": VERSION,
        "id": bundle.id,
        "action": bundle.action,
        "status": facts["status"],
        "severity": worst(bundle),
        "subject": subject,
        "text": text,
        "service": bundle.service,
        "destination": bundle.destination,
        "channel": bundle.channel,
        "dedup_key": bundle.dedup_key,
        "group": tame(bundle.group),
        "open": facts["open"],
        "came_and_went": bundle.came_and_went,
        "is_reminder": bundle.is_reminder,
        "outage": _outage(bundle),
        "since": iso(bundle.since) if bundle.since else None,
        "at": iso(bundle.at),
        "members": [_member(member, room) for member in bundle.members],
    }


def _outage(bundle: Bundle) -> dict[str, Any] | None:
    outage = bundle.outage
    return (
        {
            "name": line(outage.name),
            "since": iso(outage.since),
            "is_forced": outage.is_forced,
            "is_silent": outage.is_silent,
        }
        if outage
        else None
    )


def _member(member: Member, room: int) -> dict[str, Any]:
    return {
        "event_id": member.event_id,
        "action": member.action,
        "summary": line(member.summary),
        "severity": member.severity,
        "source": line(member.source),
        "service": member.service,
        "dedup_key": member.dedup_key,
        "at": iso(member.at),
        "labels": dict(labels(member.labels)),
        "links": [dict(link) for link in links(member)],
        "client": line(member.client),
        "client_url": web_address(member.client_url),
        "details": shortened(member.details, room),
    }


def shortened(details: Any, room: int) -> Any:
    """Details in at most so many bytes; what is no mapping and too large becomes the beginning of its JSON."""
    tamed = tame(details)
    if json_bytes(tamed) <= room:
        return tamed
    return shrink_details(tamed, room) if isinstance(tamed, dict) else cut_text(compact_json(tamed), room // 4)
