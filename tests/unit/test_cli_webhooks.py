"""`tocsin webhooks …`, as far as the page of the docs does not show it (see test_docs_webhooks)."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from config.errors import ConfigError
from tasks.utils.error_handler import UnknownError
from workers.cli.output import CliError, ExitCode
from workers.cli.webhook_commands import app

MAPPING = """\
alerts:
  - each: items
    fields: {event_action: trigger, dedup_key: "{$item.id}", summary: "{$item.title}", severity: "{$item.level}"}
"""


@pytest.fixture
def mapping(tmp_path: Path) -> str:
    (tmp_path / "own.yaml").write_text(MAPPING)
    return str(tmp_path / "own.yaml")


def test_the_mappings_are_listed_with_their_addresses() -> None:
    result = CliRunner().invoke(app, ["mappings", "--json"])

    [sentry] = [each for each in json.loads(result.stdout) if each["name"] == "sentry"]
    assert sentry == {
        "name": "sentry",
        "path": "/webhooks/in/sentry",
        "description": "Sentry issue alerts, metric alerts and resolved issues.",
    }
    assert "/webhooks/in/datadog" in CliRunner().invoke(app, ["mappings"]).stdout


def test_a_fault_is_told_beside_the_alerts_and_ends_with_1(mapping: str) -> None:
    document = {"items": [{"id": 1, "title": "one", "level": "loud"}, {"id": 2}]}

    result = CliRunner().invoke(app, ["try", mapping, "-"], input=json.dumps(document))

    assert result.exit_code == ExitCode.FAILED
    assert json.loads(result.stdout)["payload"]["summary"] == "one"
    assert "the severity was unknown and became critical" in result.stderr
    assert "own.yaml:3: summary: the document has nothing fit for it at $item.title; mend:" in result.stderr


def test_a_document_that_fits_nowhere_is_told_so(mapping: str) -> None:
    result = CliRunner().invoke(app, ["try", mapping, "-", "--json"], input="{}")

    assert result.exit_code == ExitCode.FAILED
    assert "the document has no list at items" in json.loads(result.stdout)["errors"][0]


@pytest.mark.parametrize(
    ("words", "text", "error"),
    [
        (["sentry", "-"], "{", CliError),
        (["sentry", "/nowhere.json"], "", CliError),
        (["sentry", "-", "--header", "x"], "{}", CliError),
        (["sentri", "-"], "{}", UnknownError),
        (["/nowhere.yaml", "-"], "{}", ConfigError),
    ],
)
def test_what_cannot_be_read_is_told(words: list[str], text: str, error: type[Exception]) -> None:
    result = CliRunner().invoke(app, ["try", *words], input=text)

    assert isinstance(result.exception, error)
