import base64
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.embedded import Server
from tests.integration.gateway_kit import KEY, KEYS, SECOND_KEY, Gateway, rows

PATH = "/webhooks/alertmanager"
BEARER = {"authorization": f"Bearer {KEY}"}


def entry(name: str, status: str = "firing") -> dict[str, Any]:
    return {"status": status, "labels": {"alertname": name}, "annotations": {}, "fingerprint": f"fp-{name}"}


def webhook(*entries: Any) -> dict[str, Any]:
    return {"version": "4", "groupKey": "{}:{}", "alerts": list(entries), "externalURL": "http://am:9093"}


def test_every_alert_of_a_webhook_is_a_row_and_has_its_result(http: httpx.Client, server: Server) -> None:
    answer = http.post(PATH, json=webhook(entry("DiskFull"), entry("Down", "resolved")), headers=BEARER)

    assert answer.status_code == 202
    assert [(each["status"], each["dedup_key"]) for each in answer.json()["results"]] == [
        ("success", "alertmanager/fp-DiskFull"),
        ("success", "alertmanager/fp-Down"),
    ]
    assert {(row["service"], row["event_action"], row["dedup_key"]) for row in rows(server)} == {
        ("web", "trigger", "alertmanager/fp-DiskFull"),
        ("web", "resolve", "alertmanager/fp-Down"),
    }


def test_the_key_may_be_the_password_of_basic_authentication(http: httpx.Client) -> None:
    pair = base64.b64encode(f"anyone:{SECOND_KEY}".encode()).decode()

    answer = http.post(PATH + "/", json=webhook(entry("Down")), headers={"authorization": f"Basic {pair}"})

    assert answer.status_code == 202


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("", 401),
        ("Bearer", 401),
        ("Basic !!!", 401),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(), 401),
        ("Digest x", 401),
        ("Bearer " + "e5" * 16, 403),
    ],
)
def test_a_missing_or_unknown_key_is_refused_with_the_way_to_mend_it(
    http: httpx.Client, gateway: Gateway, server: Server, header: str, status: int
) -> None:
    answer = http.post(PATH, json=webhook(entry("Down")), headers={"authorization": header})

    assert answer.status_code == status
    assert "ingest" in answer.json()["errors"][0]
    assert "e5e5" not in answer.text + gateway.log.read_text()
    assert rows(server) == []


def test_one_bad_alert_does_not_cost_the_others(http: httpx.Client, server: Server) -> None:
    answer = http.post(PATH, json=webhook(entry("Down"), 5, {"labels": {}}), headers=BEARER)

    assert answer.status_code == 202
    assert [each["status"] for each in answer.json()["results"]] == ["success", "invalid event", "invalid event"]
    assert answer.json()["message"] == "1 of 3 alerts processed"
    assert len(rows(server)) == 1


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"alerts": 5}', b'{"alerts": [5]}', b"{", b"\xff"])
def test_a_body_without_one_good_alert_is_refused(http: httpx.Client, body: bytes) -> None:
    answer = http.post(PATH, content=body, headers=BEARER)

    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_group_of_5000_alerts_is_written_whole(http: httpx.Client, server: Server) -> None:
    answer = http.post(PATH, json=webhook(*(entry(f"A{n}") for n in range(5000))), headers=BEARER)

    assert answer.status_code == 202
    assert len(rows(server)) == 5000


CONFIG = """\
route: {{receiver: tocsin, group_wait: 0s, group_by: [alertname]}}
receivers:
  - name: tocsin
    webhook_configs:
      - url: {url}/webhooks/alertmanager
        http_config: {{authorization: {{credentials: {key}}}}}
"""


@pytest.fixture
def alertmanager(gateway: Gateway, tmp_path: Path) -> Iterator[str]:
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        pytest.skip("Alertmanager is not installed: apt install prometheus-alertmanager")
    (tmp_path / "am.yml").write_text(CONFIG.format(url=gateway.url, key=KEY))
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [program, "--config.file=am.yml", "--storage.path=am", f"--web.listen-address={address}"]
    with (tmp_path / "am.log").open("w") as log:
        process = subprocess.Popen([*command, "--cluster.listen-address="], cwd=tmp_path, stdout=log, stderr=log)
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.mark.usefixtures("http")
def test_a_real_alertmanager_gets_its_alert_through(server: Server, alertmanager: str) -> None:
    alert = {
        "labels": {"alertname": "Down", "severity": "page", "instance": "db-1"},
        "annotations": {"summary": "db-1 is down"},
    }
    with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:  # it takes a moment to listen
        client.post(f"{alertmanager}/api/v2/alerts", json=[alert]).raise_for_status()

    with server.client(decode_responses=True) as redis:
        assert redis.xread({KEYS.ledger: "0"}, block=15_000)
    [row] = rows(server)
    assert row["payload"] | {"timestamp": None} == {
        "summary": "db-1 is down",
        "source": "db-1",
        "severity": "critical",
        "class": "Down",
        "custom_details": {"labels": alert["labels"], "annotations": alert["annotations"]},
        "timestamp": None,
    }
    assert row["client"] == "Alertmanager"
