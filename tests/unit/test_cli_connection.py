"""What a verb in another shell takes over from a running `tocsin up`."""

import json
from pathlib import Path

import pytest

from workers.cli.connection import current_settings

SANDBOX = {
    "PAGERDUTY_API_URL": "http://127.0.0.1:7778",
    "PAGERDUTY_EVENTS_URL": "http://127.0.0.1:7778",
    "PAGERDUTY_API_KEY": "SandboxOpensNothing0",
    "PAGERDUTY_FROM_EMAIL": "default@sandbox.invalid",
}
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture(autouse=True)
def _state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder as `tocsin up` leaves it; what the code exports is taken back afterwards."""
    given = ("REDIS_URL", "ENCRYPTION_KEY", "ENCRYPTION_KEY_FILE", "JWT_SECRET", "JWT_SECRET_FILE", "ENVIRONMENT")
    for name in (*given, *SANDBOX):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "url").write_text("redis://127.0.0.1:7777/0\n")
    (tmp_path / "encryption.key").write_text(KEY + "\n")
    (tmp_path / "jwt.secret").write_text(KEY + "\n")
    (tmp_path / "sandbox.json").write_text(json.dumps(SANDBOX))


def test_it_finds_the_server_and_the_keys_that_up_has_made_up() -> None:
    settings = current_settings()

    assert settings.redis.url.get_secret_value() == "redis://127.0.0.1:7777/0"
    for secret in (settings.security.encryption_key, settings.security.jwt_secret):
        assert secret is not None
        assert secret.get_secret_value() == KEY


def test_it_asks_the_sandbox_of_up_about_incidents() -> None:
    pagerduty = current_settings().pagerduty

    assert pagerduty.api_url == pagerduty.events_url == SANDBOX["PAGERDUTY_API_URL"]
    assert pagerduty.from_email == SANDBOX["PAGERDUTY_FROM_EMAIL"]
    assert pagerduty.can_be_asked


def test_with_a_key_to_an_account_of_ones_own_that_account_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGERDUTY_API_KEY", "a-key-of-20-letters-")

    assert current_settings().pagerduty.api_url == "https://api.pagerduty.com"


def test_a_key_of_ones_own_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    own = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
    monkeypatch.setenv("ENCRYPTION_KEY", own)

    settings = current_settings()

    assert settings.security.encryption_key is not None
    assert settings.security.encryption_key.get_secret_value() == own


def test_outside_of_development_no_key_is_taken_from_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "staging")

    assert current_settings().security.encryption_key is None
    assert current_settings().security.jwt_secret is None
