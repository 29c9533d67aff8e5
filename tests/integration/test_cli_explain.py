"""`tocsin alerts explain` at the shell, without a server."""

import json
from pathlib import Path

import pytest

from tests.integration.test_cli_program import NOWHERE
from tests.program import tocsin
from workers.cli.output import ExitCode

INGEST_KEY = "0123456789abcdef0123456789abcdef"
ROUTING_KEY = "fedcba9876543210fedcba9876543210"
EVENT = {
    "event_action": "trigger",
    "dedup_key": "disk-1",
    "payload": {"summary": "disk full", "source": "db1", "severity": "fatal", "custom_details": {"team": "db"}},
}
WEBHOOK = {
    "version": "4",
    "alerts": [{"status": "firing", "labels": {"alertname": name, "team": "db"}, "fingerprint": name} for name in "ab"],
}


@pytest.fixture(autouse=True)
def _configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "pagerduty.yaml").write_text("default_service: web\n")
    (tmp_path / "services" / "web.yaml").write_text(
        f"""\
ingest_keys: [{INGEST_KEY}]
channels:
  - {{name: page, routing_key: {ROUTING_KEY}}}
  - {{name: desk, routing_key: {ROUTING_KEY[::-1]}, routed_only: true}}
routes:
  - {{name: database, match: [team=db], severity: [critical], channels: [desk]}}
  - {{name: night, match: [team=db], times: [{{from: "22:00", to: "06:00"}}], channels: [desk]}}
"""
    )
    monkeypatch.setenv("TOCSIN_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("REDIS_URL", NOWHERE)


def test_the_page_tells_outcome_route_and_channels_and_that_redis_was_not_asked() -> None:
    shown = tocsin("alerts", "explain", "-", "--at", "2026-11-23T12:00Z", input=json.dumps(EVENT))

    assert shown.returncode == ExitCode.OK
    assert (
        shown.stderr == "Redis does not answer: silences, inhibition and what is open already could not be looked up.\n"
    )
    for line in (
        "1. trigger disk-1 of service web",
        "outcome  would be SENT to web/desk, if no rule and no earlier alert stands against it",
        "mended   the severity was unknown and became critical",
        "routes   database: team=db and severity: critical",
        "           to web/desk: desk (pagerduty, key ",
        "rules    not looked up",
        "grouped  by its dedup key alone",
        "policy   PagerDuty's own",
    ):
        assert line in shown.stdout
    assert ROUTING_KEY[::-1] not in shown.stdout


def test_one_json_document_holds_every_alert_of_a_raw_event_with_its_key(tmp_path: Path) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(EVENT | {"routing_key": INGEST_KEY}))

    shown = tocsin("alerts", "explain", str(file), "--json", "--why-not", "night", "--at", "2026-11-23T12:00Z")

    [told] = json.loads(shown.stdout)["alerts"]
    assert (told["service"], told["destinations"], told["state_known"]) == ("web", ["web/desk"], False)
    assert told["looks"][0]["because"] == "'database' before it took the alert, without `continue`"
    assert INGEST_KEY not in shown.stdout


def test_the_body_of_alertmanagers_webhook_is_explained_alert_by_alert() -> None:
    shown = tocsin("alerts", "explain", "-", "--json", input=json.dumps(WEBHOOK))

    told = json.loads(shown.stdout)["alerts"]
    assert [one["dedup_key"] for one in told] == ["alertmanager/a", "alertmanager/b"]
    assert told[0]["labels"]["team"] == "db"


def test_bad_alerts_are_refused_as_submit_refuses_them() -> None:
    bad = json.dumps([EVENT, {"event_action": "trigger"}, EVENT | {"routing_key": "x" * 32}])

    explained, submitted = (tocsin("alerts", verb, "-", input=bad) for verb in ("explain", "submit"))

    assert explained.returncode == submitted.returncode == ExitCode.USAGE
    # To submit is an act: before the same words stands where its record waits while Redis is away.
    assert submitted.stderr.endswith(explained.stderr)
    assert "alert 2: 'payload' is missing" in explained.stderr
    assert "alert 3: its routing_key is no service's ingest key" in explained.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--why-not", "databse"), "there is no route 'databse'; did you mean database?"),
        (("--at", "noon"), "'noon' is no time: write 2026-01-31T03:00"),
        (("--service", "webb"), "service 'webb' is not configured; known: web. Did you mean web?"),
    ],
)
def test_what_is_not_known_is_said_with_what_is(words: tuple[str, ...], told: str) -> None:
    shown = tocsin("alerts", "explain", "-", *words, input=json.dumps(EVENT))

    assert shown.returncode != 0
    assert told in " ".join(shown.stderr.split())


def test_an_empty_webhook_has_nothing_to_explain() -> None:
    shown = tocsin("alerts", "explain", "-", input=json.dumps({"version": "4", "alerts": []}))

    assert (shown.returncode, shown.stdout) == (ExitCode.USAGE, "")
