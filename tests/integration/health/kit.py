"""A fleet's wiring on the real server and the sandbox, and one look at its health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.settings import load
from schedules.due import due_by
from tasks.runtime import Runtime

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.health.models import HealthReport, LineView
    from tests.conftest import Sandbox

TOKEN = "tOcSiNtEsT0123456789"
KEY = "sandboxhealthshop".ljust(32, "0")
CANARY_KEY = "sandboxcanary".ljust(32, "0")


def wire(folder: Path, redis_url: str, sandbox: Sandbox | None = None, **environ: str) -> Runtime:
    """Services `shop` and `canary`, each with one PagerDuty channel the sandbox knows."""
    for name, key in (("shop", KEY), ("canary", CANARY_KEY)):
        file = folder / "services" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"channels:\n  - {{name: primary, routing_key: {key}}}\n")
        if sandbox:
            sandbox.register(key, name)
    outside = sandbox.url if sandbox else "http://127.0.0.1:1"
    known = {
        "HOME": str(folder),
        "REDIS_URL": redis_url,
        "TOCSIN_STATE_DIR": str(folder / "state"),
        "PAGERDUTY_API_URL": outside,
        "PAGERDUTY_EVENTS_URL": outside,
        "TOCSIN_DEFAULT_SERVICE": "shop",
        **({"PAGERDUTY_API_KEY": TOKEN} if sandbox else {}),
    }
    runtime = Runtime(load(environ={**known, **environ}, config_dir=folder))
    runtime.expected = due_by(lambda: runtime.settings)
    return runtime


def look(runtime: Runtime, depth: Any = "full") -> dict[str, LineView]:
    """Every line by its name; of several with one name the last."""
    return by_name(runtime.health.examine(depth))


def by_name(report: HealthReport) -> dict[str, LineView]:
    return {line.name: line for line in report.checks}


def states(lines: dict[str, LineView], *names: str) -> list[str]:
    return [lines[name].state for name in names]
