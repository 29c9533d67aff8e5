"""What files of policies and holidays may say, and what is refused with its line and its mend."""

from datetime import timedelta
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

import config
from config.policies import EscalationPolicy
from config.schema import json_schema
from config.settings import load
from tasks.escalations.calendar import Holiday, Span
from tasks.escalations.compiling import compiled
from tasks.escalations.policy import Hours, Target, step
from tasks.utils.config_parser import ConfigParser
from tests.unit.config_kit import OTHER_KEY, Folder

SHIPPED = Path(config.__file__).parent
WHOLE = """\
description: Everybody.
hours:
  - name: office
    time_zone: Europe/Paris
    times: [{days: [fri, mon], from: "9:00", to: "18:00"}, {days: [sat], from: "22:00", to: "02:00"}]
    holidays: [france, company]
urgencies: {warning: high}
steps:
  - {after: 0s, targets: [{channel: primary}]}
  - {name: people, after: 5m, targets: [{user: PUSER01}, {schedule: PSCHED1}, {policy: PPOLICY}], when: {urgency: High}}
  - {after: 1h30m, targets: [{webhook: board}], when: {severity: [Critical], hours: office, otherwise: skip}}
  - {after: 10m, targets: [{channel: primary}], when: {outside: office}}
repeats: 2
repeat_after: 20m
hand_over: {after: 25m, policy: PLAST}
acknowledgement_timeout: 30m
auto_resolve: 4h
on_no_receipt: escalate
"""
ONE_STEP = "steps: [{after: 5m, targets: [{channel: primary}]}]\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    folder.write("holidays/france.yaml", 'days: ["12-25 Christmas Day", 2026-04-06   Easter Monday]')
    folder.write("holidays/company.yaml", "days: [12-24]")
    return folder


def test_a_policy_is_read_as_it_is_written_and_decides_so(folder: Folder) -> None:
    folder.write("policies/all.yaml", WHOLE)
    settings = folder.load()

    policy = compiled(settings.policies["all"], settings.holidays)

    assert [one.name for one in policy.steps] == ["step-1", "people", "step-3", "step-4"]
    assert [one.after for one in policy.steps] == [timedelta(minutes=minutes) for minutes in (0, 5, 90, 10)]
    assert policy.steps[1].targets == (
        Target("pagerduty_user", "PUSER01"),
        Target("pagerduty_schedule", "PSCHED1"),
        Target("pagerduty_policy", "PPOLICY"),
    )
    assert policy.steps[2].targets == (Target("webhook", "board"),)
    assert [one.severities for one in policy.steps] == [(), ("critical", "error", "warning"), ("critical",), ()]
    calendar = policy.steps[2].hours.calendar if policy.steps[2].hours else None
    assert calendar is not None
    assert (calendar.zone, calendar.spans) == ("Europe/Paris", (Span((0, 4), 540, 1080), Span((5,), 1320, 120)))
    assert calendar.holidays == (
        Holiday("12-24", "holiday"),
        Holiday("12-25", "Christmas Day"),
        Holiday("2026-04-06", "Easter Monday"),
    )
    assert policy.steps[2].hours == Hours(calendar, inside=True, waits=False)
    assert policy.steps[3].hours == Hours(calendar, inside=False, waits=True)
    assert (policy.repeats, policy.repeat_after) == (2, timedelta(minutes=20))
    assert (policy.acknowledgement_timeout, policy.auto_resolve) == (timedelta(minutes=30), timedelta(hours=4))
    assert policy.escalates_unseen
    last = step(policy, policy.length - 1)
    assert last is not None
    assert (last.after, last.targets) == (timedelta(minutes=25), (Target("pagerduty_policy", "PLAST"),))


def test_every_fault_of_a_policy_is_said_at_once_each_with_its_line(folder: Folder) -> None:
    folder.write(
        "policies/bad.yaml",
        """\
        name: good
        hours:
          - name: paris
            time_zone: Europe/Pariss
            times: [{days: [mon], from: "09:00", to: "25:00"}]
            holidays: [frnce]
          - {name: paris, time_zone: UTC, times: []}
        steps:
          - {after: -5m, targets: []}
          - {name: x, after: 5m, targets: [{channel: a, user: PX}], when: {hours: pariss, severity: [citical]}}
          - {name: x, after: 5m, targets: [{user: px}, {}], when: {hours: paris, outside: paris}}
          - {after: 5m, targets: [{channel: a}], when: {otherwise: skip}}
          - {after: 5m, targets: [{chanel: a}], when: {otherwise: skipp}}
        repeats: many
        hand_over: {after: 5m}
        """,
    )

    said = "\n".join(folder.problems())

    for found in (
        "bad.yaml:1: name: is 'good', but the file is bad.yaml",
        "bad.yaml:4: hours[0].time_zone: is no time zone, got 'Europe/Pariss'; mend: did you mean Europe/Paris?",
        "bad.yaml:5: hours[0].times[0].to: is no time of day",
        "bad.yaml:6: hours[0].holidays[0]: there is no list of holidays 'frnce'; mend: did you mean france?",
        "bad.yaml:7: hours[1].times: needs at least one entry",
        "bad.yaml:7: hours[1].name: another one of the hours is called 'paris' (policies/bad.yaml:3)",
        "bad.yaml:9: steps[0].after: is not a length of time, got '-5m'",
        "bad.yaml:9: steps[0].targets: needs at least one entry",
        "bad.yaml:10: steps[1].targets[0]: names channel and user",
        "bad.yaml:10: steps[1].when.severity[0]: must be 'critical', 'error', 'warning' or 'info'",
        "bad.yaml:10: steps[1].when.hours: this policy has no hours 'pariss'; mend: did you mean paris?",
        "bad.yaml:11: steps[2].targets[0].user: has characters that are not allowed here",
        "bad.yaml:11: steps[2].targets[1]: names nobody",
        "bad.yaml:11: steps[2].when: hours stands beside outside",
        "bad.yaml:11: steps[2].name: another one of the steps is called 'x' (policies/bad.yaml:10)",
        "bad.yaml:12: steps[3].when: otherwise says nothing without hours",
        "bad.yaml:13: steps[4].targets[0].chanel: there is no such setting; mend: did you mean channel?",
        "bad.yaml:13: steps[4].when.otherwise: must be 'wait' or 'skip'",
        "bad.yaml:14: repeats: must be a whole number",
        "bad.yaml:15: hand_over.policy: is missing",
    ):
        assert f"policies/{found}" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"auto_resolve: 5m\n{ONE_STEP}", "auto_resolve ends the alert before the first step"),
        (
            "steps: [{after: 5m, targets: [{channel: a}], when: {urgency: high, severity: [info]}}]",
            "can never be taken: no alert that is info has urgency high",
        ),
        (
            "steps: [{after: 5m, targets: [{channel: a}], when: {hours: office}}]",
            "this policy has no hours 'office'; mend: write them under `hours` in this file",
        ),
        ("steps: []", "needs at least one entry"),
        ("description: nothing", "steps: is missing"),
        ("", "steps: is missing"),
    ],
)
def test_a_policy_that_cannot_work_is_refused(folder: Folder, text: str, said: str) -> None:
    folder.write("policies/p.yaml", text)

    assert said in folder.problem()


@pytest.mark.parametrize("day", ["2026-02-30 Never", "25-12 Christmas", "Christmas", "2026-12-25Christmas", "13-01"])
def test_a_day_that_no_calendar_has_is_refused(folder: Folder, day: str) -> None:
    folder.write("holidays/odd.yaml", f"days:\n  - 02-29 Leap Day\n  - {day}\n")

    assert folder.problem().startswith("holidays/odd.yaml:3: days[1]: is ")


def test_a_service_names_a_policy_whose_channels_it_has(folder: Folder) -> None:
    folder.write("policies/on-call.yaml", ONE_STEP)
    folder.write("services/shop.yaml", f"escalation: on-call\nchannels: [{{name: primary, routing_key: {OTHER_KEY}}}]")

    assert folder.load().services["shop"].escalation == "on-call"


@pytest.mark.parametrize(
    ("escalation", "policy", "said"),
    [
        ("on-cal", ONE_STEP, "there is no policy 'on-cal'; mend: did you mean on-call?"),
        (
            "on-call",
            "steps: [{after: 5m, targets: [{channel: prmary}]}]",
            "step-1 of policy 'on-call' names channel 'prmary', which this service does not have; mend: did you mean primary? Or add it",
        ),
        (
            "on-call",
            "steps: [{name: board, after: 5m, targets: [{webhook: primary}]}]",
            "board of policy 'on-call' names webhook 'primary', which is a channel of kind pagerduty here; mend: write `- channel",
        ),
    ],
)
def test_a_service_cannot_follow_a_policy_that_does_not_fit_it(
    folder: Folder, escalation: str, policy: str, said: str
) -> None:
    folder.write("policies/on-call.yaml", policy)
    folder.write(
        "services/shop.yaml", f"channels: [{{name: primary, routing_key: {OTHER_KEY}}}]\nescalation: {escalation}"
    )

    assert folder.problem().startswith(f"services/shop.yaml:2: escalation: {said}")


def test_without_any_policy_the_mend_is_to_write_one(folder: Folder) -> None:
    folder.write("services/shop.yaml", f"channels: [{{name: primary, routing_key: {OTHER_KEY}}}]\nescalation: on-call")

    assert folder.problem().endswith("there is no policy 'on-call'; mend: write policies/on-call.yaml, or remove it")


@pytest.mark.parametrize(
    "part", ["steps: [{after: 5m, targets: [{user: PUSER01}]}]", f"{ONE_STEP}hand_over: {{policy: PP}}"]
)
def test_people_of_pagerduty_are_called_only_with_a_key_and_a_name(folder: Folder, part: str) -> None:
    folder.write("policies/on-call.yaml", part)
    folder.write("services/shop.yaml", f"channels: [{{name: primary, routing_key: {OTHER_KEY}}}]\nescalation: on-call")

    said = folder.problems()

    assert [line.rpartition("; mend: ")[2] for line in said] == ["set PAGERDUTY_API_KEY", "set PAGERDUTY_FROM_EMAIL"]
    assert folder.load({"PAGERDUTY_API_KEY": "k", "PAGERDUTY_FROM_EMAIL": "a@b.example"})


@pytest.mark.parametrize("name", ["policies", "holidays"])
def test_policies_do_not_stand_in_the_main_file(folder: Folder, name: str) -> None:
    folder.write("pagerduty.yaml", f"{name}: {{}}")

    assert f"pagerduty.yaml:1: {name}: cannot be set here" in folder.problem()


def test_the_shipped_policies_are_sound_and_decide_something() -> None:
    settings = load(environ={"HOME": "/home/somebody"})

    assert set(settings.policies) >= {"on-call", "follow-the-sun"}
    for said in settings.policies.values():
        assert said.description
        assert compiled(said, settings.holidays).of("critical").length


def test_the_shipped_default_fits_the_shipped_service_with_two_channels(folder: Folder) -> None:
    for kind in ("policies", "holidays"):
        for path in (SHIPPED / kind).glob("*.yaml"):
            folder.write(f"{kind}/{path.name}", path.read_text("utf-8"))
    text = (SHIPPED / "services" / "database.yaml").read_text("utf-8")

    folder.write("services/database.yaml", text.replace("# escalation: on-call", "escalation: on-call"))

    assert folder.load().services["database"].escalation == "on-call"


def test_an_editors_schema_takes_what_the_loader_takes(folder: Folder) -> None:
    plain = WHOLE.replace("High", "high").replace("Critical", "critical")
    policies = [*(SHIPPED / "policies").glob("*.yaml"), folder.write("policies/all.yaml", plain)]

    for path in policies:
        jsonschema_rs.validate(json_schema("policy"), yaml.safe_load(path.read_text("utf-8")))
    for path in (SHIPPED / "holidays").glob("*.yaml"):
        jsonschema_rs.validate(json_schema("holidays"), yaml.safe_load(path.read_text("utf-8")))
    assert not jsonschema_rs.is_valid(json_schema("policy"), {"stepps": []})


def test_a_file_can_be_checked_by_itself(folder: Folder) -> None:
    path = folder.write("policies/p.yaml", ONE_STEP)

    assert isinstance(ConfigParser({}).parse(path), EscalationPolicy)
    assert ConfigParser({}).check(folder.write("holidays/h.yaml", "days: []"))
