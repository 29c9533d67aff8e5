"""What docs/webhooks.md shows is what happens."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from config.mapping_files import load_mapping, mapping_paths
from tasks.utils.data_transformer import DataTransformer
from workers.cli.webhook_commands import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "webhooks.md").read_text("utf-8")
DATA = ROOT / "tests" / "data" / "webhooks"


def blocks(heading: str, language: str) -> list[str]:
    """The code blocks of one chapter."""
    chapter = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", chapter, re.DOTALL)


@pytest.fixture
def github(tmp_path: Path) -> tuple[str, Any]:
    """The page's mapping in a file, and its document."""
    [mapping] = blocks("A mapping of your own", "yaml")
    file = tmp_path / "github.yaml"
    file.write_text(mapping)
    return str(file), json.loads(blocks("A mapping of your own", "json")[0])


def test_the_example_makes_the_alert_that_the_page_shows(github: tuple[str, Any], tmp_path: Path) -> None:
    mapping, document = github
    (tmp_path / "run.json").write_text(json.dumps(document))

    result = CliRunner().invoke(app, ["try", mapping, str(tmp_path / "run.json")])

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == json.loads(blocks("A mapping of your own", "json")[1])


@pytest.mark.parametrize(
    ("changes", "headers", "rule"),
    [
        ({"action": "requested"}, [], "not finished"),
        ({"workflow_run": {"id": 1, "head_branch": "try"}}, [], "not the main branch"),
        ({}, ["--header", "X-GitHub-Event=ping"], "ping"),
    ],
)
def test_the_example_ignores_by_name(
    github: tuple[str, Any], changes: dict[str, Any], headers: list[str], rule: str
) -> None:
    mapping, document = github

    result = CliRunner().invoke(app, ["try", mapping, "-", "--json", *headers], input=json.dumps(document | changes))

    assert json.loads(result.stdout) == {"alerts": [], "notes": [], "ignored": [rule], "errors": []}


def test_the_script_of_the_page_runs(
    github: tuple[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mapping, document = github
    (tmp_path / "mappings").mkdir()
    Path(mapping).rename(tmp_path / "mappings" / "github.yaml")
    monkeypatch.chdir(tmp_path)
    [script] = blocks("From a script", "python")

    exec(script, {"document": document})

    assert capsys.readouterr().out == "trigger github/shop/web/42\n"


def test_the_payload_for_datadog_holds_what_its_mapping_looks_at_and_nothing_else() -> None:
    [payload] = blocks("Datadog", "json")
    mapping = load_mapping(mapping_paths(Path("/none"))["datadog"], {})
    [shape] = mapping.alerts
    details = shape.fields.details
    assert isinstance(details, dict)
    parts = [*shape.fields.texts.values(), *details.values(), *shape.fields.images[0].values()]

    assert set(json.loads(payload)) == {path.text for part in parts for path in part.paths()}


def test_the_payload_for_datadog_makes_an_alert_once_it_is_filled_in() -> None:
    [payload] = blocks("Datadog", "json")
    known = json.loads((DATA / "datadog_recovered.json").read_text("utf-8"))
    filled = {name: known[name] for name in json.loads(payload)}

    [alert] = DataTransformer(load_mapping(mapping_paths(Path("/none"))["datadog"], {})).alerts(filled)

    assert alert["event_action"] == "resolve"


def test_the_page_knows_every_mapping_and_every_field() -> None:
    from config.mappings import TEXT_FIELDS, Options

    known = [*mapping_paths(Path("/none")), *TEXT_FIELDS, *Options.model_fields, "let", "ignore", "alerts"]

    assert [name for name in known if f"`{name}`" not in PAGE] == []
