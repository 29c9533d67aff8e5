"""The example of docs/routing.md does what the page says."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.services import Service
from tasks.alerts.routing import Router
from tests.unit.config_kit import Folder

PAGE = (Path(__file__).parents[2] / "docs" / "routing.md").read_text("utf-8")
YAML = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
ROWS = re.findall(r"^\| `(\S+=[^`]*)` \| \w{3} (\S+ \S+) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


@pytest.fixture
def services(tmp_path: Path) -> dict[str, Service]:
    assert YAML is not None
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", YAML[1])
    folder.write("services/database.yaml", f"channels: [{{name: primary, routing_key: {'D' * 32}}}]")
    return folder.load().services


@pytest.mark.parametrize(("labels", "when", "routes", "destinations"), ROWS)
def test_every_row_of_the_table_is_true(
    services: dict[str, Service], labels: str, when: str, routes: str, destinations: str
) -> None:
    asked = dict(pair.split("=") for pair in labels.split())
    now = datetime.fromisoformat(when).replace(tzinfo=UTC)

    routing = Router(services.values()).route("shop", asked, now)

    assert ", ".join(route.name for route in routing.routes) == routes
    assert ", ".join(f"`{destination}`" for destination in routing.destinations) == destinations


def test_the_table_has_its_rows() -> None:
    assert len(ROWS) == 8
