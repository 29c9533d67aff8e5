"""Escalations, put together of what several capabilities know: a part of the wiring beside `runtime`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.alerts.rule_store import RuleStore
from tasks.escalations.wiring import Escalations

if TYPE_CHECKING:
    from tasks.runtime import Runtime


def escalations(runtime: Runtime) -> Escalations:
    """What is done while nobody answers; silences and maintenance windows pause it."""
    store = RuleStore(runtime.client, runtime.keys)
    return Escalations(runtime.client, runtime.keys, runtime.settings, store, runtime.metrics.escalated)
