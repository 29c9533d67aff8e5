"""The door for PagerDuty's webhooks: kept before they are answered, and only if PagerDuty signed them."""

from __future__ import annotations

import concurrent.futures
import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deploy.local.embedded import start_server
from tests.integration.gateway.test_gateway_outage import await_drained
from tests.integration.gateway_kit import KEYS, Gateway, rows, running_gateway
from tests.webhook_kit import SECOND_SECRET, SECRET, incident_event, packed, signature

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server

DOOR = "/webhooks/pagerduty"


@pytest.fixture(scope="module")
def gateway(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    secrets = {"webhook_secret": SECRET, "webhook_previous_secrets": [SECOND_SECRET]}
    with pytest.MonkeyPatch.context() as environment:  # where it looks for secrets anew
        environment.setenv("PAGERDUTY_WEBHOOK_SECRET", SECRET)
        environment.setenv("TOCSIN_PAGERDUTY__WEBHOOK_PREVIOUS_SECRETS", SECOND_SECRET)
        with running_gateway(server, folder, pagerduty=secrets) as running:
            yield running


def kept(server: Server) -> list[Any]:
    """The documents that wait to be worked off."""
    with server.client(decode_responses=True) as redis:
        return [json.loads(row.split("\n", 1)[1]) for row in redis.hvals(KEYS.webhooks)]


def post(http: httpx.Client, document: Any, *secrets: str, **headers: str) -> httpx.Response:
    body, signed = packed(document, *secrets)
    return http.post(DOOR, content=body, headers={**signed, **headers})


def test_a_signed_webhook_is_kept_and_answered_with_202(http: httpx.Client, server: Server) -> None:
    document = incident_event()

    answer = post(http, document)

    assert answer.status_code == 202
    assert kept(server) == [document]


@pytest.mark.parametrize("secrets", [(SECOND_SECRET,), ("unknown", SECRET), (SECOND_SECRET, "unknown")])
def test_any_of_several_signatures_by_any_of_our_secrets_will_do(
    http: httpx.Client, server: Server, secrets: tuple[str, ...]
) -> None:
    assert post(http, incident_event(), *secrets).status_code == 202
    assert len(kept(server)) == 1


@pytest.mark.parametrize("header", ["", "v1=", "v1=00", "v0=abc", "rubbish", "v1=\xe9", "v1=" + "0" * 64])
def test_a_forged_webhook_is_refused(http: httpx.Client, server: Server, header: str) -> None:
    body, headers = packed(incident_event())
    answer = http.post(DOOR, content=body, headers={**headers, "x-pagerduty-signature": header.encode("latin-1")})  # type: ignore[dict-item]

    assert answer.status_code == 403
    assert "PAGERDUTY_WEBHOOK_SECRET" in answer.text or "missing" in answer.text
    assert kept(server) == []


def test_a_body_that_was_changed_on_the_way_is_refused(http: httpx.Client, server: Server) -> None:
    body, headers = packed(incident_event())

    assert http.post(DOOR, content=body.replace(b"disk", b"dusk"), headers=headers).status_code == 403
    assert http.post(DOOR, content=body + b" ", headers=headers).status_code == 403
    assert http.post(DOOR, content=json.dumps(json.loads(body), indent=1).encode(), headers=headers).status_code == 403
    assert http.post(DOOR, content=body[:-20], headers=headers).status_code == 403
    assert kept(server) == []


def test_a_signed_webhook_that_is_no_event_is_malformed(http: httpx.Client, server: Server) -> None:
    for body in (b"", b"{", b"[]", b'{"event":{}}', b'{"event":{"event_type":7}}', b'{"messages":[]}', b"\xff"):
        answer = http.post(DOOR, content=body, headers={"x-pagerduty-signature": signature(body)})

        assert answer.status_code == 400, body
    assert kept(server) == []


def test_what_is_larger_than_pagerduty_sends_is_refused_before_it_is_read(http: httpx.Client, server: Server) -> None:
    document = incident_event(title="x" * 300 * 1024)

    answer = post(http, document)

    assert answer.status_code == 413
    assert kept(server) == []
    assert post(http, incident_event(title="x" * 250 * 1024)).status_code == 202


def test_types_that_are_not_known_are_taken(http: httpx.Client, server: Server) -> None:
    document = {"event": {"id": "E1", "event_type": "incident.teleported", "data": {"type": "wormhole"}}}

    assert post(http, document).status_code == 202
    assert kept(server) == [document]


def test_what_is_delivered_twice_is_kept_once(http: httpx.Client, server: Server) -> None:
    body, headers = packed(incident_event(), webhook_id="8b3a")

    answers = [http.post(DOOR, content=body, headers=headers).status_code for _ in range(3)]

    assert answers == [202, 202, 202]
    assert len(kept(server)) == 1


def test_fifty_at_once_are_each_answered_at_once_and_kept(http: httpx.Client, server: Server, gateway: Gateway) -> None:
    requests = [packed(incident_event(number=number)) for number in range(1, 501)]
    with httpx.Client(base_url=gateway.url, limits=httpx.Limits(max_connections=50), timeout=10) as many:

        def timed(request: tuple[bytes, dict[str, str]]) -> tuple[int, float]:
            started = time.perf_counter()
            status = many.post(DOOR, content=request[0], headers=request[1]).status_code
            return status, time.perf_counter() - started

        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(timed, requests))

    assert {status for status, _ in answers} == {202}
    assert len(kept(server)) == 500


def test_a_secret_in_a_file_is_exchanged_without_a_restart(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("the-first\n")
    monkeypatch.delenv("PAGERDUTY_WEBHOOK_SECRET")
    monkeypatch.setenv("PAGERDUTY_WEBHOOK_SECRET_FILE", str(file))
    with (
        running_gateway(server, tmp_path, pagerduty={"webhook_secret": "the-first"}) as gateway,
        gateway.client() as http,
    ):
        assert post(http, incident_event(), "the-first").status_code == 202

        file.write_text("the-second\n")

        assert post(http, incident_event(), "the-second").status_code == 202
        assert post(http, incident_event(), "the-first").status_code == 403


def test_without_a_secret_nothing_is_taken_and_the_sender_comes_again(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAGERDUTY_WEBHOOK_SECRET")
    monkeypatch.delenv("TOCSIN_PAGERDUTY__WEBHOOK_PREVIOUS_SECRETS")
    with running_gateway(server, tmp_path) as gateway, gateway.client() as http:
        with server.client() as redis:
            redis.flushall()

        answer = post(http, incident_event())

        assert answer.status_code == 503
        assert "PAGERDUTY_WEBHOOK_SECRET" in answer.text
        assert kept(server) == []
        assert "PAGERDUTY_WEBHOOK_SECRET" in gateway.log.read_text()


def test_a_secret_never_stands_in_an_answer_or_the_log(http: httpx.Client, gateway: Gateway) -> None:
    texts = [post(http, incident_event(), "wrong").text, post(http, incident_event()).text, http.get("/metrics").text]

    assert not [text for text in [*texts, gateway.log.read_text()] if SECRET in text or SECOND_SECRET in text]


def test_while_redis_is_away_webhooks_are_kept_on_disk_and_handed_over_later(tmp_path: Path) -> None:
    documents = [incident_event(number=number) for number in range(1, 6)]
    (tmp_path / "gateway").mkdir()
    with (
        start_server(tmp_path / "redis") as server,
        running_gateway(server, tmp_path / "gateway", pagerduty={"webhook_secret": SECRET}) as gateway,
        gateway.client() as http,
    ):
        server.kill()
        assert [post(http, one).status_code for one in documents] == [202] * 5
        server.restart()
        await_drained(http)

        assert sorted(one["event"]["data"]["number"] for one in kept(server)) == [1, 2, 3, 4, 5]
        assert rows(server) == []
