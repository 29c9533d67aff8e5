import io
import json
from pathlib import Path

import pytest
import yaml

from tasks.utils.error_handler import InvalidAlertError
from workers.cli.alert_input import Flags, checked, from_file, from_flags
from workers.cli.output import CliError

NO_FLAGS = Flags(None, "critical", None, None, "trigger")
INGEST_KEY = "0123456789abcdef0123456789abcdef"
ALERT = {"event_action": "trigger", "payload": {"summary": "disk full", "source": "db1", "severity": "error"}}


@pytest.fixture(autouse=True)
def _one_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    service = {
        "ingest_keys": [INGEST_KEY],
        "channels": [{"name": "page", "routing_key": "fedcba9876543210fedcba9876543210"}],
    }
    (tmp_path / "pagerduty.yaml").write_text("default_service: web\n")
    (tmp_path / "services" / "web.yaml").write_text(yaml.safe_dump(service))
    monkeypatch.setenv("TOCSIN_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path / "state"))


def test_flags_make_a_trigger() -> None:
    [alert] = from_flags(Flags("disk full", "error", "db1", "disk-1", "trigger"))

    assert alert == ALERT | {"dedup_key": "disk-1"}


def test_without_a_source_this_host_is_the_source() -> None:
    [alert] = from_flags(NO_FLAGS._replace(summary="x"))

    assert alert["payload"]["source"]


def test_flags_make_a_resolve_without_a_payload() -> None:
    assert from_flags(NO_FLAGS._replace(dedup_key="k", action="resolve")) == [
        {"event_action": "resolve", "dedup_key": "k"}
    ]


def test_flags_make_a_change_event_without_a_severity() -> None:
    [change] = from_flags(Flags("deployed v2", "critical", "web1", None, "change"))

    assert change == {"event_action": "change", "payload": {"summary": "deployed v2", "source": "web1"}}


def test_neither_file_nor_flags_is_refused() -> None:
    with pytest.raises(CliError, match="--summary"):
        from_flags(NO_FLAGS)


def test_file_and_flags_together_are_refused() -> None:
    with pytest.raises(CliError, match="not both"):
        from_file("-", NO_FLAGS._replace(summary="x"))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (json.dumps(ALERT), 1),
        (json.dumps([ALERT, ALERT], indent=2), 2),
        (f"{json.dumps(ALERT)}\n\n{json.dumps(ALERT)}\n{json.dumps(ALERT)}\n", 3),
    ],
    ids=["one object", "a list", "one a line"],
)
def test_a_file_holds_one_alert_or_many(text: str, count: int, tmp_path: Path) -> None:
    file = tmp_path / "alerts.json"
    file.write_text(text)

    assert from_file(str(file), NO_FLAGS) == [ALERT] * count


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(ALERT)))

    assert from_file("-", NO_FLAGS) == [ALERT]


@pytest.mark.parametrize(
    ("content", "told"), [(b"{not json", "is not JSON: "), (b"", "is not JSON: "), (b"\xff", "is not UTF-8 text")]
)
def test_a_file_that_is_no_alert_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "alerts.json"
    file.write_bytes(content)

    with pytest.raises(CliError, match=told):
        from_file(str(file), NO_FLAGS)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(CliError, match=r"Cannot read nowhere\.json: No such file"):
        from_file("nowhere.json", NO_FLAGS)


def test_the_service_of_the_flag_is_put_into_every_alert() -> None:
    alerts, notes = checked([ALERT, ALERT], "web")

    assert alerts == [ALERT | {"service": "web"}] * 2
    assert notes == []


def test_a_routing_key_becomes_its_services_name_and_never_travels() -> None:
    [alert], _ = checked([ALERT | {"routing_key": INGEST_KEY}], None)

    assert alert == ALERT | {"service": "web"}


def test_a_routing_key_nobody_owns_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidAlertError, match="no service's ingest key") as raised:
        checked([ALERT | {"routing_key": "x" * 32}], None)

    assert "x" * 32 not in str(raised.value)


def test_a_misspelt_service_is_refused_with_the_near_one() -> None:
    with pytest.raises(InvalidAlertError, match=r"'webb' is not configured; known: .*Did you mean web\?"):
        checked([ALERT], "webb")


def test_each_fault_names_its_alert() -> None:
    with pytest.raises(InvalidAlertError) as raised:
        checked([ALERT, {"event_action": "trigger"}, 5], "web")

    assert all(error.startswith(("alert 2: ", "alert 3: ")) for error in raised.value.errors)
    assert {error[:8] for error in raised.value.errors} == {"alert 2:", "alert 3:"}


def test_a_slip_that_will_be_mended_is_said() -> None:
    slip = ALERT | {"payload": ALERT["payload"] | {"severity": "fatal"}}

    [alert], notes = checked([slip], "web")

    assert alert == slip | {"service": "web"}
    assert len(notes) == 1
    assert "severity" in notes[0]
