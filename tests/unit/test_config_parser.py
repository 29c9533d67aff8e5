"""A file by itself, a text, or a folder: what it says, or all that is wrong with it; and schemas that editors can use."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

import config
from config.errors import ConfigError
from config.mappings import WebhookMapping
from config.models import Settings
from config.schema import Kind, json_schema
from config.services import Service
from tasks.utils.config_parser import ConfigParser

SHIPPED = Path(config.__file__).parent
HOME = {"HOME": "/home/somebody"}
schema_of = cache(json_schema)
WRONG_SERVICE = """\
ingest_keys: [short]
channels:
  - name: "a b"
    routing_key: ${NOT_SET}
colour: blue
"""


@pytest.fixture
def parser() -> ConfigParser:
    return ConfigParser(HOME)


def test_a_folder_is_loaded_as_tocsin_loads_it(parser: ConfigParser) -> None:
    settings = parser.parse(SHIPPED)

    assert isinstance(settings, Settings)
    assert "checkout" in settings.services
    assert parser.check(SHIPPED) == ()


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("pagerduty.yaml", Settings),
        ("environments/production.yaml", Settings),
        ("services/checkout.yaml", Service),
        ("mappings/sentry.yaml", WebhookMapping),
    ],
)
def test_a_file_is_what_its_place_makes_it(parser: ConfigParser, file: str, kind: type) -> None:
    assert isinstance(parser.parse(SHIPPED / file), kind)


def test_all_problems_of_a_file_are_told_with_line_and_mend(parser: ConfigParser, tmp_path: Path) -> None:
    folder = tmp_path / "services"
    folder.mkdir()
    (folder / "web.yaml").write_text(WRONG_SERVICE)

    problems = parser.check(folder / "web.yaml")

    assert [(problem.place()[1], problem.key) for problem in problems] == [
        (1, "ingest_keys[0]"),
        (3, "channels[0].name"),
        (4, "channels[0].routing_key"),
        (5, "colour"),
    ]
    assert all(problem.mend for problem in problems)


def test_a_text_is_checked_as_the_file_it_is_to_become(parser: ConfigParser) -> None:
    with pytest.raises(ConfigError, match=r"delivery\.deadline"):
        parser.parse_text("delivery: {deadline: soon}")
    service = parser.parse_text(f"channels: [{{name: pd, routing_key: {'a1' * 16}}}]", "services/web.yaml")
    assert isinstance(service, Service)
    assert service.name == "web"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a: [", b"services: {}", b"- a", None])
def test_what_is_no_configuration_is_a_problem_and_no_crash(
    parser: ConfigParser, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "pagerduty.yaml"
    if content is not None:
        path.write_bytes(content)

    assert len(parser.check(path)) == (content != b"")


def files(kind: Kind) -> list[Path]:
    if kind == "service":
        return sorted(SHIPPED.glob("services/*.yaml"))
    return [SHIPPED / "pagerduty.yaml", *sorted(SHIPPED.glob("environments/*.yaml"))]


@pytest.mark.parametrize(("kind", "path"), [(kind, path) for kind in ("settings", "service") for path in files(kind)])
def test_every_shipped_file_fits_its_schema(kind: Kind, path: Path) -> None:
    jsonschema_rs.validate(schema_of(kind), yaml.safe_load(path.read_text()) or {})


KEY = "a1" * 16


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("settings", {"environment": "prod", "delivery": {"deadline": "10s", "lease": 30}}),
        ("settings", {"gateway": {"port": "${PORT:-8080}"}, "redis": None}),
        ("service", {"channels": [{"name": "pd", "routing_key": "${KEY}"}], "dedup_window": "5m"}),
        (
            "service",
            {"channels": [{"name": "${NAME}", "routing_key": KEY}], "routes": [{"name": "a", "match": ["a=b"]}]},
        ),
    ],
)
def test_a_schema_allows_what_the_loader_allows(kind: Kind, document: dict[str, Any]) -> None:
    jsonschema_rs.validate(schema_of(kind), document)


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("settings", {"environment": "moon"}),
        ("settings", {"deliverey": {}}),
        ("settings", {"services": {}}),
        ("settings", {"gateway": {"port": "high"}}),
        ("service", {"channels": []}),
        ("service", {"channels": [{"name": "a b", "routing_key": KEY}]}),
        ("service", {"channels": [{"name": "pd"}]}),
    ],
)
def test_a_schema_finds_what_the_loader_would_refuse(kind: Kind, document: dict[str, Any]) -> None:
    assert not jsonschema_rs.is_valid(schema_of(kind), document)


def test_a_schema_tells_what_a_setting_is_for_and_no_secret(parser: ConfigParser) -> None:
    schema = parser.schema()

    assert schema["$defs"]["Delivery"]["properties"]["deadline"]["default"] == "10s"
    assert "Longest time" in schema["$defs"]["Delivery"]["properties"]["deadline"]["description"]
    assert "****" not in json.dumps(schema)
