"""What comes back from PagerDuty, with real processes: sandbox, gateway, workers; secrets in files, found without a restart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tasks.utils.identifiers import alert_uid
from tests.fleet import Fleet
from tests.pipeline import alert
from tests.program import run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

AUTH = {"Authorization": "Token token=" + "a" * 20, "From": "ann@example.org"}


class Desk:
    """A fleet whose gateway PagerDuty tells what becomes of incidents."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.gateway = fleet.start_gateway()
        fleet.start_workers("alert", "delivery", "webhook")

    def tocsin(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run(*words, environment=self.fleet.environment)

    def subscribe(self) -> str:
        """Make a subscription as users do; its id."""
        file = self.fleet.environment["PAGERDUTY_WEBHOOK_SECRET_FILE"]
        made = self.tocsin("webhooks", "create", f"{self.gateway}/webhooks/pagerduty", "--secret-file", file, "--json")
        assert made.returncode == 0, made.stderr
        return str(json.loads(made.stdout)["id"])

    def await_gateway(self) -> None:
        def answers() -> bool:
            try:
                return httpx.get(f"{self.gateway}/livez").status_code == 200
            except httpx.TransportError:
                return False

        self.fleet.wait(answers, 60, "the gateway does not answer")

    def is_disabled(self) -> bool:
        listed = self.fleet.sandbox.http.get("/webhook_subscriptions", headers=AUTH).json()["webhook_subscriptions"]
        return bool(listed[0]["delivery_method"]["temporarily_disabled"])

    def trigger(self, key: str) -> None:
        self.fleet.submit({**alert(key), "service": "checkout"})
        self.fleet.wait(lambda: self.answers(key), 20, f"{key} is not sent")

    def known(self, key: str) -> dict[str, str]:
        return self.fleet.client.hgetall(self.fleet.keys.alert(alert_uid("checkout", key)))  # type: ignore[no-any-return]

    def answers(self, key: str) -> str:
        return self.fleet.client.hget(self.fleet.keys.answers, alert_uid("checkout", key)) or ""

    def incident(self, key: str) -> str:
        found = self.fleet.sandbox.http.get(
            "/incidents", params={"incident_key": key, "date_range": "all"}, headers=AUTH
        )
        return str(found.json()["incidents"][-1]["id"])

    def answer(self, key: str, status: str) -> None:
        """Somebody acknowledges or resolves the incident in PagerDuty."""
        body = {"incident": {"type": "incident", "status": status}}
        self.fleet.sandbox.http.put(f"/incidents/{self.incident(key)}", json=body, headers=AUTH).raise_for_status()

    def await_status(self, key: str, status: str, patience: float = 20) -> None:
        self.fleet.wait(lambda: self.known(key).get("status") == status, patience, f"{key} is not {status}")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("fleet")
    (folder / "webhook.secret").write_text("not known yet\n")
    environment: dict[str, Any] = {
        "PAGERDUTY_API_KEY": "a" * 20,
        "PAGERDUTY_FROM_EMAIL": "ann@example.org",
        "PAGERDUTY_WEBHOOK_SECRET_FILE": str(folder / "webhook.secret"),
    }
    with Fleet(folder, sandbox_options=("--no-limits",), **environment) as fleet:
        desk = Desk(fleet)
        desk.subscribe()
        yield desk


def test_what_people_do_in_pagerduty_is_known_here_within_seconds(desk: Desk) -> None:
    desk.trigger("disk")

    desk.fleet.wait(lambda: '"seen"' in desk.answers("disk"), 30, "not seen")
    desk.answer("disk", "acknowledged")
    desk.await_status("disk", "acknowledged")
    desk.answer("disk", "resolved")
    desk.await_status("disk", "resolved")
    sent = [entry["event_action"] for entry in desk.fleet.sandbox.log() if entry.get("dedup_key") == "disk"]
    assert sent == ["trigger"]


@pytest.mark.parametrize("kind", ["duplicate", "reorder", "forge", "unknown", "truncated", "oversize"])
def test_whatever_goes_wrong_on_the_way_of_a_webhook_the_answer_arrives(desk: Desk, kind: str) -> None:
    desk.trigger(kind)
    desk.fleet.wait(lambda: '"seen"' in desk.answers(kind), 30, "not seen")
    fault = {"kind": kind, "count": 1, **({"seconds": 2} if kind == "reorder" else {})}
    desk.fleet.sandbox.control("POST", "/webhooks/faults", fault)

    desk.answer(kind, "acknowledged")
    desk.await_status(kind, "acknowledged")
    desk.answer(kind, "resolved")
    desk.await_status(kind, "resolved")

    refused = {"forge": 403, "truncated": 400, "oversize": 413}.get(kind)
    deliveries = desk.fleet.sandbox.control("GET", "/webhooks?since=0")["deliveries"]
    spoiled = [attempt["status"] for one in deliveries if one["fault"] == kind for attempt in one["attempts"]]
    assert refused is None or refused in spoiled
    assert {one["state"] for one in deliveries if not one["fault"]} == {"delivered"}


def test_a_subscription_that_pagerduty_disabled_is_enabled_again_and_what_it_missed_is_caught_up(desk: Desk) -> None:
    desk.trigger("missed")
    desk.fleet.wait(lambda: '"seen"' in desk.answers("missed"), 30, "not seen")
    file = desk.fleet.folder / "webhook.secret"
    secret = file.read_text()
    file.write_text("a wrong one\n")
    gateway = desk.fleet
    gateway.stop("gateway")
    port = desk.gateway.rpartition(":")[2]
    gateway.start("gateway", "--port", port, name="gateway")
    desk.await_gateway()
    for number in range(3):
        desk.fleet.submit({**alert(f"unheard-{number}"), "service": "checkout"})
    desk.fleet.wait(desk.is_disabled, 30, "the subscription is not disabled")
    desk.answer("missed", "resolved")
    file.write_text(secret)

    checked = desk.tocsin("webhooks", "check")
    caught = desk.tocsin("webhooks", "catch-up", "--since", "1h", "--json")

    assert (checked.returncode, "is enabled again" in checked.stderr) == (3, True), checked.stderr
    assert caught.returncode == 0, caught.stderr
    desk.await_status("missed", "resolved")
    assert not desk.is_disabled()
    assert desk.tocsin("webhooks", "check").returncode == 0


def test_subscriptions_are_listed_tested_and_deleted_from_the_shell(desk: Desk) -> None:
    printed = desk.tocsin("webhooks", "create", "https://u:hidden@elsewhere.example/hook", "--json")
    one = json.loads(printed.stdout)

    assert len(one["secret"]) >= 20
    assert (one["is_ours"], one["filter"], one["url"]) == (False, "account", "https://elsewhere.example/hook")
    listed = json.loads(desk.tocsin("webhooks", "list", "--json").stdout)
    assert [each["is_ours"] for each in listed if each["id"] == one["id"]] == [False]
    assert "secret" not in str(listed)
    assert "hidden" not in desk.tocsin("webhooks", "list").stdout
    assert desk.tocsin("webhooks", "test", one["id"]).returncode == 0
    assert desk.tocsin("webhooks", "enable", one["id"]).returncode == 0
    assert desk.tocsin("webhooks", "delete", one["id"]).returncode == 0
    gone = desk.tocsin("webhooks", "delete", one["id"])
    assert (gone.returncode, "Traceback" in gone.stderr) == (1, False)


def test_the_secret_goes_into_a_file_of_its_owner_only_and_a_place_that_cannot_be_written_is_refused_first(
    desk: Desk, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    made = desk.tocsin("webhooks", "create", "https://elsewhere.example/hook", "--secret-file", str(file), "--json")
    told = json.loads(made.stdout)

    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().strip() not in made.stdout + made.stderr
    before = len(json.loads(desk.tocsin("webhooks", "list", "--json").stdout))
    refused = desk.tocsin("webhooks", "create", "https://elsewhere.example/hook", "--secret-file", "/nowhere/secret")
    assert (refused.returncode, "/nowhere/secret" in refused.stderr) == (1, True)
    assert len(json.loads(desk.tocsin("webhooks", "list", "--json").stdout)) == before
    assert desk.tocsin("webhooks", "delete", told["id"]).returncode == 0
