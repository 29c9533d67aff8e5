"""`tocsin tokens`: the token alone on stdout, and never a secret."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.test_cli_program import tocsin
from workers.cli.output import ExitCode

SECRET = "a secret of 32 characters or more"
Tocsin = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def shell(tmp_path: Path) -> Tocsin:
    environment = {"JWT_SECRET": SECRET, "TOCSIN_STATE_DIR": str(tmp_path), "ENVIRONMENT": "development"}
    return lambda *words, **options: tocsin(*words, env=environment, **options)


def test_a_token_goes_from_issue_to_check_through_a_pipe(shell: Tocsin) -> None:
    issued = shell("tokens", "issue", "--role", "viewer", "--subject", "anna", "--lifetime", "15m")
    checked = shell("tokens", "check", "-", "--json", input=issued.stdout)

    assert issued.stdout.count(".") == 2
    assert issued.stdout.count("\n") == 1
    said = json.loads(checked.stdout)
    assert said["subject"] == "anna"
    assert "alerts:read" in said["scopes"]
    assert SECRET not in issued.stdout + issued.stderr + checked.stdout + checked.stderr


def test_scopes_are_named_one_by_one_too(shell: Tocsin) -> None:
    issued = shell("token", "issue", "--scope", "alerts:write", "--scope", "health:read", "--subject", "probe")

    assert "scopes      alerts:write health:read" in shell("tokens", "check", issued.stdout.strip()).stdout


def test_a_token_that_is_no_good_is_refused_and_not_repeated(shell: Tocsin) -> None:
    refused = shell("tokens", "check", "opensesame")

    assert refused.returncode == ExitCode.FAILED
    assert refused.stdout == ""
    assert "opensesame" not in refused.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--subject", "a"], ExitCode.USAGE, "--role"),
        (["--subject", "a", "--role", "god"], ExitCode.USAGE, "'god'"),
        (["--subject", "a", "--scope", "all"], ExitCode.USAGE, "there is no scope 'all'"),
        (["--subject", "a", "--role", "viewer", "--lifetime", "soon"], ExitCode.USAGE, "is not a length of time"),
        (["--subject", "a", "--role", "viewer", "--lifetime", "1000d"], ExitCode.USAGE, "up to 30d"),
        (["--role", "viewer"], ExitCode.USAGE, "--subject"),
    ],
)
def test_what_cannot_be_issued_is_refused_with_how_to_ask(
    shell: Tocsin, words: list[str], code: ExitCode, told: str
) -> None:
    refused = shell("tokens", "issue", *words)

    assert refused.returncode == code
    assert told in refused.stderr
    assert refused.stdout == ""


def test_without_a_secret_it_says_how_to_make_one(tmp_path: Path) -> None:
    bare = {"TOCSIN_STATE_DIR": str(tmp_path), "JWT_SECRET": "", "JWT_SECRET_FILE": ""}

    refused = tocsin("tokens", "issue", "--role", "viewer", "--subject", "anna", env=bare)

    assert refused.returncode == ExitCode.BAD_CONFIG
    assert "tocsin config keygen" in refused.stderr
