"""What the tests of the sandbox's account say to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.sandbox.kit import TOKEN

if TYPE_CHECKING:
    import httpx

    from tests.integration.sandbox.kit import SandboxProcess

HEADERS = {**TOKEN, "From": "operator@example.com"}


class AccountApi:
    """The account's half of the REST API, as a client with all rights speaks to it."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox

    def call(self, method: str, path: str, body: object = None, **query: Any) -> httpx.Response:
        """One call, whatever becomes of it."""
        return self.sandbox.http.request(method, path, json=body, params=query or None, headers=HEADERS)

    def get(self, path: str, **query: Any) -> Any:
        """What is read."""
        return self._good(self.call("GET", path, **query), 200)

    def post(self, path: str, body: object = None, status: int = 201) -> Any:
        """What was made."""
        return self._good(self.call("POST", path, body), status)

    def put(self, path: str, body: object = None, status: int = 200) -> Any:
        """What it is after the change."""
        return self._good(self.call("PUT", path, body), status)

    def delete(self, path: str, status: int = 204) -> None:
        """Gone, or ended."""
        self._good(self.call("DELETE", path), status)

    def refused(self, method: str, path: str, body: object = None, **query: Any) -> tuple[int, int, list[str]]:
        """The status, the code and the reasons of a call that is refused."""
        answer = self.call(method, path, body, **query)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error.get("errors", [])

    def user(self, name: str = "Ann", **more: Any) -> dict[str, Any]:
        """A new user."""
        email = f"{name.lower()}@example.com"
        return dict(self.post("/users", {"user": {"type": "user", "name": name, "email": email, **more}})["user"])

    def team(self, name: str = "core") -> dict[str, Any]:
        """A new team."""
        return dict(self.post("/teams", {"team": {"type": "team", "name": name}})["team"])

    def policy(self, *targets: dict[str, Any], name: str = "policy", **more: Any) -> dict[str, Any]:
        """A new escalation policy whose one level turns to these."""
        rule = {"escalation_delay_in_minutes": 5, "targets": [reference(one) for one in targets]}
        policy = {"type": "escalation_policy", "name": name, "escalation_rules": [rule], **more}
        return dict(self.post("/escalation_policies", {"escalation_policy": policy})["escalation_policy"])

    def service(self, policy: dict[str, Any], name: str = "shop", **more: Any) -> dict[str, Any]:
        """A new service."""
        service = {"type": "service", "name": name, "escalation_policy": reference(policy), **more}
        return dict(self.post("/services", {"service": service})["service"])

    def schedule(self, *users: dict[str, Any], name: str = "weeks", **layer: Any) -> dict[str, Any]:
        """A new schedule of one layer of weeks from Monday, 5 January 2026, nine o'clock in Berlin."""
        turns = {
            "start": "2026-01-05T09:00:00+01:00",
            "rotation_virtual_start": "2026-01-05T09:00:00+01:00",
            "rotation_turn_length_seconds": 7 * 86_400,
            "users": [{"user": reference(one)} for one in users],
            **layer,
        }
        schedule = {"type": "schedule", "name": name, "time_zone": "Europe/Berlin", "schedule_layers": [turns]}
        return dict(self.post("/schedules", {"schedule": schedule})["schedule"])

    def _good(self, answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


def reference(one: dict[str, Any]) -> dict[str, str]:
    """A reference to an object that was answered."""
    return {"id": one["id"], "type": f"{one['type']}_reference"}
