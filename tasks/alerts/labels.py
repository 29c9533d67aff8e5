"""What rules can ask of an alert: its labels, all of them text; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tasks.utils.kept_labels import PAYLOAD_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FIELDS: Final = {"service": "service", "dedup_key": "dedup_key", "client": "client", "event_action": "action"}


def labels_of(alert: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an alert in wire shape, the more reliable source over the less.

    The alert's own fields (service, dedup_key, client, action, summary, source, severity, component, group, class),
    over `custom_details.labels` (which Alertmanager and Grafana send), over the single values in `custom_details`.
    """
    payload = alert.get("payload") or {}
    details = payload.get("custom_details") or {}
    labels = dict(_texts(details))
    if isinstance(details.get("labels"), dict):
        labels.update(_texts(details["labels"]))
    labels.update(_texts({field: payload.get(field) for field in PAYLOAD_FIELDS}))
    labels.update(_texts({label: alert.get(field) for field, label in FIELDS.items()}))
    return labels


def _texts(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, bool):
            yield name, str(value).lower()
        elif isinstance(value, int | float):
            yield name, str(value)
