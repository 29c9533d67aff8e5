"""Access tokens of an OAuth app: replaced before they end in every process, and all at once when a person wants it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.error_handler import UnknownError
from tasks.utils.rest.errors import ServerFaultError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.embedded import Server
    from tests.acceptance.rotation_world import RotationWorld
    from tests.conftest import Sandbox

CLIENT = "3f0a2a55-0000-4000-8000-000000000001"
SECRET = "s3cr3t-of-the-app"
LIFE = 20  # seconds; a token is replaced two seconds before its end


def app(sandbox: Sandbox) -> dict[str, str]:
    """The settings of an app in place of the key."""
    oauth = {
        "CLIENT_ID": CLIENT,
        "CLIENT_SECRET": SECRET,
        "SCOPES": "services.read incidents.read",
        "SUBDOMAIN": "acme",
        "TOKEN_URL": f"{sandbox.url}/oauth/token",
    }
    return {f"TOCSIN_PAGERDUTY__OAUTH__{name}": value for name, value in oauth.items()}


def given(sandbox: Sandbox) -> int:
    """How many tokens PagerDuty gave."""
    return sum(one["path"] == "/oauth/token" and one["status"] == 200 for one in sandbox.log())


def test_a_fresh_token_for_every_process_is_one_command(rotation: RotationWorld) -> None:
    one, other = (rotation.machine(name, **app(rotation.sandbox)) for name in ("one", "other"))
    for process in (one, other):
        list(process.rest.services.list())
    former = {process.rest.caller.credentials.header() for process in (one, other)}

    rotation.pass_by(10)
    [told] = one.tokens.rotate("oauth").access_tokens
    list(other.rest.services.list())

    assert not former & {process.rest.caller.credentials.header() for process in (one, other)}
    assert (told.app, told.processes, told.scopes) == ("3f0a2a55…", 2, ["incidents.read", "services.read"])
    [after] = one.tokens.account.access_tokens()
    assert after.oldest_seconds is not None
    assert after.oldest_seconds < 10
    assert not after.error


def test_an_app_that_gets_no_token_is_told_and_keeps_what_it_has(rotation: RotationWorld) -> None:
    one = rotation.machine("one", **app(rotation.sandbox))
    list(one.rest.services.list())
    rotation.sandbox.fault(kind="error", status=503, path="/oauth/token")

    with pytest.raises(ServerFaultError, match="the request for an OAuth token"):
        one.tokens.rotate("oauth")

    list(one.rest.services.list())
    [line] = [line for line in one.tokens.lines() if line.name == "tokens.access"]
    assert (line.state, "1 get none now" in line.value) == ("warn", True)
    assert "`tocsin tokens rotate oauth`" in line.mend
    assert SECRET not in f"{line} {one.tokens.account.access_tokens()}"


def test_without_an_app_there_is_nothing_to_do_and_that_is_said(rotation: RotationWorld) -> None:
    with pytest.raises(UnknownError, match="there is no OAuth app"):
        rotation.here.tokens.rotate("oauth")


class Callers:
    """Processes each of which makes a call every so often, until the end."""

    def __init__(self, stack: ExitStack, environ: dict[str, str], count: int) -> None:
        self.said: list[str] = []
        self._stopping = threading.Event()
        words = [sys.executable, "-m", "tests.acceptance.app_process"]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT, "env": environ}
        processes = [stack.enter_context(subprocess.Popen(words, **pipes)) for _ in range(count)]
        assert {process.stdout.readline() for process in processes} == {"ready\n"}
        for process in processes:
            thread = threading.Thread(target=self._call, args=(process,))
            thread.start()
            stack.callback(thread.join)
        stack.callback(self._stopping.set)

    def _call(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        while not self._stopping.wait(1):
            process.stdin.write("\n")
            process.stdin.flush()
            self.said.append(process.stdout.readline().strip())
        process.stdin.close()

    def until(self, is_true: Any, patience: float) -> None:
        """Wait for something."""
        end = time.monotonic() + patience
        while not is_true():
            assert time.monotonic() < end, self.said[-6:]
            time.sleep(0.1)


@pytest.fixture
def callers(server: Server, client: Any, sandbox: Sandbox, tmp_path: Any) -> Iterator[Callers]:
    allowed = {"client_id": CLIENT, "client_secret": SECRET, "expires_in": LIFE}
    sandbox.control("PUT", "/account", {"oauth_clients": [allowed]})
    environ = {
        "HOME": str(tmp_path),
        "REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path),
        "PAGERDUTY_API_URL": sandbox.url,
        "TOCSIN_PAGERDUTY__RETRY_ATTEMPTS": "1",
        **app(sandbox),
    }
    with ExitStack() as stack:
        yield Callers(stack, environ, count=3)


@pytest.mark.slow
def test_no_call_of_any_process_fails_while_tokens_end_are_refused_and_cannot_be_had(
    callers: Callers, sandbox: Sandbox
) -> None:
    callers.until(lambda: given(sandbox) == 3, 30)
    callers.until(lambda: given(sandbox) == 6, 30)  # each has replaced its first one

    sandbox.control("POST", "/tokens/revoke")
    callers.until(lambda: given(sandbox) == 9, 10)
    sandbox.fault(kind="error", status=503, path="/oauth/token")
    time.sleep(LIFE - 1.5)  # into the two seconds in which they would be replaced
    sandbox.heal()
    callers.until(lambda: given(sandbox) == 12, 30)

    assert set(callers.said) == {"taken"}
    refused = [one for one in sandbox.log() if one["status"] == 401]
    assert len(refused) == 3
