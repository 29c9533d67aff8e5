"""What an alert that cannot be taken says of itself, as far as that can be told without checking it: the check may be what fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.formatters import tame
from tasks.utils.identifiers import alert_uid
from tasks.utils.validators import ACTIONS, MAX_DEDUP_KEY_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.alerts.acceptance import Incoming
    from tasks.utils.scripts import Call

NOT_KEPT: Final = "(not kept)"
SUMMARY_CHARACTERS: Final = 120


def refusal(one: Incoming, reason: str, detail: str, default_service: str) -> Call:
    """The script call that makes a dead letter of one alert."""
    raw = tame(one.raw)
    about = _about(raw, default_service) if isinstance(raw, dict) else ("",) * 5
    return ("refuse", one.id, json.dumps(_without_key(raw)), reason, detail, one.source, one.received, *about)


def _about(alert: Mapping[str, Any], default_service: str) -> tuple[str, str, str, str, str]:
    """Uid, service, action, severity and summary."""
    payload = alert.get("payload")
    words: Mapping[str, Any] = payload if isinstance(payload, dict) else {}
    action = alert.get("event_action")
    if action not in ACTIONS:
        return "", _text(alert.get("service")), "", _text(words.get("severity")), _text(words.get("summary"))
    service, key = _text(alert.get("service", default_service)), alert.get("dedup_key")
    is_known = service and isinstance(key, str) and 0 < len(key) <= MAX_DEDUP_KEY_CHARACTERS and action != "change"
    uid = alert_uid(service, str(key)) if is_known else ""
    return uid, service, str(action), _text(words.get("severity")), _text(words.get("summary"))


def _text(value: object) -> str:
    return value[:SUMMARY_CHARACTERS] if isinstance(value, str) else ""


def _without_key(raw: Any) -> Any:
    """A refused alert as it is kept: a routing key that should never have been in a message is not."""
    return {**raw, "routing_key": NOT_KEPT} if isinstance(raw, dict) and "routing_key" in raw else raw
