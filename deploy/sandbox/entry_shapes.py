from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deploy.sandbox.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Collection

    from deploy.sandbox.journal import Entry
    from deploy.sandbox.references import References

# What `is_overview` keeps: the changes to the incident, without calls, notes and repeated triggers.
OVERVIEW = frozenset(
    {
        "trigger_log_entry",
        "acknowledge_log_entry",
        "unacknowledge_log_entry",
        "assign_log_entry",
        "delegate_log_entry",
        "escalate_log_entry",
        "exhaust_escalation_path_log_entry",
        "repeat_escalation_path_log_entry",
        "resolve_log_entry",
        "snooze_log_entry",
        "urgency_change_log_entry",
    }
)


def entry_json(names: References, entry: Entry, include: Collection[str] = ("channels",)) -> dict[str, Any]:
    """A log entry as the REST API shapes it. Without `channels` the channel only names its type."""
    incident = entry.incident
    shown: dict[str, Any] = {
        **names.entry(entry),
        "type": entry.kind,
        "created_at": timestamp(entry.at),
        "agent": names.actor(entry.agent),
        "channel": _channel(names, entry) if "channels" in include else {"type": _channel_type(entry)},
        "service": names.to("service", incident.service_id),
        "incident": names.incident(incident),
        "teams": names.teams(incident),
        "contexts": list(entry.alert.trigger.contexts) if entry.alert else [],
        **_kind_fields(names, entry),
    }
    if "services" in include:
        shown["service"] = names.whole("service", incident.service_id)
    if "teams" in include:
        shown["teams"] = [names.whole("team", team["id"]) for team in shown["teams"]]
    return shown


def notification_json(names: References, entry: Entry) -> dict[str, Any]:
    """The call that a notify entry stands for."""
    user = names.store.get("users", entry.more["user"]) or {}
    return {
        "id": f"N{entry.number:013d}",
        "type": "email_notification",
        "started_at": timestamp(entry.at),
        "address": user.get("email") or "",
        "status": "success",
        "user": names.to("user", entry.more["user"]),
    }


def _channel_type(entry: Entry) -> str:
    given = entry.more.get("channel")
    return str(given["type"]) if given else entry.agent.channel


def _channel(names: References, entry: Entry) -> dict[str, Any]:
    given = entry.more.get("channel")
    if given:
        return dict(given)
    if entry.kind == "notify_log_entry":
        return {"type": entry.agent.channel, "notification": notification_json(names, entry)}
    alert = entry.alert
    if alert is None:
        return {"type": entry.agent.channel}
    trigger = entry.more.get("trigger") or alert.trigger  # each entry shows the event that it was made for
    return {
        "type": "api",
        "summary": trigger.summary,
        "service_key": alert.integration.routing_key,
        "description": trigger.summary,
        "incident_key": alert.dedup_key,
        "details": trigger.details or {},
    }


def _kind_fields(names: References, entry: Entry) -> dict[str, Any]:
    more = entry.more
    shown: dict[str, Any] = {"event_details": {"description": entry.alert.trigger.summary}} if entry.alert else {}
    if "assignees" in more:
        shown["assignees"] = [names.to("user", user) for user in more["assignees"]]
    if "user" in more:
        shown["user"] = names.to("user", more["user"])
    if "acknowledgement_timeout" in more:
        shown["acknowledgement_timeout"] = more["acknowledgement_timeout"]
    if "until" in more:
        shown["changed_actions"] = [{"type": "unacknowledge", "at": timestamp(more["until"])}]
    if "note" in more:
        shown["note"] = more["note"]
    return shown
