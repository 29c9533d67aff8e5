"""The examples of docs/escalations.md do what the page says."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from tasks.escalations.compiling import compiled
from tasks.escalations.policy import Policy
from tasks.escalations.simulation import Turn, simulate
from tests.unit.config_kit import Folder
from workers.cli.escalation_commands import app

PAGE = (Path(__file__).parents[2] / "docs" / "escalations.md").read_text("utf-8")
FILES = re.findall(r"```yaml\n(# (\w+/\w+\.yaml)\n.*?)```", PAGE, re.DOTALL)
ROWS = re.findall(r"^\| \w{3} (\d\S+ \S+) \| (\w+) \| (.+?) \|$", PAGE, re.MULTILINE)
CONSOLE = re.search(r"```console\n\$ tocsin escalations (.*?)\n(.*?)```", PAGE, re.DOTALL)
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path)
    for text, name in FILES:
        folder.write(name, text)
    return folder


@pytest.fixture
def policy(folder: Folder) -> Policy:
    settings = folder.load()
    return compiled(settings.policies["shop"], settings.holidays)


@pytest.mark.parametrize(("begins", "severity", "reached"), ROWS)
def test_every_row_of_the_table_is_true(policy: Policy, begins: str, severity: str, reached: str) -> None:
    at = datetime.fromisoformat(begins).replace(tzinfo=PARIS)

    found = simulate(policy, at, severity)

    assert ", ".join(said(turn, at) for turn in found.turns) == reached


def said(turn: Turn, begun: datetime) -> str:
    wall = turn.at.astimezone(PARIS)
    text = f"{turn.step.name} {wall:{'%H:%M' if wall.date() == begun.date() else '%a %H:%M'}}"
    return text if turn.outcome == "reached" else f"({text})"


def test_the_table_has_its_rows() -> None:
    assert len(ROWS) == 4
    assert len(FILES) == 2


def test_the_chart_is_the_one_that_is_printed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CONSOLE is not None
    monkeypatch.setenv("TOCSIN_CONFIG_DIR", str(folder.path))
    monkeypatch.setenv("COLUMNS", "100")

    result = CliRunner().invoke(app, CONSOLE[1].split())

    assert result.stdout.strip() == CONSOLE[2].strip()
