"""Amazon SNS at the door. Its own hosts are played by a server here, which the injected fetcher is led to."""

import json
import logging
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import uvicorn

from deploy.local.embedded import Server
from tasks.utils.keys import Keys
from tasks.utils.rows import Inbox
from tests.integration.gateway_kit import KEY, rows, settings
from tests.sns import CERTIFICATE, HOST, SUBSCRIPTION, TOPIC, signed
from workers.gateway.app import create_app
from workers.gateway.server import connect
from workers.gateway.sns import fetch

DATA = Path(__file__).parents[2] / "data" / "webhooks"
PATH = "/webhooks/in/cloudwatch_sns"
HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "text/plain; charset=UTF-8"}


class Amazon:
    """What stands at SNS's addresses: certificates, and a page that confirms. `asked` are the paths, in order."""

    def __init__(self) -> None:
        self.asked: queue.Queue[str] = queue.Queue()
        self.certificate = CERTIFICATE
        self.status = 200
        self.open = threading.Event()  # nothing is answered while it is clear
        self.open.set()
        self.called: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        amazon = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                amazon.open.wait(10)
                body = amazon.certificate if self.path.endswith(".pem") else b"<ConfirmSubscriptionResponse/>"
                self.send_response(amazon.status)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(body)
                amazon.asked.put(self.path)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    async def fetch(self, url: str) -> bytes:
        self.called.append(url)
        assert url.startswith(f"{HOST}/")
        return await fetch(url.replace(HOST, f"http://127.0.0.1:{self._server.server_port}"))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.open.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def gateway(server: Server, folder: Path, fetch: Callable[..., Any]) -> Iterator[httpx.Client]:
    configured = settings(server.url, folder)
    redis = connect(configured)
    app = create_app(configured, Inbox(redis, Keys()), redis, fetch)
    running = uvicorn.Server(uvicorn.Config(app, http="httptools", log_config=None, access_log=False))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", headers=HEADERS) as client:
            yield client
        running.should_exit = True
        thread.join(10)


@pytest.fixture
def amazon() -> Iterator[Amazon]:
    with Amazon() as running:
        yield running


@pytest.fixture
def http(server: Server, tmp_path: Path, amazon: Amazon) -> Iterator[httpx.Client]:
    with server.client() as redis:
        redis.flushall()
    with gateway(server, tmp_path, amazon.fetch) as client:
        yield client


def alarm(version: str = "2") -> dict[str, Any]:
    return signed(json.loads((DATA / "cloudwatch_sns_alarm.json").read_text("utf-8")), version)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_signed_alarm_is_taken_though_it_calls_itself_plain_text(
    http: httpx.Client, server: Server, version: str
) -> None:
    answer = http.post(PATH, content=json.dumps(alarm(version)))

    assert answer.status_code == 202
    assert [row["event_action"] for row in rows(server)] == ["trigger"]


def test_the_certificate_is_fetched_once(http: httpx.Client, amazon: Amazon) -> None:
    for _ in range(3):
        assert http.post(PATH, json=alarm()).status_code == 202

    assert amazon.asked.qsize() == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"Message": "another"},
        {"Signature": "AAAA"},
        {"SignatureVersion": "3"},
        {"SigningCertURL": "https://evil.example/a.pem"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem"},
        {"SigningCertURL": None},
        {"TopicArn": 5},
    ],
)
def test_a_message_that_amazon_did_not_sign_is_refused(
    http: httpx.Client, server: Server, amazon: Amazon, changes: dict[str, object]
) -> None:
    answer = http.post(PATH, json=alarm() | changes)

    assert answer.status_code == 403
    assert answer.json()["message"] == "The document does not prove that it comes from its sender"
    assert rows(server) == []
    assert all(url.startswith(HOST) for url in amazon.called)


def test_a_subscription_is_confirmed_outside_of_the_request(http: httpx.Client, server: Server, amazon: Amazon) -> None:
    amazon.open.clear()

    answer = http.post(PATH, json=signed(SUBSCRIPTION))

    assert answer.status_code == 202
    assert answer.json()["message"] == f"the subscription of {TOPIC} is being confirmed"
    amazon.open.set()
    assert amazon.asked.get(timeout=5).endswith(".pem")
    assert amazon.asked.get(timeout=5) == (
        "/?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Apages&Token=t0ken"
    )
    assert rows(server) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://evil.example/?Action=ConfirmSubscription",
        f"{HOST}/?Action=Unsubscribe",
    ],
)
def test_no_other_address_is_called_for_a_subscription(http: httpx.Client, amazon: Amazon, address: str) -> None:
    answer = http.post(PATH, json=signed(SUBSCRIPTION | {"SubscribeURL": address}))

    assert answer.status_code == 403
    assert "SubscribeURL" in answer.json()["errors"][0]
    assert amazon.called == []


def test_a_subscription_that_amazon_did_not_sign_is_not_confirmed(
    http: httpx.Client, amazon: Amazon, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "workers.gateway.sns"):
        assert http.post(PATH, json=signed(SUBSCRIPTION) | {"Message": "changed"}).status_code == 202
        assert amazon.asked.get(timeout=5).endswith(".pem")
        http.post(PATH, json=alarm())

    assert [url for url in amazon.called if "Confirm" in url] == []
    assert "is not confirmed: the message is not signed by Amazon SNS" in caplog.text


def test_while_the_certificate_is_not_to_be_had_the_sender_is_asked_to_come_again(
    http: httpx.Client, server: Server, amazon: Amazon
) -> None:
    amazon.open.clear()
    slow = http.post(PATH, json=alarm())
    amazon.open.set()
    amazon.asked.get(timeout=5)

    assert (slow.status_code, slow.headers["retry-after"]) == (503, "5")
    assert slow.elapsed.total_seconds() < 1
    assert http.post(PATH, json=alarm()).status_code == 202
    assert len(rows(server)) == 1


@pytest.mark.parametrize(
    ("status", "certificate"), [(302, CERTIFICATE), (500, b""), (200, b"<html>"), (200, b"x" * 99_999)]
)
def test_a_redirect_or_rubbish_is_no_certificate_and_the_next_message_tries_again(
    http: httpx.Client, amazon: Amazon, status: int, certificate: bytes
) -> None:
    amazon.status, amazon.certificate = status, certificate
    assert http.post(PATH, json=alarm()).status_code == 503

    amazon.status, amazon.certificate = 200, CERTIFICATE

    assert http.post(PATH, json=alarm()).status_code == 202


MAPPING = """\
sns: {verify: false, confirm: false, topics: [%s]}
ignore: [{name: to be confirmed by hand, when: Type=SubscriptionConfirmation}]
alerts: [{fields: {event_action: trigger, dedup_key: "{MessageId}", summary: "{Message}"}}]
"""


def test_the_end_of_a_subscription_is_logged_and_answered_by_name(
    http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    answer = http.post(PATH, json=signed(SUBSCRIPTION | {"Type": "UnsubscribeConfirmation"}))

    assert answer.json()["results"][0]["rule"] == "unsubscribed"
    assert f"{TOPIC} sends nothing here any more" in caplog.text


def test_what_a_mapping_switches_off_is_not_done(
    server: Server, tmp_path: Path, amazon: Amazon, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "plain.yaml").write_text(MAPPING % TOPIC)
    with gateway(server, tmp_path, amazon.fetch) as http:
        unsigned = http.post("/webhooks/in/plain", json={**SUBSCRIPTION, "Type": "Notification"})
        by_hand = http.post("/webhooks/in/plain", json=SUBSCRIPTION)
        foreign = http.post("/webhooks/in/plain", json={**SUBSCRIPTION, "TopicArn": TOPIC + "-2"})

    assert "waits to be confirmed: set `sns.confirm: true` in the mapping" in caplog.text
    assert unsigned.json()["results"][0]["dedup_key"] == SUBSCRIPTION["MessageId"]
    assert by_hand.json()["results"][0]["rule"] == "to be confirmed by hand"
    assert (foreign.status_code, amazon.called) == (403, [])
    assert "not among the `topics`" in foreign.json()["errors"][0]
