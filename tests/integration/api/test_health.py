"""The API on a running gateway: how Tocsin is, part by part, and what works while Redis is away."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.integration.api.kit import ALERT, Api, bury, running_api, submit


def parts(http: httpx.Client) -> dict[str, Any]:
    return {part["name"]: part for part in http.get("/health").json()["components"]}


def test_the_last_health_check_that_was_kept_is_shown_line_by_line(api: Api, http: httpx.Client) -> None:
    nothing = http.get("/health/checks")
    kept = api.runtime.health.check_and_keep("quick")
    found = http.get("/health/checks", params={"depth": "quick"})

    assert nothing.status_code == 404
    assert found.json() == kept.model_dump(mode="json")
    assert {"name", "state", "value", "limit", "mend"} <= found.json()["checks"][0].keys()


def test_health_tells_what_waits_where(api: Api, http: httpx.Client) -> None:
    assert http.get("/health").json()["status"] == "pass"

    submit(http, ALERT)
    assert parts(http)["inbox"]["waiting"] == 1
    api.decide()
    assert (parts(http)["inbox"]["waiting"], parts(http)["outbox"]["waiting"]) == (0, 1)


def test_health_warns_and_fails_as_alerts_wait_for_longer(api: Api, http: httpx.Client) -> None:
    submit(http, ALERT)
    keys, client = api.runtime.keys, api.runtime.client

    client.set(keys.clock, 20_000)
    assert (http.get("/health").status_code, http.get("/health").json()["status"]) == (200, "warn")
    client.set(keys.clock, 70_000)
    assert (http.get("/health").status_code, http.get("/health").json()["status"]) == (503, "fail")
    assert "alert" in parts(http)["inbox"]["output"]


def test_health_warns_of_messages_that_pile_up(api: Api, http: httpx.Client) -> None:
    api.runtime.client.lpush(api.runtime.keys.queue("alert"), *range(1001))

    assert (parts(http)["queue"]["waiting"], parts(http)["queue"]["status"]) == (1001, "warn")


def test_health_warns_of_an_endpoint_that_is_left_alone(api: Api, http: httpx.Client) -> None:
    api.runtime.breakers.force("https://events.example.com:443", "open", timedelta(minutes=5), "ann", "planned")

    part = parts(http)["breakers"]

    assert (part["status"], part["waiting"]) == ("warn", 1)
    assert part["output"].startswith("https://events.example.com:443 is left alone (forced open); ")


def test_health_tells_how_late_timers_are(api: Api, http: httpx.Client) -> None:
    keys, client = api.runtime.keys, api.runtime.client
    client.zadd(keys.escalations_due, {"a" * 32: api.runtime.clock.now_ms() + 5000, "b" * 32: "inf"})
    assert (parts(http)["timers"]["status"], parts(http)["timers"]["waiting"]) == ("pass", 1)

    client.set(keys.clock, 25_000)
    assert parts(http)["timers"]["output"].startswith("timers are ")
    client.set(keys.clock, 90_000)
    assert (parts(http)["timers"]["status"], http.get("/health").status_code) == ("fail", 503)


def test_health_warns_of_dead_letters(api: Api, http: httpx.Client) -> None:
    bury(api, "k1")

    assert parts(http)["dead_letters"]["status"] == "warn"
    assert http.get("/health").status_code == 200


def test_without_redis_the_api_asks_to_come_again_and_says_what_fails(tmp_path: Path) -> None:
    with running_api(tmp_path) as api, api.client("admin") as http:
        api.server.kill()
        began = time.monotonic()

        away = http.get("/alerts")
        health = http.get("/health")

        assert time.monotonic() - began < 4
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
        assert away.json()["errors"] == ["Redis does not answer; try again in 5 s"]
        assert (health.status_code, health.json()["status"]) == (503, "fail")
        assert submit(http, ALERT).status_code == 202, "it is kept in the spool"
        assert parts(http)["spool"]["waiting"] == 1


def test_health_fails_when_the_last_proof_found_the_promise_broken_and_warns_when_none_was_made_for_long(
    api: Api, http: httpx.Client
) -> None:
    submit(http, ALERT)
    api.decide()
    assert parts(http)["proof"]["status"] == "pass"

    api.runtime.client.delete(api.runtime.keys.outbox_due)
    api.runtime.audit.prove_and_keep(None, "hour")
    assert (parts(http)["proof"]["status"], parts(http)["proof"]["waiting"]) == ("fail", 1)
    assert http.get("/health").status_code == 503

    api.forget()
    api.runtime.audit.prove_and_keep(None, "hour")
    assert parts(http)["proof"]["status"] == "pass"
    api.runtime.client.set(api.runtime.keys.clock, 1_900_000)
    assert parts(http)["proof"]["status"] == "warn"
