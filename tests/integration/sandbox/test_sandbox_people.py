"""Users, teams and escalation policies of the sandbox's account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.sandbox.account_kit import AccountApi, reference

if TYPE_CHECKING:
    from tests.integration.sandbox.kit import SandboxProcess


@pytest.fixture
def api(sandbox: SandboxProcess) -> AccountApi:
    return AccountApi(sandbox)


def test_a_user_is_made_read_changed_and_deleted(api: AccountApi) -> None:
    user = api.user(role="limited_user", time_zone="Europe/Berlin")

    assert api.get(f"/users/{user['id']}")["user"] == user
    assert (user["role"], user["time_zone"], user["summary"]) == ("limited_user", "Europe/Berlin", "Ann")
    changed = api.put(f"/users/{user['id']}", {"user": {"type": "user", "name": "Anna", "email": user["email"]}})[
        "user"
    ]
    assert (changed["name"], changed["role"]) == ("Anna", "limited_user")
    api.delete(f"/users/{user['id']}")
    assert api.call("GET", f"/users/{user['id']}").status_code == 404


def test_a_user_has_an_email_contact_method_from_the_start(api: AccountApi) -> None:
    user = api.user()

    (method,) = api.get(f"/users/{user['id']}/contact_methods")["contact_methods"]

    assert (method["type"], method["address"]) == ("email_contact_method", "ann@example.com")
    assert [one["id"] for one in user["contact_methods"]] == [method["id"]]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": ""}, "Name can't be blank"),
        ({"name": "x" * 101}, "Name is too long (maximum is 100 characters)"),
        ({"email": "a@b"}, "Email is too short (minimum is 6 characters)"),
        ({"email": "nobody.at.all"}, "Email is invalid"),
        ({"email": "ANN@example.com"}, "Email has already been taken"),
        ({"role": "king"}, "Role must be one of"),
        ({"time_zone": "Europe/Atlantis"}, "Time zone is not a valid time zone"),
        ({"type": "person"}, "Type must be user"),
    ],
)
def test_a_user_who_cannot_be_is_refused_with_the_reason(api: AccountApi, fields: dict[str, str], reason: str) -> None:
    api.user()
    body = {"user": {"type": "user", "name": "Bob", "email": "bob@example.com", **fields}}

    status, code, reasons = api.refused("POST", "/users", body)

    assert (status, code) == (400, 2001)
    assert any(one.startswith(reason) for one in reasons), reasons


def test_every_reason_is_told_at_once(api: AccountApi) -> None:
    _, _, reasons = api.refused("POST", "/users", {"user": {"type": "user", "role": "king"}})

    assert len(reasons) == 3


@pytest.mark.parametrize("body", [{}, {"user": []}, [], "x"])
def test_a_body_of_another_shape_is_refused(api: AccountApi, body: object) -> None:
    assert api.refused("POST", "/users", body)[:2] == (400, 2001)


def test_users_are_found_by_a_part_of_their_name_by_their_address_and_by_team(api: AccountApi) -> None:
    users = [api.user(name) for name in ("Ann", "Anton", "Bob")]
    team = api.team()
    api.put(f"/teams/{team['id']}/users/{users[2]['id']}", {"role": "responder"}, status=204)

    anton = users[1]["email"]

    assert [one["name"] for one in api.get("/users", query="ANTO")["users"]] == ["Anton"]
    assert [one["name"] for one in api.get("/users", query=anton)["users"]] == ["Anton"]
    assert [one["name"] for one in api.get("/users", **{"team_ids[]": team["id"]})["users"]] == ["Bob"]


def test_what_is_included_is_shown_whole(api: AccountApi) -> None:
    user = api.user()

    plain = api.get(f"/users/{user['id']}")["user"]["contact_methods"][0]
    whole = api.get(f"/users/{user['id']}", **{"include[]": "contact_methods"})["user"]["contact_methods"][0]

    assert (plain["type"], whole["type"]) == ("email_contact_method_reference", "email_contact_method")
    assert whole["address"] == "ann@example.com"


def test_contact_methods_and_rules_belong_to_their_user_and_go_with_them(api: AccountApi) -> None:
    user, other = api.user(), api.user("Bob")
    phone = {"type": "phone_contact_method", "label": "Mobile", "address": "5551234567", "country_code": 1}
    path = f"/users/{user['id']}"
    method = api.post(f"{path}/contact_methods", {"contact_method": phone})["contact_method"]
    named = reference(method)
    rule = {
        "type": "assignment_notification_rule",
        "start_delay_in_minutes": 0,
        "contact_method": named,
        "urgency": "high",
    }

    made = api.post(f"{path}/notification_rules", {"notification_rule": rule})["notification_rule"]

    assert api.get(f"{path}/notification_rules/{made['id']}")["notification_rule"] == made
    assert api.call("GET", f"/users/{other['id']}/notification_rules/{made['id']}").status_code == 404
    assert api.refused("POST", f"/users/{other['id']}/notification_rules", {"notification_rule": rule})[0] == 400
    api.delete(f"{path}/contact_methods/{method['id']}")
    assert api.get(f"{path}/notification_rules")["notification_rules"] == []


def test_a_phone_needs_its_country_and_an_address_is_listed_once(api: AccountApi) -> None:
    path = f"/users/{api.user()['id']}/contact_methods"
    phone = {"type": "phone_contact_method", "label": "Mobile", "address": "5551234567"}

    assert api.refused("POST", path, {"contact_method": phone})[2] == ["Country code can't be blank"]
    api.post(path, {"contact_method": {**phone, "country_code": 49}})
    assert api.refused("POST", path, {"contact_method": {**phone, "country_code": 49}})[0] == 400


def test_handoff_and_status_update_rules_have_the_same_life(api: AccountApi) -> None:
    user = api.user()
    method = api.get(f"/users/{user['id']}/contact_methods")["contact_methods"][0]
    for noun, more in (
        ("oncall_handoff_notification_rule", {"handoff_type": "both", "notify_advance_in_minutes": 60}),
        ("status_update_notification_rule", {}),
    ):
        path = f"/users/{user['id']}/{noun}s"
        made = api.post(path, {noun: {"contact_method": reference(method), **more}})[noun]

        assert [one["id"] for one in api.get(path)[f"{noun}s"]] == [made["id"]]
        api.put(f"{path}/{made['id']}", {noun: {"contact_method": reference(method), **more}})
        api.delete(f"{path}/{made['id']}")
        assert api.get(path)[f"{noun}s"] == []


def test_a_user_in_use_stays(api: AccountApi) -> None:
    user = api.user()
    policy = api.policy(user)

    status, code, reasons = api.refused("DELETE", f"/users/{user['id']}")

    assert (status, code) == (400, 2001)
    assert "The user is on the escalation policy policy" in reasons
    api.delete(f"/escalation_policies/{policy['id']}")
    api.schedule(user)
    assert "The user is on the schedule weeks" in api.refused("DELETE", f"/users/{user['id']}")[2]


def test_a_user_who_is_assigned_an_open_incident_stays(api: AccountApi) -> None:
    user, other = api.user(), api.user("Bob")
    policy = api.policy(user)
    service = api.service(policy)
    door = {"type": "events_api_v2_inbound_integration", "name": "events"}
    key = api.post(f"/services/{service['id']}/integrations", {"integration": door})["integration"]["integration_key"]
    trigger = {"routing_key": key, "event_action": "trigger", "dedup_key": "k"}
    api.sandbox.enqueue({**trigger, "payload": {"summary": "s", "source": "h", "severity": "critical"}})
    rule = {"escalation_delay_in_minutes": 5, "targets": [reference(other)]}
    changed = {"type": "escalation_policy", "name": "policy", "escalation_rules": [rule]}
    api.put(f"/escalation_policies/{policy['id']}", {"escalation_policy": changed})

    assert "The user is assigned to the incident 1" in api.refused("DELETE", f"/users/{user['id']}")[2]

    api.sandbox.enqueue({**trigger, "event_action": "resolve"})
    api.delete(f"/users/{user['id']}")


def test_members_of_a_team_have_roles(api: AccountApi) -> None:
    user, team = api.user(), api.team()
    api.put(f"/teams/{team['id']}/users/{user['id']}", {"role": "observer"}, status=204)
    api.put(f"/teams/{team['id']}/users/{user['id']}", {"role": "manager"}, status=204)

    (member,) = api.get(f"/teams/{team['id']}/members")["members"]

    assert (member["user"]["id"], member["user"]["type"], member["role"]) == (user["id"], "user_reference", "manager")
    assert [one["id"] for one in api.get(f"/users/{user['id']}")["user"]["teams"]] == [team["id"]]
    api.delete(f"/teams/{team['id']}/users/{user['id']}")
    assert api.get(f"/teams/{team['id']}/members")["members"] == []


def test_those_who_may_only_read_join_no_team(api: AccountApi) -> None:
    user, team = api.user(role="read_only_user"), api.team()

    assert api.refused("PUT", f"/teams/{team['id']}/users/{user['id']}", {"role": "observer"})[0] == 400


def test_who_is_on_a_teams_policy_cannot_leave_the_team(api: AccountApi) -> None:
    user, team = api.user(), api.team()
    api.put(f"/teams/{team['id']}/users/{user['id']}", {"role": "manager"}, status=204)
    api.policy(user, teams=[reference(team)])

    assert api.refused("DELETE", f"/teams/{team['id']}/users/{user['id']}")[0] == 400


def test_a_team_with_policies_stays_unless_another_takes_them(api: AccountApi) -> None:
    team, heir = api.team(), api.team("heirs")
    policy = api.policy(api.user())
    api.put(f"/teams/{team['id']}/escalation_policies/{policy['id']}", status=204)

    assert api.refused("DELETE", f"/teams/{team['id']}")[:2] == (400, 6006)

    assert api.call("DELETE", f"/teams/{team['id']}", reassignment_team=heir["id"]).status_code == 204
    policy = api.get(f"/escalation_policies/{policy['id']}")["escalation_policy"]
    assert [one["id"] for one in policy["teams"]] == [heir["id"]]


def test_a_policy_leaves_its_team_and_the_team_can_go(api: AccountApi) -> None:
    team, policy = api.team(), api.policy(api.user())
    path = f"/teams/{team['id']}/escalation_policies/{policy['id']}"
    api.put(path, status=204)

    api.delete(path)

    assert api.call("DELETE", path).status_code == 404
    api.delete(f"/teams/{team['id']}")


def test_a_policy_has_one_to_ten_targets_at_each_level(api: AccountApi) -> None:
    user = api.user()
    for count in (0, 11):
        rule = {"escalation_delay_in_minutes": 5, "targets": [reference(user)] * count}
        body = {"escalation_policy": {"type": "escalation_policy", "name": "p", "escalation_rules": [rule]}}

        assert api.refused("POST", "/escalation_policies", body)[:2] == (400, 2001)


def test_a_policy_names_only_who_exists(api: AccountApi) -> None:
    rule = {"escalation_delay_in_minutes": 5, "targets": [{"id": "PNOBODY", "type": "user_reference"}]}
    body = {"escalation_policy": {"type": "escalation_policy", "name": "p", "escalation_rules": [rule]}}

    assert api.refused("POST", "/escalation_policies", body)[2] == ["Targets PNOBODY was not found"]


def test_a_policy_in_use_stays(api: AccountApi) -> None:
    policy = api.policy(api.user())
    service = api.service(policy)

    assert "It is used by the service shop" in api.refused("DELETE", f"/escalation_policies/{policy['id']}")[2]

    api.delete(f"/services/{service['id']}")
    api.delete(f"/escalation_policies/{policy['id']}")


def test_two_policies_cannot_share_a_name(api: AccountApi) -> None:
    user = api.user()
    api.policy(user)
    rule = {"escalation_delay_in_minutes": 5, "targets": [reference(user)]}
    body = {"escalation_policy": {"type": "escalation_policy", "name": "POLICY", "escalation_rules": [rule]}}

    assert api.refused("POST", "/escalation_policies", body)[2] == ["Name has already been taken"]


def test_a_list_is_paged_sorted_and_counted_on_request(api: AccountApi) -> None:
    user = api.user()
    for name in ("c", "a", "d", "b"):
        api.policy(user, name=name)

    page = api.get("/escalation_policies", limit=2, offset=1, sort_by="name:desc", total="true", query="")

    names = [one["name"] for one in api.get("/escalation_policies", sort_by="name")["escalation_policies"]]
    assert [name for name in names if len(name) == 1] == ["a", "b", "c", "d"]
    assert ([one["name"] for one in page["escalation_policies"]], page["more"]) == (["d", "c"], True)
    assert page["total"] == 5  # the account's default policy is one of them
