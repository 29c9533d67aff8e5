"""`tocsin notifications preview` and what `tocsin config check` says of templates, at the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.test_cli_program import NOWHERE
from tests.program import tocsin
from workers.cli.output import ExitCode

KEY = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
ALERT = {
    "event_action": "trigger",
    "dedup_key": "disk-1",
    "payload": {"summary": "disk full", "source": "db1", "severity": "critical", "custom_details": {"rack": "r1"}},
}
NEWS = [
    ALERT,
    {**ALERT, "dedup_key": "disk-2", "payload": {**ALERT["payload"], "source": "db2"}},  # type: ignore[dict-item]
    {"event_action": "resolve", "dedup_key": "disk-3"},
]


@pytest.fixture(autouse=True)
def _configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for folder in ("services", "templates"):
        (tmp_path / folder).mkdir()
    (tmp_path / "pagerduty.yaml").write_text("default_service: shop\n")
    (tmp_path / "services" / "shop.yaml").write_text(
        f"""\
group_by: [rack]
channels:
  - {{name: page, routing_key: {KEY}}}
  - {{name: desk, kind: slack, webhook_url: "https://hooks.example.com/secret/path", locale: fr, template: night}}
"""
    )
    (tmp_path / "templates" / "night.j2").write_text("nuit {{ say('count_firing', open) }}")
    monkeypatch.setenv("TOCSIN_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("REDIS_URL", NOWHERE)


def preview(*words: str, given: object = ALERT) -> tuple[int, str, str]:
    shown = tocsin("notifications", "preview", "-", *words, input=json.dumps(given))
    return shown.returncode, shown.stdout, shown.stderr


def test_one_alert_is_shown_as_subject_and_text() -> None:
    code, out, err = preview("--channel", "slack")

    assert (code, err) == (ExitCode.OK, "")
    assert out.startswith("Subject: CRITICAL: disk full (r1)\n\n*CRITICAL: disk full (r1)*\nService: shop · rack: r1\n")


def test_a_list_is_one_group_of_the_service_as_it_groups() -> None:
    code, out, _ = preview("--channel", "email", "--locale", "fr", given=NEWS)

    assert code == ExitCode.OK
    assert out.startswith(
        "Subject: [EN COURS\u00a0: 2] shop\u00a0: disk full\n\nCRITIQUE\u00a0: 2 alertes en cours sur r1"
    )
    assert "2 en cours, 1 résolue" in out


def test_a_channel_of_the_service_brings_its_kind_language_and_template() -> None:
    assert preview("--channel", "desk")[1].endswith("\n\nnuit 1 en cours\n")
    assert preview("--channel", "desk", "--locale", "en", "--template", "")[1].endswith("Z_\n")


def test_pagerduty_gets_an_event() -> None:
    code, out, _ = preview("--channel", "pagerduty", given=NEWS)

    assert code == ExitCode.OK
    assert json.loads(out)["payload"]["summary"] == "2 alerts firing on r1: disk full"


def test_json_is_the_whole_notice() -> None:
    notice = json.loads(preview("--channel", "webhook", "--json")[1])

    assert set(notice) == {"subject", "text", "html", "document", "fell_back"}
    assert notice["document"]["members"][0]["labels"]["rack"] == "r1"


def test_a_bundle_may_be_given_whole() -> None:
    bundle = {"service": "shop", "open": 3, "is_reminder": True, "severity": "error", "group": {"rack": "r2"}}

    code, out, _ = preview("--channel", "teams", given=bundle)

    assert code == ExitCode.OK
    assert out.startswith("Subject: ERROR, STILL FIRING: 3 alerts on r2\n")


def test_the_html_of_a_mail_goes_to_a_file(tmp_path: Path) -> None:
    code, _, err = preview("--channel", "email", "--html", str(tmp_path / "mail.html"))

    assert code == ExitCode.OK
    assert "HTML written to" in err
    assert (tmp_path / "mail.html").read_text("utf-8").startswith("<!doctype html>")


def test_a_broken_template_is_told_and_the_default_shown(tmp_path: Path) -> None:
    (tmp_path / "templates" / "night.j2").write_text("\n{{ opne }}")

    code, out, err = preview("--channel", "desk")

    assert code == ExitCode.DEGRADED
    assert "CRITIQUE\u00a0: disk full" in out
    assert "le modèle night.j2:2 est défectueux" in out
    assert err.startswith("template night.j2:2: 'opne' is undefined; mend: did you mean open?\n")


@pytest.mark.parametrize(
    ("words", "given", "told"),
    [
        (("--channel", "slak"), ALERT, "There is no kind or channel 'slak'; known: slack, "),
        (("--channel", "slack", "--locale", "de"), ALERT, "There is no language 'de'; known: en, fr."),
        (("--channel", "slack", "--html", "x.html"), ALERT, "--html is for mails"),
        (("--channel", "slack"), {"event_action": "trigger"}, "'payload' is missing"),
        (("--channel", "slack"), {"members": [{"event_id": "x", "action": "tigger"}]}, "members.0.action: "),
        (("--channel", "slack"), {"event_action": "change", "payload": {"summary": "x"}}, "nobody gets a notification"),
    ],
)
def test_what_cannot_be_shown_is_said_and_why(words: tuple[str, ...], given: object, told: str) -> None:
    code, out, err = preview(*words, given=given)

    assert (code, out) == (ExitCode.USAGE, "")
    assert told in err


def test_config_check_tells_everything_that_is_wrong_with_templates(tmp_path: Path) -> None:
    (tmp_path / "templates" / "night.j2").rename(tmp_path / "templates" / "nihgt.j2")
    (tmp_path / "templates" / "slack.j2").write_text("{{ titel }}")

    shown = tocsin("config", "check", "--json")

    assert shown.returncode == ExitCode.BAD_CONFIG
    problems = json.loads(shown.stdout)["problems"]
    assert [(Path(problem["where"]).name, problem["key"], problem["what"]) for problem in problems] == [
        ("shop.yaml:4", "channels[1].template", "there is no template 'night'"),
        ("nihgt.j2", "", "no channel uses it"),
        ("slack.j2:1", "", "'titel' is undefined"),
    ]
    assert problems[0]["mend"].endswith("night.j2, or: did you mean nihgt?")


def test_config_check_finds_nothing_where_nothing_is_wrong() -> None:
    assert tocsin("config", "check").returncode == ExitCode.OK
