"""Every error has a class, a mend and a fingerprint that its next occurrence shares; no secret survives in it."""

from __future__ import annotations

import httpx
import pytest
import redis
from kombu.exceptions import OperationalError

from config.errors import ConfigError, Problem, UnfitError
from tasks.utils.error_handler import InvalidAlertError, InvalidRuleError, TransientError
from tasks.utils.error_reports import LONGEST, examine, outcome
from tasks.utils.validators import check_alert

KEY = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"


class MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize(
    ("error", "kind", "severity"),
    [
        (TransientError("busy"), "transient", "warning"),
        (InvalidAlertError(["no summary"]), "permanent", "warning"),
        (InvalidRuleError(["no matcher"]), "permanent", "error"),
        (ConfigError([Problem("a.yaml:1", "x", "is wrong", "mend it")]), "config", "error"),
        (redis.ConnectionError("refused"), "away", "warning"),
        (redis.TimeoutError("slow"), "away", "warning"),
        (redis.ResponseError("MISCONF cannot write"), "away", "warning"),
        (redis.exceptions.OutOfMemoryError("full"), "away", "error"),
        (redis.AuthenticationError("WRONGPASS"), "config", "error"),
        (OperationalError("no broker"), "away", "warning"),
        (httpx.ReadTimeout("slow"), "transient", "warning"),
        (ConnectionResetError("reset"), "transient", "warning"),
        (OSError(28, "No space left on device"), "transient", "error"),
        (PermissionError(13, "Permission denied"), "config", "error"),
        (KeyError("service"), "bug", "error"),
        (redis.ResponseError("WRONGTYPE"), "bug", "error"),
        (MuteError(), "bug", "error"),
    ],
)
def test_every_error_has_its_class_and_a_mend(error: Exception, kind: str, severity: str) -> None:
    report = examine(error, "alerts.submit")

    assert (report.kind, report.severity, report.where) == (kind, severity, "alerts.submit")
    assert report.error == type(error).__name__
    assert report.mend


def test_an_errors_own_mend_counts() -> None:
    assert examine(UnfitError("is no time", "write 30s")).mend == "write 30s"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no event 019ab2c3d4e5", "no event 019ab2c3d4e6"),
        ("no answer from 10.0.0.1:6379 in 5.2 s", "no answer from 10.9.0.7:6380 in 11.9 s"),
        ("unknown field 'summary'", "unknown field 'severity'"),
        ("<Row object at 0x7f1a>", "<Row object at 0x7f2b>"),
    ],
)
def test_ids_addresses_and_quoted_parts_change_no_fingerprint(one: str, other: str) -> None:
    assert examine(ValueError(one)).fingerprint == examine(ValueError(other)).fingerprint


def test_another_type_place_or_task_is_another_error() -> None:
    errors = [ValueError("x"), TypeError("x"), ValueError("y")]
    found = {examine(error, where).fingerprint for error in errors for where in ("alerts.submit", "audit.seal")}

    assert len(found) == 6


def test_the_place_is_our_innermost_function() -> None:
    try:
        check_alert("no alert")
    except InvalidAlertError as error:
        report = examine(error)

    assert report.place == "tasks/utils/validators.py:check_alert"
    assert examine(ValueError("never raised")).place == ""


@pytest.mark.parametrize(
    "text",
    [f"refused key {KEY}", "redis://user:open-sesame@host", "Authorization: Token token=u+Ab1cdefghijklmnop open"],
)
def test_no_secret_survives_in_a_report(text: str) -> None:
    said = examine(ValueError(text)).text + outcome("key_rejected", "x", text, severity="critical", mend="m").text

    assert "********" in said
    assert not any(secret in said for secret in (KEY, "open-sesame", "u+Ab1cdefgh"))


def test_what_an_error_says_is_cut_and_can_always_be_kept_as_json() -> None:
    report = examine(ValueError("x" * 10_000 + "\ud800"))

    assert len(report.text) == LONGEST
    report.text.encode()
