"""Settings that stand encrypted (`enc:…`): opened with the key when they are read, and shown to nobody."""

import base64
from pathlib import Path

import pytest

from config.keyring import Keyring
from config.sealed import seal_setting
from config.view import view
from tasks.utils.config_parser import ConfigParser
from tasks.utils.encryption import SecurityManager
from tests.unit.config_kit import INGEST, KEY, Folder

OLD = base64.urlsafe_b64encode(b"o" * 32).decode()
NEW = base64.urlsafe_b64encode(b"n" * 32).decode()
SECRET = "geheimgeheim"


def sealed(value: str, key: str = NEW) -> str:
    return seal_setting(value, Keyring.of_texts([key]))


def test_encrypted_values_are_opened_wherever_they_stand(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", f"pagerduty: {{api_key: {sealed('from the main file')}}}")
    folder.write("environments/staging.yaml", f"flower: {{password: {sealed('of staging')}}}")
    folder.write(
        "services/default.yaml",
        f"ingest_keys: ['{sealed(INGEST)}']\nchannels: [{{name: a, routing_key: '${{KEY_IN_VARIABLE}}'}}]",
    )
    file = folder.write("secret", sealed("from a secret file") + "\n")
    environ = {
        "ENCRYPTION_KEY": NEW,
        "ENVIRONMENT": "staging",
        "KEY_IN_VARIABLE": sealed(KEY),
        "PAGERDUTY_WEBHOOK_SECRET_FILE": str(file),
        "REDIS_URL": f"redis://:{sealed(SECRET)}@redis:6379/0",
        "TOCSIN_SECURITY__JWT_PREVIOUS_SECRETS": f"{sealed('x' * 32)} {sealed('y' * 32)}",
    }

    settings = folder.load(environ)

    assert settings.pagerduty.api_key is not None
    assert settings.pagerduty.api_key.get_secret_value() == "from the main file"
    assert settings.pagerduty.webhook_secret is not None
    assert settings.pagerduty.webhook_secret.get_secret_value() == "from a secret file"
    assert settings.flower.password is not None
    assert settings.flower.password.get_secret_value() == "of staging"
    assert settings.redis.url.get_secret_value() == f"redis://:{SECRET}@redis:6379/0"
    assert [one.get_secret_value()[0] for one in settings.security.jwt_previous_secrets] == ["x", "y"]
    (service,) = settings.services.values()
    assert service.ingest_keys[0].get_secret_value() == INGEST


def test_a_former_key_opens_what_it_encrypted(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(
        "pagerduty.yaml",
        f"security: {{previous_encryption_keys: ['{OLD}']}}\npagerduty: {{api_key: {sealed(SECRET, OLD)}}}",
    )

    api_key = folder.load({"ENCRYPTION_KEY": NEW}).pagerduty.api_key

    assert api_key is not None
    assert api_key.get_secret_value() == SECRET


@pytest.mark.parametrize(
    ("environ", "what"),
    [
        ({}, "it is encrypted with the key {id}, and security.encryption_key is not set; mend: set ENCRYPTION_KEY"),
        ({"ENCRYPTION_KEY": OLD}, "wrong key: it was encrypted with the key {id}, known here: "),
    ],
)
def test_without_the_key_file_and_line_are_named_and_nothing_else_of_the_value_is_blamed(
    tmp_path: Path, environ: dict[str, str], what: str
) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", f"channels:\n  - name: a\n    routing_key: {sealed(KEY)}\n")

    problem = folder.problem(environ)

    told = what.format(id=SecurityManager([NEW]).key_id)
    assert problem.startswith(f"services/default.yaml:3: channels[0].routing_key: cannot be decrypted: {told}")


@pytest.mark.parametrize("damage", [lambda text: text[:40], lambda text: text[:-8], lambda text: text[:-3] + "AAA"])
def test_a_damaged_value_is_refused_with_its_place(tmp_path: Path, damage) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", f"\npagerduty: {{api_key: {damage(sealed(SECRET))}}}")

    problem = folder.problem({"ENCRYPTION_KEY": NEW})

    assert problem.startswith("pagerduty.yaml:2: pagerduty.api_key: cannot be decrypted: ")


def test_what_was_encrypted_for_something_else_is_no_setting(tmp_path: Path) -> None:
    text = SecurityManager([NEW]).encrypt_sensitive_data(SECRET, purpose="alerts")

    problem = Folder(tmp_path).problem({"ENCRYPTION_KEY": NEW, "PAGERDUTY_API_KEY": text})

    assert "wrong purpose" in problem


def test_the_key_itself_cannot_stand_encrypted(tmp_path: Path) -> None:
    problem = Folder(tmp_path).problem({"ENCRYPTION_KEY": sealed(OLD)})

    assert "security.encryption_key: is encrypted itself" in problem


def test_an_encrypted_value_that_does_not_fit_is_not_repeated(tmp_path: Path) -> None:
    problems = Folder(tmp_path).problems(
        {
            "ENCRYPTION_KEY": NEW,
            "LOG_LEVEL": sealed(SECRET),
            "TOCSIN_DEDUP__WINDOW": sealed(SECRET),
            "REDIS_URL": sealed(SECRET),
        }
    )

    assert len(problems) == 3
    assert all("does not fit, once decrypted" in problem for problem in problems)
    assert not any(SECRET in problem for problem in problems)


def test_an_encrypted_value_is_not_shown_even_where_the_setting_is_no_secret(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("services/default.yaml", f"description: {sealed(SECRET)}\nchannels: [{{name: a, routing_key: {KEY}}}]")
    environ = {"ENCRYPTION_KEY": NEW, "TOCSIN_FLOWER__USER": sealed("hidden-user")}

    rows = {row.key: row for row in view(folder.read(environ))}

    assert rows["flower.user"].value == "********"
    assert rows["services.default.description"].value == "********"
    assert not any(secret in str(row) for row in rows.values() for secret in (SECRET, "hidden-user"))


def test_a_file_by_itself_is_opened_with_the_key_of_the_environment() -> None:
    text = f"channels: [{{name: a, routing_key: {sealed(KEY)}}}]"

    assert ConfigParser({"ENCRYPTION_KEY": NEW}).parse_text(text, "services/web.yaml")


def test_security_manager_makes_settings_too(tmp_path: Path) -> None:
    text = SecurityManager([NEW]).encrypt_sensitive_data(SECRET, purpose="settings")

    api_key = Folder(tmp_path).load({"ENCRYPTION_KEY": NEW, "PAGERDUTY_API_KEY": text}).pagerduty.api_key

    assert api_key is not None
    assert api_key.get_secret_value() == SECRET
