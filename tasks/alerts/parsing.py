"""What senders post, turned into alerts of the one wire shape (see `tasks.utils.validators`); pure functions."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.formatters import compact_json, tame
from tasks.utils.validators import SEVERITIES

# Words common in Prometheus rules. A word that is not here goes on as it is, so that the check replaces it by name.
SEVERITY_LABELS: Final[Mapping[str, str]] = {
    "page": "critical",
    "emergency": "critical",
    "fatal": "critical",
    "high": "critical",
    "major": "error",
    "warn": "warning",
    "medium": "warning",
    "minor": "warning",
    "low": "info",
    "informational": "info",
    "none": "info",
}
# Events v1's name of a field -> that of v2; without one it goes into the payload, or is split up.
_V1_FIELDS: Final[Mapping[str, str]] = {
    "event_type": "event_action",
    "incident_key": "dedup_key",
    "client": "client",
    "client_url": "client_url",
    "description": "",
    "details": "",
    "contexts": "",
}
_V1_WORDS: Final[Mapping[str, str]] = {
    "event_action": "event_type",
    "dedup_key": "incident_key",
    "payload.summary": "description",
    "links": "contexts",
    "images": "contexts",
}
_NO_TIME = "0001-"  # how Go writes a time that was never set


def from_event(body: Mapping[str, Any], service: str) -> dict[str, Any]:
    """The alert in an Events v2 body: its fields as they are, the routing key exchanged for the service's name."""
    return {
        "service": service,
        **{name: value for name, value in body.items() if name not in ("routing_key", "service")},
    }


def from_change(body: Mapping[str, Any], service: str) -> dict[str, Any]:
    """The change event in the body of PagerDuty's door for them; it has no action of its own, and a key is no use to it."""
    alert = from_event(body, service)
    alert.pop("dedup_key", None)
    return {**alert, "event_action": "change"}


def from_v1(body: Mapping[str, Any], service: str) -> dict[str, Any]:
    """The alert in an Events v1 body. Fields that v1 does not know are kept.

    v1 has neither source nor severity. The source is its `client`; the severity is critical, unless `details.severity`
    is one of PagerDuty's or one of `SEVERITY_LABELS`.
    """
    taken_over = {*_V1_FIELDS, *_V1_WORDS, "service_key", "service"}
    more = {name: value for name, value in body.items() if name not in taken_over}
    details = body.get("details")
    payload = {
        "summary": body.get("description"),
        "source": body["client"] if _is_text(body.get("client")) else "Events API v1",
        "severity": _v1_severity(details),
        **({"custom_details": details} if details not in (None, "", [], {}) else {}),
    }
    taken = {v2: body[v1] for v1, v2 in _V1_FIELDS.items() if v1 in body and v2}
    return {**more, "service": service, **taken, "payload": payload, **_v1_contexts(body.get("contexts"))}


def in_words_of_v1(errors: Sequence[str]) -> list[str]:
    """Errors of the check, with the fields called as v1 calls them."""
    told = []
    for error in errors:
        for v2, v1 in _V1_WORDS.items():
            error = error.replace(f"'{v2}'", f"'{v1}'")  # noqa: PLW2901 - one name after the other
        told.append(error)
    return told


def alertmanager_entries(body: object) -> list[object]:
    """The entries of an Alertmanager webhook body (version 4; Grafana's is alike); InvalidAlertError if it has none."""
    entries = body.get("alerts") if isinstance(body, dict) else None
    if not isinstance(entries, list):
        raise InvalidAlertError(["'alerts' is missing or no list; send the body of an Alertmanager webhook, version 4"])
    return entries


def from_alertmanager(entry: object, body: Mapping[str, Any], service: str) -> dict[str, Any]:
    """The alert that one entry of webhook body `body` stands for; InvalidAlertError if the entry has no labels.

    Whatever is not resolved counts as firing: of two mistakes a page too many is the better one.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("labels"), dict) or not entry["labels"]:
        raise InvalidAlertError(["'labels' is missing or empty; Alertmanager sends them with every alert"])
    labels, annotations = _texts(entry["labels"]), _texts(entry.get("annotations"))
    return {
        "service": service,
        "event_action": "resolve" if entry.get("status") == "resolved" else "trigger",
        "dedup_key": alertmanager_dedup_key(entry.get("fingerprint"), labels),
        "payload": {
            "summary": _summary(labels, annotations),
            "source": labels.get("instance") or labels.get("job") or "Alertmanager",
            "severity": _severity(labels.get("severity", "")),
            "custom_details": {"labels": labels, "annotations": annotations},
            **_where(labels),
            **_since(entry.get("startsAt")),
        },
        "client": "Alertmanager",
        **({"client_url": body["externalURL"]} if _is_text(body.get("externalURL")) else {}),
        **_source_link(entry.get("generatorURL")),
    }


def alertmanager_dedup_key(fingerprint: object, labels: Mapping[str, str]) -> str:
    """The key of one label set: its fingerprint, or a hash of the labels where a sender gives none.

    The group key is left out on purpose: it holds the route and the grouping, so an edit of Alertmanager's
    configuration would change it while the alert is open, and the resolve would then close nothing. Two
    Alertmanagers of one cluster, or two routes, give the same alert the same key: it pages once.
    """
    if _is_text(fingerprint):
        return f"alertmanager/{fingerprint}"
    return "alertmanager/" + hashlib.sha256(compact_json(sorted(labels.items())).encode()).hexdigest()[:32]


def _v1_severity(details: object) -> str:
    word = details.get("severity") if isinstance(details, dict) else None
    word = word.strip().lower() if isinstance(word, str) else ""
    return word if word in SEVERITIES else SEVERITY_LABELS.get(word, "critical")


def _v1_contexts(contexts: object) -> dict[str, Any]:
    """Links and images; a context that is neither is left out, as PagerDuty does."""
    items = [item for item in contexts if isinstance(item, dict)] if isinstance(contexts, list) else []
    links = [_but_type(item) for item in items if item.get("type") == "link"]
    images = [_but_type(item) for item in items if item.get("type") == "image"]
    return {**({"links": links} if links else {}), **({"images": images} if images else {})}


def _but_type(context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in context.items() if name != "type"}


def _texts(labels: object) -> dict[str, str]:
    if not isinstance(labels, dict):
        return {}
    tamed: dict[str, Any] = tame(labels)
    present = {name: value for name, value in tamed.items() if value is not None}
    return {name: value if isinstance(value, str) else compact_json(value) for name, value in present.items()}


def _summary(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    named = (annotations.get("summary"), annotations.get("description"), annotations.get("message"))
    return next((text for text in (*named, labels.get("alertname")) if text and text.strip()), "Alert without a name")


def _severity(label: str) -> str:
    # Without a label Alertmanager's own PagerDuty receiver says "error" too.
    return SEVERITY_LABELS.get(label.strip().lower(), label) if label.strip() else "error"


def _where(labels: Mapping[str, str]) -> dict[str, str]:
    wanted = {"class": "alertname", "component": "service", "group": "job"}
    return {field: labels[label] for field, label in wanted.items() if labels.get(label)}


def _since(started: object) -> dict[str, object]:
    return {"timestamp": started} if _is_text(started) and not str(started).startswith(_NO_TIME) else {}


def _source_link(url: object) -> dict[str, object]:
    return {"links": [{"href": url, "text": "Source of the alert"}]} if _is_text(url) else {}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
