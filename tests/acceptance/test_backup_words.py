"""What became of the PagerDuty account between two backups, as people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.acceptance.backup_world import BackupWorld

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server
    from tests.conftest import Sandbox

TOKEN = "tOcSiNtEsT0123456789"


def test_two_backups_differ_by_the_names_of_things(
    client: Any, server: Server, sandbox: Sandbox, tmp_path: Path
) -> None:
    environment = {
        "PAGERDUTY_API_KEY": TOKEN,
        "PAGERDUTY_API_URL": sandbox.url,
        "TOCSIN_LIMITS__REST_CALLS_PER_MINUTE": "100000",
    }
    with BackupWorld(tmp_path, server.url, sandbox, **environment) as world:
        rest, backups = world.runtime.rest, world.runtime.backups.service
        service = next(iter(rest.services.list()))
        backups.create(["account"])
        rule = {"escalation_delay_in_minutes": 5, "targets": service_users(rest)}
        policy = rest.escalation_policies.create(
            {"type": "escalation_policy", "name": "Night", "escalation_rules": [rule]}
        )
        reference = {"id": policy["id"], "type": "escalation_policy_reference"}
        rest.services.update(service["id"], {"type": "service", "escalation_policy": reference})
        backups.create(["account"])
        first, second = backups.repository.snapshots()

        report = backups.diff(first.id, second.id)

    assert [one.words for one in report.differences] == [
        '+ escalation policy "Night"',
        f'~ service "{service["name"]}": escalation policy "Default" -> "Night"',
    ]


def service_users(rest: Any) -> list[dict[str, str]]:
    """Somebody to turn to."""
    return [{"id": user["id"], "type": "user_reference"} for user in rest.users.list()][:1]
