"""Who is on call in the sandbox, over REST."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.account_kit import AccountApi

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


DAY = 86_400


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def test_oncalls_tell_who_is_on_call_now_and_until_when(api: AccountApi) -> None:
    ann, bob, cy = api.user(), api.user("Bob"), api.user("Cy")
    policy = api.policy(api.schedule(ann, bob), cy)

    found = api.get("/oncalls", **{"escalation_policy_ids[]": policy["id"]})["oncalls"]

    scheduled, always = sorted(found, key=lambda one: one["schedule"] is None)
    assert scheduled["user"]["id"] in (ann["id"], bob["id"])
    assert scheduled["start"] < scheduled["end"]
    assert (always["user"]["id"], always["start"], always["end"]) == (cy["id"], None, None)


def test_oncalls_of_a_time_to_come_may_be_narrowed_to_each_users_earliest(api: AccountApi) -> None:
    policy = api.policy(api.schedule(api.user(), api.user("Bob")))
    now = float(api.sandbox.control("GET", "/clock")["now"])
    span = {"since": stamp(now), "until": stamp(now + 40 * DAY), "escalation_policy_ids[]": policy["id"]}

    every = api.get("/oncalls", **span)["oncalls"]
    earliest = api.get("/oncalls", **span, earliest="true")["oncalls"]

    assert len(every) >= 6
    assert len(earliest) == 2
    assert {one["start"] for one in earliest} == {one["start"] for one in every[:2]}


def test_oncalls_include_whole_objects_and_reach_ninety_days(api: AccountApi) -> None:
    policy = api.policy(api.schedule(api.user()))
    now = float(api.sandbox.control("GET", "/clock")["now"])

    (one,) = api.get("/oncalls", **{"escalation_policy_ids[]": policy["id"], "include[]": ["users"]})["oncalls"]

    assert one["user"]["email"] == "ann@example.com"
    assert api.refused("GET", "/oncalls", until=stamp(now + 91 * DAY))[0] == 400
    assert api.refused("GET", "/oncalls", since=stamp(now), until=stamp(now - 60))[0] == 400
