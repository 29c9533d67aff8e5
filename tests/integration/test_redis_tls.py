"""The whole fleet over TLS, to a server that demands a client's certificate: a proxy stands before the real server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
import redis

from config.settings import load
from tasks.utils.connect import connect
from tests.fleet import Fleet
from tests.pipeline import alert
from tests.program import run
from tests.tls import Authority
from tests.tls_proxy import TlsProxy
from workers.cli.output import ExitCode

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

PASSWORD = "flower-password"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Fleet]:
    own, server = authority.issue("tocsin", name="own"), authority.issue("127.0.0.1")
    with (
        Fleet(tmp_path_factory.mktemp("fleet"), TOCSIN_FLOWER__PASSWORD=PASSWORD) as running,
        TlsProxy(authority, server, running.server.port) as proxy,
    ):
        password = urlsplit(running.server.url).password
        running.environment |= {
            "REDIS_URL": f"rediss://:{password}@127.0.0.1:{proxy.port}/0",
            "TOCSIN_REDIS__TLS_CA_FILE": str(authority.file),
            "TOCSIN_REDIS__TLS_CERT_FILE": str(own.cert),
            "TOCSIN_REDIS__TLS_KEY_FILE": str(own.key),
        }
        running.start_workers("alert", "delivery")
        yield running
        for name in [name for name in running.processes if name != "sandbox"]:
            running.stop(name)


def tocsin(fleet: Fleet, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return run(*words, environment={**fleet.environment, **environ})


def arrived(fleet: Fleet, key: str) -> bool:
    return any(key in json.dumps(entry) for entry in fleet.sandbox.log())


def test_an_event_goes_from_the_gateway_to_pagerduty(fleet: Fleet) -> None:
    url = fleet.start_gateway()
    key = next(iter(fleet.settings.services["default"].ingest_keys)).get_secret_value()

    answer = httpx.post(f"{url}/v2/enqueue", json={**alert("over-tls"), "routing_key": key})

    assert answer.status_code == 202
    fleet.wait(lambda: arrived(fleet, "over-tls"), 20, "nothing came to PagerDuty")


def test_a_worker_takes_a_task_and_its_result_comes_back(fleet: Fleet) -> None:
    done = tocsin(fleet, "task", "run", "notifications.sweep", "--wait", "--json")

    assert done.returncode == ExitCode.OK, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert (answer["state"], answer["result"]) == ("SUCCESS", {"mended": 0})


def test_flower_sees_the_queues(fleet: Fleet) -> None:
    fleet.start("flower", "--port", "0", name="flower")
    log = fleet.folder / "flower.log"
    fleet.wait(lambda: '"url"' in log.read_text(), 60, "Flower does not listen")
    url = next(json.loads(line)["url"] for line in log.read_text().splitlines() if '"url"' in line)

    answer = httpx.get(f"{url}api/queues/length", auth=("tocsin", PASSWORD))

    assert answer.status_code == 200, answer.text


def test_without_a_certificate_the_server_lets_nobody_in_and_the_shell_says_what_to_mend(fleet: Fleet) -> None:
    done = tocsin(fleet, "alerts", "open", TOCSIN_REDIS__TLS_CERT_FILE="", TOCSIN_REDIS__TLS_KEY_FILE="")

    assert done.returncode == ExitCode.UNAVAILABLE
    assert "look at redis.tls_ca_file, redis.tls_cert_file and redis.tls_key_file" in done.stderr


def test_a_server_that_another_authority_vouches_for_is_not_trusted(fleet: Fleet, tmp_path_factory: Any) -> None:
    other = Authority(tmp_path_factory.mktemp("other"))
    settings = load(environ={**fleet.environment, "TOCSIN_REDIS__TLS_CA_FILE": str(other.file)})

    with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        connect(settings.redis.url.get_secret_value()).ping()
