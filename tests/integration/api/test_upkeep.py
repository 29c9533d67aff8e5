"""The API, operation by operation, on a running gateway: silences, maintenance windows, dead letters."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.integration.api.kit import ALERT, Api, all_pages, bury, submit


@pytest.mark.parametrize("limit", [1, 4, 10, 500])
def test_the_pages_hold_every_dead_letter_once_newest_first(api: Api, http: httpx.Client, limit: int) -> None:
    buried = bury(api, *(f"k{number}" for number in range(10)))
    api.runtime.client.zadd(
        api.runtime.keys.dead, {buried[0]: 9e12, buried[1]: 9e12, buried[2]: 9e12}
    )  # some of one moment

    found = all_pages(http, "/dead-letters", "dead_letters", limit)

    assert sorted(found) == sorted(buried)
    assert set(found[:3]) == set(buried[:3])


def test_a_page_goes_on_where_it_ended_although_its_last_dead_letter_is_gone(api: Api, http: httpx.Client) -> None:
    bury(api, "a", "b", "c")
    page = http.get("/dead-letters?limit=2").json()
    last = page["dead_letters"][-1]["id"]

    http.post(f"/dead-letters/{last}/drop", json={"comment": "gone"})
    rest = http.get("/dead-letters", params={"cursor": page["next_cursor"]}).json()["dead_letters"]

    assert len(rest) == 1
    assert rest[0]["id"] not in {letter["id"] for letter in page["dead_letters"]}


def test_a_dead_letter_can_be_looked_at_and_replayed(api: Api, http: httpx.Client) -> None:
    [event_id] = bury(api, "k1")

    letter = http.get(f"/dead-letters/{event_id}").json()
    replayed = http.post(f"/dead-letters/{event_id}/replay")
    api.decide()

    assert letter["reason"] == "poison"
    assert letter["alert"]["payload"]["summary"] == "disk full"
    assert letter["can_be_replayed"] is True
    assert replayed.status_code == 202
    assert http.post(f"/dead-letters/{event_id}/replay").status_code == 404
    assert http.get("/alerts").json()["alerts"][0]["dedup_key"] == "k1"


def test_a_message_that_never_was_an_alert_cannot_be_replayed_and_shows_no_key(api: Api, http: httpx.Client) -> None:
    raw = '[[], {"alerts": [{"routing_key": "0123456789abcdef0123456789abcdef"}], {}'
    event_id = api.runtime.graves.bury(raw, "cannot be read", {"id": "m1"})

    letter = http.get(f"/dead-letters/{event_id}").json()

    assert letter["can_be_replayed"] is False
    assert '"routing_key": "(not shown)"' in letter["raw"]
    assert "0123456789abcdef" not in letter["raw"]
    assert http.post(f"/dead-letters/{event_id}/replay").status_code == 409


def test_a_dropped_dead_letter_ends_as_suppressed_by_name_with_who_and_why(api: Api, http: httpx.Client) -> None:
    [event_id] = bury(api, "k1")

    assert http.post(f"/dead-letters/{event_id}/drop", json={"comment": "the host is gone"}).status_code == 204

    assert http.get("/dead-letters").json()["dead_letters"] == []
    assert http.post(f"/dead-letters/{event_id}/drop", json={"comment": "again"}).status_code == 404
    last = api.runtime.client.xrevrange(api.runtime.keys.ledger, count=1)[0][1]
    assert (last["s"], last["r"], last["d"]) == ("suppressed", "dropped", "by anna: the host is gone")
    proof = api.runtime.audit.prove()
    assert proof.holds
    assert proof.suppressed == {"dropped": 1}


@pytest.mark.parametrize(("path", "kind"), [("/silences", "silence"), ("/maintenance-windows", "maintenance")])
def test_a_silence_is_made_listed_and_ended_in_the_name_of_the_tokens_subject(
    api: Api, http: httpx.Client, path: str, kind: str
) -> None:
    wish = {"matchers": ["severity=warning"], "duration_seconds": 600, "comment": "disk swap"}
    with api.client("operator", subject="bert") as bert:
        made = bert.post(path, json=wish)
    silence = made.json()

    submit(http, ALERT)
    api.decide()

    assert made.status_code == 201
    assert (silence["kind"], silence["author"], silence["state"]) == (kind, "bert", "active")
    assert http.get("/alerts").json()["alerts"][0]["held_by"] != ""
    assert [each["id"] for each in http.get(path).json()["silences"]] == [silence["id"]]
    assert http.get(f"{path}/{silence['id']}").json()["comment"] == "disk swap"
    ended = http.delete(f"{path}/{silence['id']}").json()
    assert (ended["state"], ended["expired_by"]) == ("ended", "anna")
    assert http.get(path).json()["silences"] == []
    assert [each["id"] for each in http.get(f"{path}?ended=true").json()["silences"]] == [silence["id"]]


def test_a_token_for_silences_cannot_reach_a_maintenance_window(api: Api, http: httpx.Client) -> None:
    wish = {"services": ["web"], "duration_seconds": 600, "comment": "upgrade"}
    window = http.post("/maintenance-windows", json=wish).json()["id"]

    with api.client("responder") as responder:
        assert responder.delete(f"/silences/{window}").status_code == 404
        assert responder.delete(f"/maintenance-windows/{window}").status_code == 403
        assert responder.get("/silences").json()["silences"] == []
    assert http.get(f"/maintenance-windows/{window}").json()["state"] == "active"


def test_a_preview_tells_what_would_be_held_back_and_changes_nothing(api: Api, http: httpx.Client) -> None:
    submit(http, ALERT, {**ALERT, "dedup_key": "other", "payload": {**ALERT["payload"], "severity": "critical"}})
    api.decide()

    preview = http.post("/silences/preview", json={"matchers": ["severity=warning"]}).json()

    assert preview["total"] == 1
    assert preview["alerts"][0]["dedup_key"] == "db-1/disk"
    assert http.get("/silences").json()["silences"] == []


def test_everything_wrong_with_a_silence_is_told_at_once(http: httpx.Client) -> None:
    refused = http.post("/silences", json={"matchers": ["severity"], "services": ["nix"]})

    assert refused.status_code == 400
    told = " ".join(refused.json()["errors"])
    assert all(word in told for word in ("severity", "nix", "ends", "comment"))


def test_a_silence_may_begin_later(http: httpx.Client) -> None:
    begins = datetime.now(UTC) + timedelta(hours=1)
    wish = {"services": ["web"], "starts_at": begins.isoformat(), "duration_seconds": 60, "comment": "x"}

    assert http.post("/silences", json=wish).json()["state"] == "pending"


def test_dead_letters_are_counted_and_found_by_filter(api: Api, http: httpx.Client) -> None:
    bury(api, "k1", "k2")
    api.runtime.graves.bury("rubbish", "cannot be read", {})

    groups = http.get("/dead-letters/groups").json()
    found = http.get("/dead-letters", params={"reason": "poison", "service": "web", "limit": 1}).json()
    none = http.get("/dead-letters", params={"until": "2020-01-01T00:00:00Z"}).json()

    assert (groups["count"], groups["groups"][0]["reason"], groups["groups"][0]["count"]) == (3, "poison", 2)
    assert (len(found["dead_letters"]), bool(found["next_cursor"])) == (1, True)
    assert none == {"dead_letters": [], "next_cursor": ""}
    assert http.get("/dead-letters", params={"since": "yesterday"}).status_code == 400


def test_all_that_a_filter_fits_is_replayed_after_a_count(api: Api, http: httpx.Client) -> None:
    bury(api, "k1", "k2")

    counted = http.post("/dead-letters/replay", json={"where": {"reason": "poison"}, "dry_run": True}).json()
    wrong = http.post("/dead-letters/replay", json={})
    done = http.post("/dead-letters/replay", json={"where": {}})

    assert (counted["done"], counted["is_dry_run"]) == (2, True)
    assert wrong.status_code == 400
    assert (done.status_code, done.json()["done"], done.json()["more"]) == (200, 2, False)
    assert http.get("/dead-letters").json()["dead_letters"] == []


def test_old_dead_letters_are_purged_in_the_name_of_the_tokens_subject(api: Api, http: httpx.Client) -> None:
    bury(api, "k1", "k2")
    wish = {"where": {}, "older_than_seconds": 3600, "comment": "too old"}

    none = http.post("/dead-letters/purge", json=wish).json()
    done = http.post("/dead-letters/purge", json={**wish, "older_than_seconds": 0}).json()

    assert (none["matched"], done["done"]) == (0, 2)
    last = api.runtime.client.xrevrange(api.runtime.keys.ledger, count=1)[0][1]
    assert (last["s"], last["r"], last["d"]) == ("suppressed", "dropped", "by anna: too old")
