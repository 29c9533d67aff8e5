"""An account with people in it, and what tests of incidents say to the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.sandbox.kit import KEY, OTHER_KEY, TOKEN, event

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess

ALICE, BOB, CAROL = "PALICE1", "PBOB001", "PCAROL1"
DB, WEB = "PSVCDB1", "PSVCWEB"
POLICY, OTHER_POLICY = "PPOLICY", "POTHER1"
TEAM = "PTEAM01"
MINUTE, HOUR, DAY = 60, 3600, 86_400


def reference(kind: str, name: str) -> dict[str, str]:
    """A reference as bodies have it."""
    return {"id": name, "type": f"{kind}_reference"}


def user(name: str, first: str) -> dict[str, str]:
    """A user of the account."""
    return {"id": name, "name": first.capitalize(), "email": f"{first}@example.com", "role": "user"}


def service(name: str, title: str, key: str, **more: object) -> dict[str, Any]:
    """A service of the account, with one way in, which does nothing by itself unless told otherwise."""
    return {
        "id": name,
        "name": title,
        "escalation_policy": reference("escalation_policy", POLICY),
        "auto_resolve_timeout": None,
        "acknowledgement_timeout": None,
        "integrations": [{"routing_key": key}],
        **more,
    }


def account(db: dict[str, Any] | None = None, **more: object) -> dict[str, Any]:
    """Alice is called first, Bob after 10 minutes, Carol after another 20, twice over; `db` changes that service."""
    levels = [(ALICE, 10), (BOB, 20), (CAROL, 30)]
    rules = [
        {"id": f"PRULE{place}", "escalation_delay_in_minutes": delay, "targets": [reference("user", target)]}
        for place, (target, delay) in enumerate(levels, 1)
    ]
    return {
        "users": [user(ALICE, "alice"), user(BOB, "bob"), user(CAROL, "carol")],
        "teams": [{"id": TEAM, "name": "Operations"}],
        "escalation_policies": [
            {
                "id": POLICY,
                "name": "All hands",
                "num_loops": 1,
                "escalation_rules": rules,
                "teams": [reference("team", TEAM)],
            },
            {"id": OTHER_POLICY, "name": "Carol alone", "num_loops": 0, "escalation_rules": [rules[2]]},
        ],
        "services": [service(DB, "db", KEY, **(db or {})), service(WEB, "web", OTHER_KEY)],
        **more,
    }


class Desk:
    """Alice at her desk: what she asks of the sandbox's REST API."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.headers = {**TOKEN, "From": "alice@example.com"}

    def ask(self, method: str, path: str, body: object = None, *, status: int = 200, **query: Any) -> Any:
        """One call that must be answered with this status."""
        answer = self.sandbox.http.request(method, path, json=body, params=query, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, body: object = None, *, status: int = 400) -> tuple[int, list[str]]:
        """One call that must be refused: the code and the reasons."""
        error = self.ask(method, path, body, status=status)["error"]
        return error["code"], error.get("errors", [])

    def trigger(self, dedup_key: str = "disk/db-1", key: str = KEY, **payload: str) -> dict[str, Any]:
        """The latest incident, after this event."""
        assert self.sandbox.enqueue(event(dedup_key=dedup_key, key=key, **payload)).status_code == 202
        return self.latest()

    def latest(self) -> dict[str, Any]:
        """The incident of the highest number."""
        return dict(self.sandbox.get("/incidents", sort_by="incident_number:desc", limit=1)["incidents"][0])

    def show(self, name: str, **query: Any) -> dict[str, Any]:
        """One incident."""
        return dict(self.ask("GET", f"/incidents/{name}", **query)["incident"])

    def open(self, title: str = "by hand", service_id: str = DB, **fields: Any) -> dict[str, Any]:
        """An incident opened by hand."""
        body = {"type": "incident", "title": title, "service": reference("service", service_id), **fields}
        return dict(self.ask("POST", "/incidents", {"incident": body}, status=201)["incident"])

    def put(self, name: str, **fields: Any) -> dict[str, Any]:
        """One incident, changed."""
        body = {"incident": {"type": "incident_reference", **fields}}
        return dict(self.ask("PUT", f"/incidents/{name}", body)["incident"])

    def entries(self, name: str, **query: Any) -> list[dict[str, Any]]:
        """The incident's log, oldest first."""
        found = self.sandbox.get(f"/incidents/{name}/log_entries", limit=100, **query)["log_entries"]
        return list(reversed(found))

    def kinds(self, name: str) -> list[str]:
        """The types of the incident's log entries without their suffix, oldest first; calls are left out."""
        kinds = [one["type"].removesuffix("_log_entry") for one in self.entries(name)]
        return [kind for kind in kinds if kind != "notify"]


def assignees(incident: dict[str, Any]) -> list[str]:
    """Whom an incident is assigned to."""
    return [one["assignee"]["id"] for one in incident["assignments"]]
