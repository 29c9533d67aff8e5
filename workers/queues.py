"""Queues, and which worker group takes from which. One Redis list a queue, no priorities: urgency has queues and workers of its own."""

from __future__ import annotations

from typing import Final

from kombu.entity import Exchange, Queue

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "alert": ("alert",),
    "webhook": ("webhook",),
    "delivery": ("delivery", "escalation"),
    "maintenance": ("maintenance",),
}
WITH_PUMP: Final = frozenset({"delivery"})

ROUTES: Final[dict[str, str]] = {
    "alerts.*": "alert",
    "webhooks.*": "webhook",
    "notifications.*": "delivery",
    "escalations.*": "escalation",
    "incidents.*": "escalation",
    "*": "maintenance",
}


def task_queues() -> list[Queue]:
    """Every queue as Celery declares it: a direct exchange of the same name, one list each."""
    names = [name for queues in GROUPS.values() for name in queues]
    return [Queue(name, Exchange(name, type="direct"), routing_key=name) for name in names]


def task_routes() -> dict[str, dict[str, str]]:
    """The routes by glob, most particular first."""
    return {pattern: {"queue": queue, "routing_key": queue} for pattern, queue in ROUTES.items()}
