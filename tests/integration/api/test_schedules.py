"""What runs when, over HTTP."""

from datetime import timedelta

import httpx

from tests.integration.api.kit import Api

ENTRY = "/schedules/ledger-seal"


def test_every_entry_is_listed_with_when_it_is_due_next(http: httpx.Client) -> None:
    found = {one["entry"]: one for one in http.get("/schedules").json()["schedules"]}

    assert found["ledger-seal"]["cron"] == "* * * * *"
    assert found["ledger-seal"]["next_due"] > found["ledger-seal"]["next_due"][:10]
    assert found["ledger-seal"]["last"] is None


def test_a_pause_has_an_author_and_a_reason_and_ends_when_it_is_resumed(http: httpx.Client) -> None:
    paused = http.post(f"{ENTRY}/pause", json={"comment": "disk swap"}).json()["pause"]
    shown = http.get(ENTRY).json()
    resumed = http.post(f"{ENTRY}/resume").json()

    assert (paused["by"], paused["why"], paused["until"]) == ("anna", "disk swap", None)
    assert (shown["pause"]["why"], shown["runs"]) == ("disk swap", [])
    assert resumed["pause"] is None


def test_an_unknown_entry_and_a_pause_that_is_past_are_refused(api: Api, http: httpx.Client) -> None:
    past = (api.runtime.clock.now() - timedelta(minutes=1)).isoformat()

    assert http.get("/schedules/nothing").status_code == 404
    assert http.post("/schedules/nothing/pause", json={"comment": "x"}).status_code == 404
    assert http.post(f"{ENTRY}/pause", json={"comment": "x", "until": past}).status_code == 400
