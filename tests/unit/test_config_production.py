from pathlib import Path

import pytest

from tests.unit.config_kit import ENCRYPTION_KEY, KEY, SERVICE, Folder

SERVER = {"REDIS_URL": "redis://redis.example/0"}
PRODUCTION = {"ENVIRONMENT": "prod", "ENCRYPTION_KEY": ENCRYPTION_KEY, **SERVER}


def test_production_runs_with_an_encryption_key_and_real_services(tmp_path: Path) -> None:
    assert Folder(tmp_path).load(PRODUCTION).environment == "production"


def test_production_needs_an_encryption_key_and_says_how_to_make_one(tmp_path: Path) -> None:
    problem = Folder(tmp_path).problem({"ENVIRONMENT": "production", **SERVER})

    assert "ENCRYPTION_KEY: security.encryption_key: is required in production" in problem
    assert "tocsin config keygen" in problem
    assert "python3 -c" in problem


def test_production_needs_a_server_of_its_own_unless_the_embedded_one_is_allowed_by_name(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    without = {"ENVIRONMENT": "prod", "ENCRYPTION_KEY": ENCRYPTION_KEY}

    assert "REDIS_URL: redis.url: is not set, and the embedded server is refused" in folder.problem(without)
    assert not folder.load({**without, "TOCSIN_EMBEDDED__ALLOW": "true"}).redis.is_given


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"JWT_SECRET": "short"}, "environment JWT_SECRET: security.jwt_secret: must have at least 32 characters"),
        (
            {"TOCSIN_SECURITY__JWT_PREVIOUS_SECRETS": "x" * 32 + " short"},
            "environment TOCSIN_SECURITY__JWT_PREVIOUS_SECRETS: security.jwt_previous_secrets: must have at least 32",
        ),
        ({"PAGERDUTY_EVENTS_URL": "http://x"}, "environment PAGERDUTY_EVENTS_URL: pagerduty.events_url: plain http"),
        ({"PAGERDUTY_API_URL": "http://x"}, "environment PAGERDUTY_API_URL: pagerduty.api_url: plain http"),
        (
            {"TOCSIN_PAGERDUTY__OAUTH__TOKEN_URL": "http://x"},
            "environment TOCSIN_PAGERDUTY__OAUTH__TOKEN_URL: pagerduty.oauth.token_url: plain http",
        ),
    ],
)
def test_production_refuses_what_others_may_have(tmp_path: Path, environ: dict[str, str], problem: str) -> None:
    folder = Folder(tmp_path)

    assert folder.load(environ)
    assert folder.problem(PRODUCTION | environ).startswith(problem)


@pytest.mark.parametrize(
    ("service", "problem"),
    [
        (
            f"channels:\n  - name: a\n    routing_key: {'sandbox'.ljust(32, '0')}",
            ":3: channels[0].routing_key: is a key of",
        ),
        (f"ingest_keys: [{'ingest'.ljust(32, '0')}]\n{SERVICE}", ":1: ingest_keys[0]: is the sample key"),
        (
            f"channels:\n  - name: a\n    routing_key: {KEY}\n    events_url: http://x",
            ":4: channels[0].events_url: plain http is refused",
        ),
    ],
)
def test_production_refuses_services_that_would_call_nobody(tmp_path: Path, service: str, problem: str) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", service)

    assert folder.load()
    assert folder.problem(PRODUCTION).startswith(f"services/default.yaml{problem}")


def test_a_jwt_secret_of_32_characters_will_do(tmp_path: Path) -> None:
    assert Folder(tmp_path).load({**PRODUCTION, "JWT_SECRET": "x" * 32}).security.jwt_secret is not None


def test_former_jwt_secrets_stand_in_one_variable_or_file_parted_by_blanks(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    file = folder.write("secrets/former", f"{'a' * 32}\n{'b' * 32}\n")

    direct = folder.load({"TOCSIN_SECURITY__JWT_PREVIOUS_SECRETS": f"{'a' * 32} {'b' * 32}"})
    from_file = folder.load({"TOCSIN_SECURITY__JWT_PREVIOUS_SECRETS_FILE": str(file)})

    for settings in (direct, from_file):
        former = settings.security.jwt_previous_secrets
        assert [secret.get_secret_value() for secret in former] == ["a" * 32, "b" * 32]
