"""The files that come with Tocsin."""

import re
from pathlib import Path

import pytest
import yaml

import config
from config.errors import ConfigError
from config.models import Settings
from config.reference import reference
from config.settings import load
from tests.unit.config_kit import ENCRYPTION_KEY

HERE = Path(config.__file__).parent
NOTHING_EXPORTED = {"HOME": "/home/somebody"}


@pytest.fixture(scope="module")
def shipped() -> Settings:
    return load(environ=NOTHING_EXPORTED)


def test_development_needs_nothing_exported(shipped: Settings) -> None:
    assert shipped.environment == "development"
    assert set(shipped.services) >= {"default", "checkout", "database"}
    assert not shipped.redis.is_given


def test_every_shipped_channel_calls_a_different_place_in_the_sandbox(shipped: Settings) -> None:
    keys = [
        channel.routing_key.get_secret_value() for service in shipped.services.values() for channel in service.channels
    ]

    assert all(re.fullmatch(r"sandbox[a-z0-9]{25}", key) for key in keys)
    assert len(set(keys)) == len(keys)


def test_every_shipped_service_can_be_sent_to_over_http(shipped: Settings) -> None:
    assert all(
        re.fullmatch(r"ingest[a-z0-9]{26}", service.ingest_keys[0].get_secret_value())
        for service in shipped.services.values()
    )


def test_the_database_falls_back_to_a_second_channel(shipped: Settings) -> None:
    assert [channel.name for channel in shipped.services["database"].channels] == ["primary", "standby"]


def test_a_shipped_service_takes_its_real_key_from_the_environment() -> None:
    settings = load(environ={**NOTHING_EXPORTED, "CHECKOUT_PAGERDUTY_KEY": "K" * 32})

    assert settings.services["checkout"].channels[0].routing_key.get_secret_value() == "K" * 32


def test_production_as_shipped_asks_for_a_real_key_for_every_service() -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={**NOTHING_EXPORTED, "ENVIRONMENT": "production"})

    said = str(caught.value)
    assert "ENCRYPTION_KEY" in said
    assert all(f"services/{name}.yaml:" in said for name in ("default", "checkout", "database"))


@pytest.mark.parametrize("name", ["production", "staging", "development"])
def test_every_environment_is_sound_once_it_has_real_keys(name: str) -> None:
    variables = ("DEFAULT", "CHECKOUT", "DATABASE", "DATABASE_STANDBY")
    keys = {f"{service}_PAGERDUTY_KEY": f"{rank}" * 32 for rank, service in enumerate(variables)}
    ingest = {f"{service}_INGEST_KEY": f"{rank}" * 32 for rank, service in enumerate(variables)}
    own = {"ENCRYPTION_KEY": ENCRYPTION_KEY, "REDIS_URL": "redis://redis.example/0"}
    environ = {"ENVIRONMENT": name, **own, **keys, **ingest}

    assert load(environ=NOTHING_EXPORTED | environ).environment == name


def test_the_shipped_files_are_plain_yaml_for_other_tools() -> None:
    for file in HERE.rglob("*.yaml"):
        assert yaml.safe_load(file.read_text("utf-8")), file


def test_the_configuration_page_is_current() -> None:
    page = HERE.parent / "docs" / "configuration.md"

    assert page.read_text("utf-8") == reference(), "run: tocsin config docs > docs/configuration.md"


def test_the_configuration_page_knows_every_setting() -> None:
    from config.environment import setting_paths
    from config.sources import dotted
    from config.view import FILES

    page = reference()

    for path in setting_paths(Settings):
        assert path[0] in FILES or f"| `{dotted(path)}` |" in page
