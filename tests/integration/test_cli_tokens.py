"""`tocsin tokens`: the token alone on stdout, and never a secret."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.embedded import start_server
from tests.program import tocsin
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


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("tokens")
    with start_server(folder / "redis", persist=False) as server:
        yield {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(folder), "JWT_SECRET": SECRET}


@pytest.fixture
def installed(environment: dict[str, str]) -> Tocsin:
    return lambda *words, **options: tocsin(*words, env=environment, **options)


def test_a_token_on_stdin_is_revoked_and_check_says_so(installed: Tocsin) -> None:
    issued = installed("tokens", "issue", "--role", "viewer", "--subject", "anna").stdout

    done = installed("tokens", "revoke", "-", "--comment", "in a build log", input=issued)

    assert done.returncode == ExitCode.OK
    refused = installed("tokens", "check", "-", input=issued)
    assert refused.returncode == ExitCode.FAILED
    assert "has been revoked" in refused.stderr
    listed = json.loads(installed("tokens", "revocations", "--json").stdout)
    assert [(one["kind"], one["comment"]) for one in listed] == [("token", "in a build log")]
    assert issued.strip() not in done.stdout + done.stderr + json.dumps(listed)


def test_what_is_issued_in_the_seconds_of_a_revocation_would_be_dead_and_is_not_issued(installed: Tocsin) -> None:
    installed("tokens", "revoke", "--subject", "ci")

    refused = installed("tokens", "issue", "--role", "viewer", "--subject", "ci")

    assert refused.returncode == ExitCode.TRY_LATER
    assert refused.stdout == ""
    assert installed("tokens", "issue", "--role", "viewer", "--subject", "other").returncode == ExitCode.OK


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), ExitCode.USAGE),
        (("eyJhbGciOiJIUzI1NiJ9.e30.x",), ExitCode.USAGE),
        (("--jti", "a", "--subject", "b"), ExitCode.USAGE),
        (("--all",), ExitCode.NEEDS_CONFIRMATION),
    ],
)
def test_what_is_not_clear_revokes_nothing(installed: Tocsin, words: tuple[str, ...], code: ExitCode) -> None:
    before = installed("tokens", "revocations").stdout

    assert installed("tokens", "revoke", *words).returncode == code
    assert installed("tokens", "revocations").stdout == before


def test_keys_are_named_and_the_one_that_signs_comes_first(environment: dict[str, str]) -> None:
    former = {
        **environment,
        "TOCSIN_SECURITY__JWT_PREVIOUS_SECRETS": "a former secret of 32 characters or more".replace(" ", "_"),
    }

    shown = json.loads(tocsin("tokens", "keys", "--json", env=former).stdout)

    assert [one["use"] for one in shown] == ["signs", "still taken"]
    assert SECRET not in json.dumps(shown)
