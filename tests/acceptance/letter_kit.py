"""Alerts that become dead letters, by refusal or by poison."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.pipeline import PRIMARY_KEY, STANDBY_KEY

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox
    from tests.pipeline import Pipeline

HOUR: Final = timedelta(hours=1)
REST: Final = timedelta(minutes=11)  # then a key that was refused is tried again


def refuse_all(pipeline: Pipeline, sandbox: Sandbox, clock: MovableClock, *alerts: Any) -> list[str]:
    """The ids of alerts that every channel refused."""
    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.fault(kind="reject", key=key)
    ids = [one.id for one in pipeline.submit(*alerts)]
    while pipeline.delivery.drain().attempts:
        pass
    sandbox.heal()
    clock.advance(REST)
    return ids


def ids(found: Any) -> list[str]:
    return [letter.id for letter in found]


def poisoned(pipeline: Pipeline, *alerts: Any, message: str = "bad", seen: str = "") -> list[str]:
    """The ids of alerts of a message that killed its workers."""
    pipeline.alerts.bury(message, alerts, "poison", "killed its worker", seen)
    return [f"{message}:{number}" for number in range(len(alerts))]
