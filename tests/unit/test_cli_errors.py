import errno
from pathlib import Path

import kombu.exceptions
import pytest
import redis

from config.errors import ConfigError, Problem
from tasks.utils.error_handler import InvalidAlertError, PermanentError, TransientError
from workers.cli.errors import explain, mask
from workers.cli.output import CliError, ExitCode

AGAIN = "tocsin --debug task list"


@pytest.fixture(autouse=True)
def _given_redis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://user:sesame@db.example:6379/0")
    monkeypatch.setenv("TOCSIN_STATE_DIR", str(tmp_path))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError([Problem("file.yaml:3", "redis.url", "is wrong", "mend it")]), ExitCode.BAD_CONFIG),
        (InvalidAlertError(["payload.summary is missing"]), ExitCode.USAGE),
        (TransientError("busy"), ExitCode.TRY_LATER),
        (PermanentError("no such id"), ExitCode.FAILED),
        (redis.ConnectionError("refused"), ExitCode.UNAVAILABLE),
        (redis.TimeoutError("too slow"), ExitCode.UNAVAILABLE),
        (kombu.exceptions.OperationalError("refused"), ExitCode.UNAVAILABLE),
        (redis.AuthenticationError("WRONGPASS"), ExitCode.BAD_CONFIG),
        (redis.BusyLoadingError("LOADING"), ExitCode.TRY_LATER),
        (CliError("gone", ExitCode.NEEDS_CONFIRMATION), ExitCode.NEEDS_CONFIRMATION),
        (PermissionError(errno.EACCES, "Permission denied", "/etc/shadow"), ExitCode.FAILED),
        (ValueError("surprise"), ExitCode.FAILED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value.name,
)
def test_every_kind_of_error_has_its_exit_code(error: Exception, code: ExitCode) -> None:
    assert explain(error, again=AGAIN).code is code


def test_redis_away_names_the_address_without_its_password_and_how_to_mend() -> None:
    text = explain(redis.ConnectionError("Connection refused."), again=AGAIN).text

    assert "redis://user:***@db.example:6379/0" in text
    assert "sesame" not in text
    assert "REDIS_URL" in text
    assert "tocsin up" in text


def test_a_broken_configuration_does_not_hide_that_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "nonsense")

    assert "Redis at the configured address" in explain(redis.ConnectionError("refused"), again=AGAIN).text


def test_an_unexpected_error_tells_how_to_see_all_of_it() -> None:
    assert explain(KeyError("x"), again=AGAIN).text == f"Unexpected error: KeyError: 'x'\nThe whole story: {AGAIN}"


def test_an_unexpected_error_gives_no_password_away() -> None:
    text = explain(ValueError("cannot parse redis://:sesame@host"), again=AGAIN).text

    assert "sesame" not in text


def test_a_file_at_fault_is_named() -> None:
    report = explain(FileNotFoundError(errno.ENOENT, "No such file or directory", "a.json"), again=AGAIN)

    assert report.text == "a.json: No such file or directory"


def test_all_faults_of_an_alert_are_listed() -> None:
    text = explain(InvalidAlertError(["one", "two"]), again=AGAIN).text

    assert text == "This alert cannot be sent:\n  one\n  two"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("redis://:p@h:1/0", "redis://:***@h:1/0"),
        ("rediss://u:p@h/0 and redis://u:q@h", "rediss://u:***@h/0 and redis://u:***@h"),
        ("redis://h:6379/0", "redis://h:6379/0"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ],
)
def test_only_the_password_of_an_address_is_masked(url: str, masked: str) -> None:
    assert mask(url) == masked
