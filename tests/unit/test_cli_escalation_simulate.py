"""`tocsin escalations simulate`: a policy tried out from a shell."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.config_kit import KEY, OTHER_KEY, Folder
from workers.cli.escalation_commands import app
from workers.cli.output import CliError, ExitCode

POLICY = """\
hours: [{name: office, time_zone: Europe/Paris, times: [{days: [mon, tue, wed, thu, fri], from: "09:00", to: "18:00"}]}]
steps:
  - {name: chat, after: 5m, targets: [{channel: primary}]}
  - {name: day, after: 10m, targets: [{channel: standby}], when: {hours: office, otherwise: skip}}
  - {name: grave, after: 10m, targets: [{channel: standby}], when: {severity: [critical], hours: office}}
acknowledgement_timeout: 30m
"""
BOARD = "{name: standby, kind: webhook, url: 'https://board.example/x', secret: 0123456789abcdef}"
CHANNELS = f"[{{name: primary, routing_key: {OTHER_KEY}}}, {BOARD}]"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    folder = Folder(tmp_path)
    folder.write("policies/shop.yaml", POLICY)
    folder.write("policies/plain.yaml", "steps: [{after: 5m, targets: [{channel: a}], when: {severity: [critical]}}]")
    folder.write("services/shop.yaml", f"channels: {CHANNELS}\nescalation: shop")
    monkeypatch.setenv("TOCSIN_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path / "state"))
    return folder


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["simulate", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_the_table_says_who_is_reached_when_and_why() -> None:
    said = run("shop", "--at", "2026-11-27T17:50", "--severity", "warning")

    assert said.splitlines() == [
        "policy shop, severity warning, begins Fri 2026-11-27 17:50 +01:00; times of Europe/Paris",
        "",
        "AFTER  TIME                  ROUND  STEP  REACHES           WHY THEN",
        "+5m    Fri 2026-11-27 17:55  1/1    chat  channel primary",
        "+15m   Fri 2026-11-27 18:05  1/1    day   nobody: left out  office closed (Fri 18:05)",
        "",
        "Not for warning alerts: grave.",
        "An acknowledge stops it; 30m later, if still open, the first step is due again.",
    ]


def test_a_step_that_waits_says_for_what_and_how_long() -> None:
    said = run("shop", "--at", "2026-11-27T17:50", "--severity", "critical")

    assert "+2d 15h  Mon 2026-11-30 09:00  1/1    grave  channel standby" in said
    assert "waited 2d 14h until office (mon,tue,wed,thu,fri 09:00-18:00 Europe/Paris): there it is Mon 09:00" in said


def test_a_service_names_the_kinds_of_its_channels() -> None:
    assert "channel primary (pagerduty)" in run("shop", "--service", "shop", "--at", "2026-11-27T10:00")


@pytest.mark.parametrize(
    ("zone", "at", "shown"),
    [
        ("America/New_York", "2026-11-27T11:50", "Fri 2026-11-27 11:50 -05:00; times of America/New_York"),
        ("America/New_York", "2026-11-27T17:50+01:00", "Fri 2026-11-27 11:50 -05:00"),
        ("UTC", "2026-07-01T00:00:30Z", "Wed 2026-07-01 00:00:30 +00:00; times of UTC"),
    ],
)
def test_times_are_those_of_the_zone_that_is_asked_for(zone: str, at: str, shown: str) -> None:
    assert shown in run("shop", "--zone", zone, "--at", at)


def test_a_policy_that_is_not_for_such_alerts_says_so() -> None:
    said = run("plain", "--severity", "info", "--at", "2026-11-27T17:50")

    assert "No step is for info alerts" in said
    assert "times of this machine" in said


def test_without_a_time_the_alert_begins_now() -> None:
    assert json.loads(run("plain", "--json"))["turns"][0]["after_seconds"] == 300


def test_one_document_says_the_same() -> None:
    document = json.loads(
        run("shop", "--service", "shop", "--at", "2026-11-27T17:50", "--severity", "warning", "--json")
    )

    assert document["at"] == "2026-11-27T17:50:00+01:00"
    assert document["not_for_this_severity"] == ["grave"]
    assert document["acknowledgement_timeout_seconds"] == 1800
    assert document["turns"][0]["targets"] == [{"kind": "channel", "value": "primary", "channel_kind": "pagerduty"}]
    assert document["turns"][1] == {
        "at": "2026-11-27T18:05:00+01:00",
        "after_seconds": 900,
        "round": 1,
        "step": "day",
        "outcome": "left_out",
        "targets": [{"kind": "channel", "value": "standby", "channel_kind": "webhook"}],
        "waited_seconds": 0,
        "why": "office closed (Fri 18:05)",
    }


def test_it_is_drawn_as_text_and_as_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "shop.svg"

    said = run("shop", "--at", "2026-11-27T17:50", "--chart", "--svg", str(file))

    assert "● reached" in said
    assert "Fri 27 Nov" in said
    assert file.read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shpo"], "There is no policy 'shpo': did you mean shop?"),
        (["shop", "--service", "shpo"], "There is no service 'shpo': did you mean shop?"),
        (["shop", "--service", "default"], "Service 'default' has no channel standby, which policy 'shop' names"),
        (["shop", "--at", "soon"], "'soon' is no time"),
        (["shop", "--zone", "Paris"], "'Paris' is no time zone"),
        (["shop", "--svg", "/nowhere/x.svg"], "/nowhere/x.svg cannot be written"),
    ],
)
def test_what_cannot_be_tried_out_is_said_with_the_way_out(arguments: list[str], said: str) -> None:
    with pytest.raises(CliError) as caught:
        run(*arguments)

    assert said in str(caught.value)
    assert caught.value.code in (ExitCode.USAGE, ExitCode.FAILED)
    assert KEY not in str(caught.value)
