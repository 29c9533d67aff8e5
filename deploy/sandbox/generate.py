"""Makes up an account for the sandbox: `tocsin sandbox generate --services 200 > account.json`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.sandbox.making import MAKERS, Maker

if TYPE_CHECKING:
    from collections.abc import Mapping

DESCRIPTION = """Make up an account for the sandbox, as JSON on stdout. The same seed and counts make the same account.
Whatever is not counted comes in proportion to the services."""

# For each service: so many of the others.
SHARES = {
    "users": 1.0,
    "contact_methods": 2.0,
    "notification_rules": 2.0,
    "teams": 0.2,
    "schedules": 0.3,
    "v3_schedules": 0.05,
    "escalation_policies": 0.5,
    "integrations": 1.0,
    "business_services": 0.2,
    "service_dependencies": 0.5,
    "event_orchestrations": 0.05,
    "alert_grouping_settings": 0.1,
    "extensions": 0.1,
    "tags": 0.1,
    "maintenance_windows": 0.1,
    "overrides": 0.1,
    "service_rules": 0.1,
    "cache_variables": 0.05,
    "service_custom_fields": 0.01,
    "service_custom_field_values": 0.1,
    "incident_types": 0.02,
    "incident_custom_fields": 0.02,
    "incident_workflows": 0.05,
    "incident_workflow_triggers": 0.1,
    "webhook_subscriptions": 0.05,
}


def main(arguments: list[str] | None = None) -> int:
    """Write the account; the answer is the exit code."""
    asked = _parser().parse_args(arguments)
    try:
        counts = {
            **_counts(asked.counts),
            **{kind: count for kind in MAKERS if (count := getattr(asked, kind)) is not None},
        }
        print(json.dumps(generate(asked.seed, counts), indent=None if asked.compact else 1))
    except (OSError, ValueError) as error:
        print(f"sandbox.generate: {error}", file=sys.stderr)
        return 1
    return 0


def generate(seed: int, counts: Mapping[str, int]) -> dict[str, Any]:
    """An account with these counts; what is not counted comes in proportion. ValueError: it cannot be consistent."""
    services = counts.get("services", 20)
    full = {"services": services, **{kind: max(1, round(share * services)) for kind, share in SHARES.items()}, **counts}
    pairs = full["services"] * full["business_services"]
    if full["alert_grouping_settings"] > services or full["service_dependencies"] > pairs:
        raise ValueError("a service has at most one alert grouping setting, and one dependency on a business service")
    return Maker(seed, full).make()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tocsin sandbox generate", description=DESCRIPTION)
    parser.add_argument("--seed", type=int, default=1, help="another seed, another account (default: %(default)s)")
    parser.add_argument("--counts", type=Path, metavar="FILE.json", help='counts by name, such as {"services": 200}')
    parser.add_argument("--compact", action="store_true", help="on one line")
    for kind in MAKERS:
        parser.add_argument(f"--{kind.replace('_', '-')}", type=_count, metavar="N")
    return parser


def _counts(path: Path | None) -> dict[str, int]:
    counts = {} if path is None else json.loads(path.read_bytes())
    if not isinstance(counts, dict) or not all(kind in MAKERS and _is_count(count) for kind, count in counts.items()):
        raise ValueError(f"{path}: must be an object of counts; the names are {', '.join(MAKERS)}")
    return counts


def _count(raw: str) -> int:
    if not raw.isdecimal():
        raise argparse.ArgumentTypeError(f"{raw} is no count")
    return int(raw)


def _is_count(count: object) -> bool:
    return isinstance(count, int) and not isinstance(count, bool) and count >= 0


if __name__ == "__main__":
    sys.exit(main())
