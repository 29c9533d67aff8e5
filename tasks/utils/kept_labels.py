"""The labels of an alert as Redis keeps them, for previews, lists and messages: those left out that its other rows tell anyway."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PAYLOAD_FIELDS: Final = ("summary", "source", "severity", "component", "group", "class")
MOST_LABELS: Final = 40
LABEL_CHARACTERS: Final = 256
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode
KNOWN_ANYWAY: Final = ("service", "dedup_key", "action")  # of a trigger, the only event whose labels are kept


def keep(labels: Mapping[str, str]) -> str:
    """A trigger's labels as they are kept: not too many, long ones cut."""
    kept = [(name, value) for name, value in labels.items() if name not in KNOWN_ANYWAY]
    cut = {name[:LABEL_CHARACTERS]: value[:LABEL_CHARACTERS] for name, value in kept[-MOST_LABELS:]}
    return _encode(cut)  # the alert's own fields stand last


def recall(kept: str, service: str, dedup_key: str) -> dict[str, str]:
    """The labels of that alert's last trigger; none where none were kept."""
    if not kept:
        return {}
    return {**json.loads(kept), "service": service, "dedup_key": dedup_key, "action": "trigger"}


def as_trigger(labels: Mapping[str, str]) -> dict[str, Any] | None:
    """The trigger those labels were of, as far as they tell; None where there are none. `said_again` in its details says why it comes."""
    if not labels.get("summary"):
        return None
    more = {name: value for name, value in labels.items() if name not in (*PAYLOAD_FIELDS, *KNOWN_ANYWAY, "client")}
    payload: dict[str, Any] = {name: labels[name] for name in PAYLOAD_FIELDS if name in labels}
    payload["custom_details"] = {**more, "said_again": "PagerDuty took this alert and shows no incident of it"}
    client = {"client": labels["client"]} if "client" in labels else {}
    return {
        "service": labels["service"],
        "event_action": "trigger",
        "dedup_key": labels["dedup_key"],
        "payload": payload,
        **client,
    }
