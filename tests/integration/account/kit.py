"""Accounts made up for tests of reading and restoring, and what such tests look at."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from deploy.sandbox.generate import generate
from tasks.backups.account.reader import AccountReader
from tasks.backups.account.restorer import AccountRestorer
from tests.integration.rest.kit import rest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.backups.items import Item
    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess

SMALL = {
    "services": 5,
    "users": 5,
    "service_rules": 2,
    "service_custom_fields": 2,
    "incident_workflows": 2,
    "webhook_subscriptions": 4,
}
BUILT_IN = ("default@sandbox.invalid",)
NO_LIMIT = {"limits.rest_calls_per_minute": 1_000_000}


class FileJournal:
    """A journal in a file, synced with every entry; what a kill left half written does not count."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Iterator[dict[str, Any]]:
        lines = self._path.read_text().split("\n") if self._path.exists() else []
        yield from (json.loads(line) for line in lines[:-1] if line.endswith("}"))

    def write(self, entry: dict[str, Any]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
            file.flush()
            os.fsync(file.fileno())


def silent(done: int, total: int | None, what: str) -> None:
    """Nobody looks on."""


def made_up(sandbox: SandboxProcess, seed: int = 5, **counts: int) -> dict[str, Any]:
    """Let a sandbox have an account; returns it as JSON."""
    account = generate(seed, {**SMALL, **counts})
    sandbox.control("PUT", "/account", account)
    return account


def client_of(client: Any, keys: Any, sandbox: SandboxProcess, **settings: Any) -> RestClient:
    """A REST client whose own limit is never reached."""
    return rest_of(client, keys, sandbox.url, {**NO_LIMIT, **settings})


def read(rest: RestClient) -> list[Item]:
    """All items of an account."""
    return list(AccountReader(rest).read(silent))


def restorer_of(rest: RestClient, settle: float = 0, **more: Any) -> AccountRestorer:
    """A restorer that counts on lists being so many seconds behind."""
    return AccountRestorer(rest, settle=timedelta(seconds=settle), **more)


def names(items: list[Item]) -> dict[str, dict[str, Any]]:
    """Documents by the addresses of their items."""
    return {item.name: item.document for item in items}


def by_kind(items: list[Item]) -> dict[str, int]:
    """How many of each kind; those that every account has are left out."""
    kept = (item for item in items if item.document.get("email") not in BUILT_IN)
    counts = Counter(item.kind for item in kept)
    del counts["account"]
    return dict(counts)


def one(items: list[Item], kind: str, **fields: Any) -> Item:
    """The first of a kind that has these."""
    return next(item for item in items if item.kind == kind and fields.items() <= item.document.items())


def calls(sandbox: SandboxProcess) -> int:
    """How many requests have arrived since the log was cleared."""
    return int(sandbox.control("GET", "/state")["log"]["entries"])


def furnish(rest: RestClient, items: list[Item]) -> None:
    """Add to a made-up account what the generator does not make."""
    user, method = one(items, "users"), one(items, "contact_methods")
    own, named = method.document["user"]["id"], {"id": method.id, "type": f"{method.document['type']}_reference"}
    rule = {"contact_method": named, "handoff_type": "both", "notify_advance_in_minutes": 60}
    rest.users.handoff_rules(own).create(rule)
    rest.users.status_update_rules(own).create({"contact_method": named})
    schedule, rotation = one(items, "v3_schedules"), one(items, "v3_rotations")
    times = {"start_time": "2026-03-01T08:00:00Z", "end_time": "2040-03-01T20:00:00Z"}
    member = {"type": "user_member", "user_id": user.id}
    path = f"/v3/schedules/{schedule.id}"
    shift = {"type": "custom_shift", **times, "assignments": [{"type": "shift_assignment", "member": member}]}
    rest.caller.call("POST", f"{path}/custom_shifts", body={"custom_shifts": [shift]})
    members = {"overridden_member": member, "overriding_member": {"type": "empty_member"}}
    override = {"type": "override_shift", "rotation_id": rotation.id, **times, **members}
    rest.caller.call("POST", f"{path}/overrides", body={"overrides": [override]})
    addon = {"type": "full_page_addon", "name": "Board", "src": "https://board.example.com/"}
    rest.caller.call("POST", "/addons", body={"addon": addon})
    service = one(items, "service_orchestrations")
    variable = {
        "name": "last",
        "conditions": [],
        "configuration": {"type": "recent_value", "source": "a", "regex": "."},
    }
    variables = rest.orchestrations.path_to("services", service.id, "cache_variables")
    rest.caller.call("POST", variables, body={"cache_variable": variable})
    other = one(items, "services", status="active")
    policy = other.document["escalation_policy"]
    rest.services.update(other.id, {"type": "service", "escalation_policy": policy, "status": "disabled"})
    rest.tags.change("escalation_policies", policy["id"], add=["policy"])
