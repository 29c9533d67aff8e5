from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from config.environment import SECRETS, WELL_KNOWN, setting_paths, variable_name
from config.findings import ELSEWHERE
from config.models import Settings
from config.sources import dotted
from tests.unit.config_kit import Folder

LAYERS = ("flag", "exact variable", "short variable", "exact file", "short file", "environment yaml", "main yaml")


@pytest.mark.parametrize("count", range(len(LAYERS) + 1))
def test_the_first_source_that_has_a_value_counts(tmp_path: Path, count: int) -> None:
    for number, chosen in enumerate(combinations(LAYERS, count)):
        folder = Folder(tmp_path / str(number))
        urls = {layer: f"redis://host{rank}/0" for rank, layer in enumerate(LAYERS) if layer in chosen}
        environ, overrides = _spread(folder, urls)

        found = folder.load(environ, overrides).redis.url.get_secret_value()

        assert found == (urls[chosen[0]] if chosen else "redis://127.0.0.1:6379/0"), chosen


def _spread(folder: Folder, urls: dict[str, str]) -> tuple[dict[str, str], dict[str, object]]:
    """Put one URL into every source that has one."""
    environ: dict[str, str] = {}
    for layer, url in urls.items():
        match layer:
            case "exact variable":
                environ["TOCSIN_REDIS__URL"] = url
            case "short variable":
                environ["REDIS_URL"] = url
            case "exact file":
                environ["TOCSIN_REDIS__URL_FILE"] = str(folder.write("secrets/exact", f"{url}\n"))
            case "short file":
                environ["REDIS_URL_FILE"] = str(folder.write("secrets/short", f"{url}\n"))
            case "environment yaml":
                folder.write("environments/development.yaml", f"redis: {{url: '{url}'}}")
            case "main yaml":
                folder.write("pagerduty.yaml", f"redis: {{url: '{url}'}}")
    return environ, {"redis.url": urls.get("flag")}


NO_ONE_LINERS = {*ELSEWHERE, "inhibition", "schedules"}
TLS = {
    "TOCSIN_REDIS__URL": "rediss://h/0",
    "TOCSIN_REDIS__TLS_CERT_FILE": __file__,
    "TOCSIN_REDIS__TLS_KEY_FILE": __file__,
}
GO_TOGETHER = {
    "security.sign_tasks": {"ENCRYPTION_KEY": "A" * 43 + "="},
    "redis.tls_ca_file": TLS,
    "redis.tls_cert_file": TLS,
    "redis.tls_key_file": TLS,
    "gateway.tls_cert_file": {"TOCSIN_GATEWAY__TLS_KEY_FILE": "/etc/tls.key"},
    "gateway.tls_key_file": {"TOCSIN_GATEWAY__TLS_CERT_FILE": "/etc/tls.pem"},
    "email.host": {"TOCSIN_EMAIL__FROM": "a@b.example"},
    "email.username": {"TOCSIN_EMAIL__PASSWORD": "x"},
    "email.password": {"TOCSIN_EMAIL__USERNAME": "x"},
    "pagerduty.oauth.client_id": {
        "TOCSIN_PAGERDUTY__OAUTH__CLIENT_SECRET": "x",
        "TOCSIN_PAGERDUTY__OAUTH__SCOPES": "x",
        "TOCSIN_PAGERDUTY__OAUTH__SUBDOMAIN": "x",
    },
}


@pytest.fixture(scope="module")
def two_services(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("config"))
    folder.write("services/other.yaml", f"channels: [{{name: a, routing_key: {'O' * 32}}}]")
    return folder


@pytest.fixture(scope="module")
def defaults(two_services: Folder) -> Settings:
    return two_services.load()


@pytest.mark.parametrize("path", [path for path in setting_paths(Settings) if path[0] not in NO_ONE_LINERS])
def test_every_setting_can_be_set_by_its_variable(
    two_services: Folder, defaults: Settings, path: tuple[str, ...]
) -> None:
    value = _another_value(path)

    loaded = two_services.read({**GO_TOGETHER.get(dotted(path), {}), variable_name(path): value})

    node = loaded.node.find(path)
    assert node is not None
    assert str(node.origin) == f"environment {variable_name(path)}"
    assert _dig(loaded.settings, path) != _dig(defaults, path)


def _dig(settings: Any, path: tuple[str | int, ...]) -> Any:
    for name in path:
        settings = getattr(settings, {"from": "sender"}.get(str(name), str(name)))
    return settings


def _another_value(path: tuple[str, ...]) -> str:
    special = {
        "environment": "staging",
        "rotate": "jwt",
        "log_level": "debug",
        "default_service": "other",
        "state_dir": "/somewhere",
        "encryption_key": "B" * 43 + "=",
        "previous_encryption_keys": "C" * 43 + "=",
        "sign_tasks": "true",
        "task_secret": "D" * 43 + "=",
        "previous_task_secrets": "E" * 43 + "=",
        "task_key": "gateway:" + "F" * 43 + "=",
        "prefix": "other:",
        "urgent": "critical error",
        "from_email": "a@b.example",
        "from": "a@b.example",
        "starttls": "never",
        "retry_attempts": "4",
        "lease": "40s",
        "pool": "threads" if path[1:2] == ("maintenance",) else "prefork",
        "concurrency": "17",
        "allow": "true",
        "enabled": "false",
        "enforce": "true",
        "honour_maintenance": "false",
        "region": "eu",
        "share": "0.2",
        "service": "other",
        "canary_service": "other",
    }
    name = path[-1]
    if name in special:
        return special[name]
    if path[0] == "redis" and name.startswith("tls_"):
        return __file__
    if name.endswith("url"):
        return "redis://elsewhere/1" if path[0] in ("redis", "cache") else "https://elsewhere.example"
    return {"deadline": "11", "service_id": "PXYZ", "host": "localhost"}.get(name, "33")


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_can_come_from_a_file(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path)
    value = {"REDIS_URL": "redis://h/3", "ENCRYPTION_KEY": "C" * 43 + "="}.get(name, "from the file")
    file = folder.write("secrets/one", f"{value}\n")

    settings = folder.load({f"{name}_FILE": str(file)})

    assert _dig(settings, WELL_KNOWN[name]).get_secret_value() == value


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert not Folder(tmp_path).load({"REDIS_URL": "", "TOCSIN_REDIS__URL": "", "JWT_SECRET_FILE": ""}).redis.is_given


def test_a_server_that_anybody_named_is_given(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    assert not folder.load().redis.is_given
    assert folder.load({"REDIS_URL": "redis://127.0.0.1:6379/0"}).redis.is_given


def test_the_cache_uses_the_server_of_redis_url_unless_it_names_one(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    assert folder.load({"REDIS_URL": "redis://a/0"}).cache.redis_url.get_secret_value() == "redis://a/0"
    folder.write("pagerduty.yaml", "cache: {redis_url: 'redis://b/0'}")
    assert folder.load({"REDIS_URL": "redis://a/0"}).cache.redis_url.get_secret_value() == "redis://b/0"


def test_sections_of_several_files_are_merged_key_by_key(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "pagerduty: {api_timeout: 7s, circuit_breaker: {failure_threshold: 9}}")
    folder.write("environments/staging.yaml", "pagerduty: {circuit_breaker: {recovery_timeout: 9s}}")

    pagerduty = folder.load({"ENVIRONMENT": "staging"}).pagerduty

    assert pagerduty.api_timeout == timedelta(seconds=7)
    assert pagerduty.circuit_breaker.failure_threshold == 9
    assert pagerduty.circuit_breaker.recovery_timeout == timedelta(seconds=9)


def test_a_heading_or_key_without_a_value_means_the_default(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "delivery: {max_attempts: 3}\ncache:\ndedup: {window: 1h}")
    folder.write("environments/development.yaml", "delivery:\n#  lease: 1m\ndedup:\n  window:\n")

    settings = folder.load()

    assert settings.delivery.max_attempts == 3
    assert settings.dedup.window == timedelta(minutes=5)


@pytest.mark.parametrize(("alias", "name"), [("dev", "development"), ("Staging", "staging")])
def test_environments_have_aliases(tmp_path: Path, alias: str, name: str) -> None:
    folder = Folder(tmp_path)
    folder.write(f"environments/{name}.yaml", "gateway: {port: 1}")

    settings = folder.load({"ENVIRONMENT": alias})

    assert (settings.environment, settings.gateway.port) == (name, 1)


def test_the_main_file_may_choose_the_environment(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "environment: staging")
    folder.write("environments/staging.yaml", "gateway: {port: 1}")

    assert folder.load().gateway.port == 1
    assert folder.load({"ENVIRONMENT": "development"}).gateway.port == 8080


def test_groups_keep_their_own_defaults_when_one_value_is_set(tmp_path: Path) -> None:
    group = Folder(tmp_path).load({"TOCSIN_WORKERS__MAINTENANCE__CONCURRENCY": "3"}).workers.maintenance

    assert (group.concurrency, group.pool, group.visibility_timeout) == (3, "prefork", timedelta(hours=1))


def test_flags_may_be_nested_or_dotted_and_none_means_not_given(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    settings = folder.load(overrides={"gateway": {"port": 1, "host": None}, "delivery.lease": timedelta(minutes=2)})

    assert (settings.gateway.port, settings.gateway.host) == (1, "127.0.0.1")
    assert settings.delivery.lease == timedelta(minutes=2)


def test_state_lives_in_the_users_state_folder_unless_told_otherwise(tmp_path: Path) -> None:
    folder = Folder(tmp_path)

    assert folder.load({"HOME": "/home/u"}).state_dir == Path("/home/u/.local/state/tocsin")
    assert folder.load({"HOME": "/home/u", "XDG_STATE_HOME": "/x"}).state_dir == Path("/x/tocsin")
    assert folder.load({"HOME": "/home/u", "XDG_STATE_HOME": "x"}).state_dir == Path("/home/u/.local/state/tocsin")
    assert folder.load({"HOME": "/home/u", "TOCSIN_STATE_DIR": "~/s"}).state_dir == Path("/home/u/s")


def test_the_folder_of_the_configuration_can_come_from_the_environment(tmp_path: Path) -> None:
    from config.settings import load

    Folder(tmp_path).write("pagerduty.yaml", "gateway: {port: 5}")

    settings = load(environ={"TOCSIN_CONFIG_DIR": str(tmp_path)}, state_dir=tmp_path / "state")

    assert (settings.gateway.port, settings.config_dir, settings.state_dir) == (5, tmp_path, tmp_path / "state")
