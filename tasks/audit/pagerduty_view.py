"""PagerDuty's audit records: as an entry of our record, and as an act; pure."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tasks.audit.act_models import ActView
from tasks.audit.judge import as_datetime
from tasks.utils.acts import ActEntry
from tasks.utils.redaction import redacted

if TYPE_CHECKING:
    from tasks.utils.ledger import Entry

PREFIX: Final = "pagerduty."
_encode: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def entry_of_record(record: dict[str, Any]) -> ActEntry:
    """The entry for one of PagerDuty's records: whole, under its own id and time."""
    at = datetime.fromisoformat(str(record["execution_time"]))
    kept = {name: value for name, value in record.items() if value is not None}
    if "details" in kept:
        kept["details"] = json.loads(redacted(_encode(kept["details"])))  # old and new values of fields may be keys
    return ActEntry(
        str(record["id"]),
        str(record.get("action", "")),
        _name(record.get("root_resource")),
        _encode(kept),
        round(at.timestamp() * 1000),
    )


def pagerduty_view(entry: Entry) -> ActView:
    """An entry of that record as an act."""
    record = json.loads(entry.detail or "{}")
    actors = record.get("actors") or []
    context, details = record.get("execution_context") or {}, record.get("details") or {}
    changed = [str(each.get("name")) for each in details.get("fields") or []]
    touched = _name(details.get("resource"))
    detail = {
        "fields": changed,
        "touched": touched if touched != entry.reason else "",
        "method": _method(record.get("method")),
    }
    return ActView(
        id=entry.event,
        source="pagerduty",
        at=as_datetime(entry.at),
        action=PREFIX + entry.step,
        object=entry.reason,
        outcome="ok",
        actor_kind=_kind(actors[0]) if actors else "",
        actor=", ".join(str(each.get("summary") or each.get("id")) for each in actors),
        origin=str(context.get("remote_address") or ""),
        correlation=str(context.get("request_id") or ""),
        detail={name: value for name, value in detail.items() if value},
    )


def _name(reference: dict[str, Any] | None) -> str:
    return f"{_kind(reference)}/{reference.get('id', '')}" if reference else ""


def _kind(reference: dict[str, Any]) -> str:
    return str(reference.get("type", "")).removesuffix("_reference")


def _method(method: dict[str, Any] | None) -> str:
    """How it was done: browser, oauth, or which API token by its last characters."""
    return " ".join(str(each) for each in ((method or {}).get("type"), (method or {}).get("truncated_token")) if each)
