"""Counters of one process, in Prometheus' terms."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0)


class Metrics:
    """What this process has done so far; labels are names of tasks and outcomes, never of people or keys."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._tasks = Counter(
            "tocsin_tasks", "Tasks ended, by name and state.", ["task", "state"], registry=self.registry
        )
        self._seconds = Histogram(
            "tocsin_task_seconds", "How long tasks took.", ["task"], registry=self.registry, buckets=BUCKETS
        )
        self._deliveries = Counter(
            "tocsin_deliveries",
            "Attempts to deliver, by channel and outcome.",
            ["channel", "outcome"],
            registry=self.registry,
        )

        self._lateness = Histogram(
            "tocsin_escalations_late_seconds",
            "How late steps of escalations were taken.",
            registry=self.registry,
            buckets=(*BUCKETS, 300.0, 3600.0),
        )

    def task_done(self, task: str, state: str, seconds: float) -> None:
        """Count one task that ended."""
        self._tasks.labels(task, state).inc()
        self._seconds.labels(task).observe(seconds)

    def attempted(self, channel: str, outcome: str) -> None:
        """Count one attempt to deliver."""
        self._deliveries.labels(channel, outcome).inc()

    def escalated(self, seconds: float) -> None:
        """Count one step of an escalation, taken so late."""
        self._lateness.observe(max(0.0, seconds))
