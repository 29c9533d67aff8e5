"""Breakers and limits at the shell."""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.settings import load
from deploy.local.embedded import start_server
from tasks.runtime import Runtime
from tasks.utils.circuit_breaker import CircuitBreaker
from tasks.utils.error_handler import TransientError
from tasks.utils.rate_limiter import Rate, RateLimiter
from tests.program import tocsin
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

Shell = Callable[..., subprocess.CompletedProcess[str]]
KEY = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
SERVICE = f"""\
channels:
  - {{name: page, routing_key: {KEY}}}
  - {{name: desk, kind: slack, webhook_url: "https://hooks.example.com/secret/path"}}
"""
PAGERDUTY = "https://events.pagerduty.com:443"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder: Path = tmp_path_factory.mktemp("fleet")
    (folder / "services").mkdir()
    (folder / "pagerduty.yaml").write_text("default_service: shop\n")
    (folder / "services" / "shop.yaml").write_text(SERVICE)
    with start_server(folder / "redis", persist=False) as server:
        yield {"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(folder), "TOCSIN_CONFIG_DIR": str(folder)}


@pytest.fixture
def shell(environment: dict[str, str]) -> Shell:
    return lambda *words: tocsin("notifications", *words, env=environment)


@pytest.fixture
def runtime(environment: dict[str, str]) -> Runtime:
    runtime = Runtime(load(environ=environment))
    runtime.client.flushall()
    return runtime


def break_down(runtime: Runtime) -> None:
    breaker = CircuitBreaker(PAGERDUTY, runtime.client, runtime.keys, failure_threshold=1, timeout=60)
    with pytest.raises(TransientError), breaker.guard():
        raise TransientError("no answer")


def test_every_endpoint_is_listed_without_the_secret_in_its_url(shell: Shell, runtime: Runtime) -> None:
    shown = shell("breakers")

    assert shown.returncode == ExitCode.OK
    lines = shown.stdout.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [
        [PAGERDUTY, "closed"],
        ["https://hooks.example.com:443", "closed"],
    ]
    assert "secret" not in shown.stdout


def test_an_open_one_says_since_when_and_what_happened(shell: Shell, runtime: Runtime) -> None:
    break_down(runtime)

    found = json.loads(shell("breakers", "--json").stdout)

    first = found["breakers"][0]
    assert (first["name"], first["state"], first["failures"]) == (PAGERDUTY, "open", 1)
    assert first["down_since"] < first["open_until"]
    assert [(one["state"], one["reason"]) for one in found["changes"]] == [("open", "1 calls failed, 0 were answered")]
    assert "1 calls failed" in shell("breakers").stdout


def test_a_person_forces_one_by_a_part_of_its_name_and_releases_it(shell: Shell, runtime: Runtime) -> None:
    words = ("--for", "45m", "--author", "ann", "--comment", "they announced it")
    forced = shell("breakers", "force", "pagerduty", "open", *words)
    [first, _] = json.loads(shell("breakers", "--json").stdout)["breakers"]

    assert forced.stdout.startswith(f"{PAGERDUTY} is held open until ")
    assert (first["state"], first["forced_by"], first["forced_why"]) == ("forced_open", "ann", "they announced it")
    assert shell("breakers", "release", "pagerduty", "--author", "bob").stdout == f"{PAGERDUTY} is released\n"
    changes = json.loads(shell("breakers", "--json").stdout)["changes"]
    assert [(one["state"], one["author"]) for one in changes] == [("released", "bob"), ("forced_open", "ann")]
    assert shell("breakers", "release", "pagerduty").returncode == ExitCode.FAILED


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (
            ("nowhere", "open", "-c", "x"),
            "there is no such endpoint; known: https://events.pagerduty.com:443, https://h",
        ),
        (("https", "open", "-c", "x"), "more than one endpoint is meant"),
        (("pagerduty", "ajar", "-c", "x"), "`open` or `closed`, not 'ajar'"),
        (("pagerduty", "open", "-c", " "), "Say why with --comment"),
        (("pagerduty", "open", "-c", "x", "--for", "0"), "--for must be longer than nothing"),
        (("pagerduty", "open", "-c", "x", "--for", "soon"), "is not a length of time"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_to_mend_it(
    shell: Shell, runtime: Runtime, words: tuple[str, ...], mend: str
) -> None:
    refused = shell("breakers", "force", *words)

    assert refused.returncode == ExitCode.USAGE
    assert mend in refused.stderr.replace("\n", " ")
    assert runtime.breakers.history() == []


def test_limits_are_listed_once_they_are_used(shell: Shell, runtime: Runtime) -> None:
    assert shell("limits").stdout == "no limit was used so far\n"
    limiter = RateLimiter("channel:abc", Rate(timedelta(minutes=1), 3), runtime.client, runtime.keys)
    limiter.acquire(2)

    [limit] = json.loads(shell("limits", "--json").stdout)["limits"]

    assert (limit["name"], limit["burst"], limit["left"]) == ("channel:abc", 3, 1)
    assert "channel:abc" in shell("limits").stdout
