"""What an alert must have to be delivered, and what is mended by name instead of losing a page for a slip."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.formatters import cut_text, json_bytes, shrink_details, tame, tame_bytes

ACTIONS = ("trigger", "acknowledge", "resolve", "change")
SEVERITIES = ("critical", "error", "warning", "info")
MAX_SUMMARY_CHARACTERS = 1024
MAX_DEDUP_KEY_CHARACTERS = 10_000
MAX_SOURCE_CHARACTERS = 1024
MAX_SERVICE_CHARACTERS = 200
MAX_ALERT_BYTES = 512_000
_WIRE_RESERVE = 1_000  # routing key and an assigned dedup_key are added on the way out
_MOST_MENDED_BYTES = 1_000  # what mending may add: a source, a severity, an object around the details
_SMALLEST_DETAILS = 10_000
_MOST_FIELDS = 1_000  # of so many none is meant for PagerDuty, and sorting them would hold up the next alert
# Each of these is bounded by its own rule, so dropping the rest always suffices to fit.
_CORE = ("event_action", "service", "dedup_key", "payload", "summary", "source", "severity", "custom_details")

ADAPTATIONS: Mapping[str, str] = {
    "summary_cut": f"the summary was cut to {MAX_SUMMARY_CHARACTERS} characters",
    "severity_replaced": "the severity was unknown and became critical (known: critical, error, warning, info)",
    "source_filled": "the source was missing and became 'unknown'",
    "source_cut": f"the source was cut to {MAX_SOURCE_CHARACTERS} characters",
    "details_shrunk": "custom_details were shrunk to fit PagerDuty's limit of 512 KB",
    "details_wrapped": "custom_details were no object and were put into one",
    "fields_dropped": "optional fields that were unusable or too large were left out",
    "values_repaired": "values that JSON cannot carry were replaced",
}

_Rule = tuple[Callable[[Any], bool], str]  # does a value fit, and what it must be


@dataclass(frozen=True)
class CheckedAlert:
    """An alert fit for delivery, and the names (keys of `ADAPTATIONS`) of what was mended on the way."""

    alert: dict[str, Any]
    adaptations: tuple[str, ...]


def check_alert(raw: object) -> CheckedAlert:
    """The alert in its wire shape, mended where that loses nothing; InvalidAlertError names every field at fault.

    Wire shape: an Events v2 body with `service` in place of `routing_key`; unknown fields are kept. A change event has
    the action `change`, no dedup_key, and of the payload it needs the summary alone. Checking twice is harmless: an
    `adaptations` list left by an earlier check is taken over into the answer.
    """
    if not isinstance(raw, dict):
        raise InvalidAlertError(["an alert must be a JSON object with event_action, dedup_key and payload"])
    check = _Check(raw)
    check.run()
    if check.errors:
        raise InvalidAlertError(check.errors)
    check.fit()
    return CheckedAlert(check.alert, tuple(name for name in ADAPTATIONS if name in check.adaptations))


class _Check:
    """One pass over one alert: collects every error, mends what may be mended."""

    def __init__(self, raw: dict[Any, Any]) -> None:
        self.errors: list[str] = []
        self.adaptations: set[str] = set()
        self._came_with = tame_bytes(raw)
        self.alert: dict[str, Any] = dict(raw) if self._came_with is not None else self._tamed(raw)
        earlier = self.alert.pop("adaptations", None)
        self.adaptations.update(name for name in ADAPTATIONS if isinstance(earlier, list) and name in earlier)

    def _tamed(self, raw: dict[Any, Any]) -> dict[str, Any]:
        tamed: dict[str, Any] = tame(raw)
        self.adaptations.add("values_repaired")
        if tamed.get("dedup_key") != raw.get("dedup_key"):
            # A changed key would open a second incident or resolve none: the sender must know.
            self.errors.append("'dedup_key' holds characters that UTF-8 cannot carry; send whole characters")
        return tamed

    def run(self) -> None:
        action = self.alert.get("event_action")
        if action not in ACTIONS:
            fault = "is missing or blank" if action in (None, "") else "is unknown"
            self.errors.append(f"'event_action' {fault}; use trigger, acknowledge or resolve")
        self.is_trigger = action == "trigger"
        self.is_change = action == "change"
        self._service()
        if self.is_change:
            self.alert.pop("dedup_key", None)
        else:
            self._dedup_key()
        self._payload()
        self._optional(self.alert, "", _TOP_FIELDS)

    def _service(self) -> None:
        service = self.alert.get("service")
        if self.alert.pop("routing_key", None) is not None and service is None:
            self.errors.append("'routing_key' is not taken here; name the 'service' instead")
        if service is None:
            self.alert.pop("service", None)
        elif not isinstance(service, str) or not service.strip() or len(service) > MAX_SERVICE_CHARACTERS:
            self.errors.append("'service' must be the name of a service; leave it out for the default service")

    def _dedup_key(self) -> None:
        key = self.alert.get("dedup_key")
        if key is None or key == "":
            self.alert.pop("dedup_key", None)
            if self.alert.get("event_action") in ("acknowledge", "resolve"):
                self.errors.append("'dedup_key' is missing or blank; name the alert to acknowledge or resolve")
        elif not isinstance(key, str):
            self.errors.append("'dedup_key' must be text")
        elif len(key) > MAX_DEDUP_KEY_CHARACTERS:
            self.errors.append(f"'dedup_key' is too long (maximum is {MAX_DEDUP_KEY_CHARACTERS} characters)")

    def _payload(self) -> None:
        payload = self.alert.get("payload")
        if isinstance(payload, dict):
            self.payload = self.alert["payload"] = dict(payload)
        else:
            self.payload = {}
            self._refuse_or_drop(self.alert, "payload", "'payload' is missing or no object; give summary and source")
        self._optional(self.payload, "payload.", _PAYLOAD_FIELDS)
        self._summary()
        self._source()
        self._severity()
        self._details()

    def _summary(self) -> None:
        summary = self.payload.get("summary")
        if isinstance(summary, str) and summary.strip():
            self._cut("summary", MAX_SUMMARY_CHARACTERS)
        elif self.alert.get("payload") is not None:
            self._refuse_or_drop(self.payload, "summary", "'payload.summary' is missing, blank or no text")

    def _source(self) -> None:
        source = self.payload.get("source", "")
        if isinstance(source, str) and source.strip():
            self._cut("source", MAX_SOURCE_CHARACTERS)
        elif self.is_trigger and isinstance(source, str):
            self.payload["source"] = "unknown"
            self.adaptations.add("source_filled")

    def _cut(self, name: str, limit: int) -> None:
        if len(self.payload[name]) > limit:
            self.payload[name] = cut_text(self.payload[name], limit)
            self.adaptations.add(f"{name}_cut")

    def _details(self) -> None:
        details = self.payload.get("custom_details")
        if details is not None and not isinstance(details, dict):
            self.payload["custom_details"] = {"details": details}
            self.adaptations.add("details_wrapped")

    def _severity(self) -> None:
        severity = str(self.payload.get("severity")).strip().lower()
        if severity in SEVERITIES:
            self.payload["severity"] = severity
        elif self.is_change:
            return  # a change has none; what stands here is a field like any other
        elif self.is_trigger:
            self.payload["severity"] = "critical"
            self.adaptations.add("severity_replaced")
        elif self.payload.pop("severity", None) is not None:
            self.adaptations.add("fields_dropped")

    def _optional(self, part: dict[str, Any], path: str, fields: Mapping[str, _Rule]) -> None:
        for name, (fits, must) in fields.items():
            value = part.get(name)
            if value is None:
                part.pop(name, None)
            elif not fits(value):
                self._refuse_or_drop(part, name, f"'{path}{name}' must be {must}")

    def _refuse_or_drop(self, part: dict[str, Any], name: str, error: str) -> None:
        """Only a trigger or change is refused for its content: an acknowledge or resolve needs none of it."""
        if self.is_trigger or self.is_change:
            self.errors.append(error)
        elif part.pop(name, None) is not None:
            self.adaptations.add("fields_dropped")

    def fit(self) -> None:
        """Bring the whole alert under PagerDuty's size limit: first the details, then other fields, largest first."""
        limit = MAX_ALERT_BYTES - _WIRE_RESERVE
        if self._came_with is not None and self._came_with < limit - _MOST_MENDED_BYTES:
            return
        excess = json_bytes(self.alert) - limit
        details = self.payload.get("custom_details")
        if excess > 0 and details and (size := json_bytes(details)) > _SMALLEST_DETAILS:
            budget = max(size - excess, _SMALLEST_DETAILS)
            self.payload["custom_details"] = shrink_details(details, budget)
            self.adaptations.add("details_shrunk")
            excess = json_bytes(self.alert) - limit
        if excess > 0:
            self._drop_largest(excess)

    def _drop_largest(self, excess: int) -> None:
        parts = [(part, name) for part in (self.alert, self.payload) for name in part if name not in _CORE]
        measured = len(parts) <= _MOST_FIELDS
        if measured:
            parts.sort(key=lambda place: json_bytes(place[0][place[1]]), reverse=True)
        for part, name in parts:
            if excess > 0 or not measured:
                value = part.pop(name)
                excess -= json_bytes(value) if measured else 0
        self.adaptations.add("fields_dropped")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_list_with(name: str) -> Callable[[Any], bool]:
    def fits(value: object) -> bool:
        return isinstance(value, list) and all(
            isinstance(item, dict) and isinstance(item.get(name), str) for item in value
        )

    return fits


_TEXT: _Rule = (_is_text, "text")
_PAYLOAD_FIELDS: Mapping[str, _Rule] = dict.fromkeys(("source", "timestamp", "component", "group", "class"), _TEXT)
_TOP_FIELDS: Mapping[str, _Rule] = {
    "client": _TEXT,
    "client_url": _TEXT,
    "links": (_is_list_with("href"), "a list of objects with href"),
    "images": (_is_list_with("src"), "a list of objects with src"),
}
