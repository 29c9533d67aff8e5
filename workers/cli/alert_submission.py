"""Sends checked alerts as `alerts.submit` and tells their event ids."""

from typing import Any

from workers.cli.connection import current_settings
from workers.cli.output import CliError
from workers.cli.task_calls import send, wait_for


def send_all(alerts: list[dict[str, Any]], *, wait_seconds: float | None) -> list[dict[str, Any]]:
    """One entry per alert: its event id and its task's id, and when waited for, what was decided."""
    size = current_settings().ingest.max_alerts_per_message
    chunks = [alerts[start : start + size] for start in range(0, len(alerts), size)]
    sent = [(send("alerts.submit", {"alerts": chunk}), chunk) for chunk in chunks]
    entries: list[dict[str, Any]] = []
    for task_id, chunk in sent:
        entries += _entries(task_id, chunk) if wait_seconds is None else _decisions(task_id, wait_seconds)
    return entries


def _entries(task_id: str, chunk: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"id": f"{task_id}:{index}", "dedup_key": alert.get("dedup_key") or f"{task_id}:{index}", "task_id": task_id}
        for index, alert in enumerate(chunk)
    ]


def _decisions(task_id: str, wait_seconds: float) -> list[dict[str, Any]]:
    outcome = wait_for(task_id, timeout_seconds=wait_seconds)
    if outcome.error is not None:
        raise CliError(f"The workers failed on alerts.submit ({task_id}): {outcome.error}")
    return [decision | {"task_id": task_id} for decision in outcome.result["alerts"]]
