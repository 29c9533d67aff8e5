"""What senders do that no specification asks for: each is served as if it had done it right."""

import gzip
import json
import zlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from deploy.local.embedded import Server
from tasks.notifications.channels.pagerduty import PagerDutyEvents
from tasks.notifications.channels.protocol import Message
from tests.integration.gateway_kit import (
    KEY,
    TRIGGER,
    Gateway,
    rows,
)

EVENTS, CHANGES, V1 = "/v2/enqueue", "/v2/change/enqueue", "/generic/2010-04-15/create_event.json"
MOST_BYTES = 5 * 1024 * 1024


def packed(body: dict[str, Any], coding: str) -> bytes:
    text = json.dumps(body).encode()
    match coding:
        case "gzip" | "X-GZIP":
            return gzip.compress(text)
        case "gzip in two":
            return gzip.compress(text[:20]) + gzip.compress(text[20:])
        case "deflate":
            return zlib.compress(text)
        case _:
            return zlib.compress(text, wbits=-zlib.MAX_WBITS)


def is_pagerdutys_shape(answer: httpx.Response) -> bool:
    body = answer.json()
    return {"status", "message", "errors"} == set(body) and all(isinstance(error, str) for error in body["errors"])


def resident_bytes(http: httpx.Client) -> float:
    lines = http.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("process_resident_memory"))


@pytest.mark.parametrize(
    "path",
    ["/v2/enqueue/", "//v2/enqueue", "/v2//enqueue//", "/integration/abc/v2/enqueue", "/v2/enqueue/v2/enqueue"],
)
def test_a_path_glued_together_is_the_door_that_is_meant(http: httpx.Client, gateway: Gateway, path: str) -> None:
    assert http.post(gateway.url + path, json=TRIGGER).status_code == 202


def test_odd_paths_count_as_the_door_in_the_metrics(http: httpx.Client, gateway: Gateway) -> None:
    http.post(gateway.url + "//v2/enqueue/", json=TRIGGER)

    assert "enqueue/" not in http.get("/metrics").text


@pytest.mark.parametrize(
    "content_type",
    ["application/json;charset=UTF-8", "text/plain", "application/x-www-form-urlencoded", "rubbish", "", None],
)
def test_any_content_type_will_do(http: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}

    answer = http.post(EVENTS, content=json.dumps(TRIGGER).encode(), headers=headers)

    assert answer.status_code == 202


@pytest.mark.parametrize("path", [EVENTS, CHANGES, V1, "/webhooks/alertmanager"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_another_method_is_refused_in_pagerdutys_shape(http: httpx.Client, path: str, method: str) -> None:
    answer = http.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert method == "HEAD" or is_pagerdutys_shape(answer)


def test_a_host_header_of_rubbish_harms_nobody(http: httpx.Client, gateway: Gateway) -> None:
    for host in ("[", "a b", "\xff", ""):
        assert http.get("/nothing", headers={"host": host.encode("latin-1")}).status_code in (400, 404)

    assert http.post(EVENTS, json=TRIGGER).status_code == 202
    assert "Traceback" not in gateway.log.read_text()


@pytest.mark.parametrize("coding", ["gzip", "X-GZIP", "deflate", "gzip in two", "deflate without its header"])
def test_a_packed_body_is_unpacked(http: httpx.Client, server: Server, coding: str) -> None:
    header = coding.split(maxsplit=1)[0]

    answer = http.post(EVENTS, content=packed(TRIGGER, coding), headers={"content-encoding": header})

    assert answer.status_code == 202
    assert rows(server)[0]["dedup_key"] == "db-1/disk"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize(
    "body", [b"", b"{}", gzip.compress(b"{}", mtime=0)[:-6], b"\x1f\x8b\x08", gzip.compress(b"", mtime=0) * 200]
)
def test_what_cannot_be_unpacked_is_refused(http: httpx.Client, coding: str, body: bytes) -> None:
    answer = http.post(EVENTS, content=body, headers={"content-encoding": coding})

    assert answer.status_code == 400
    assert is_pagerdutys_shape(answer)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_body_that_is_too_large_once_unpacked_is_answered_413(http: httpx.Client, pack: Any) -> None:
    coding = "gzip" if pack is gzip.compress else "deflate"

    answer = http.post(EVENTS, content=pack(b" " * (MOST_BYTES + 1)), headers={"content-encoding": coding})

    assert answer.status_code == 413


def test_a_packed_body_is_never_unpacked_beyond_the_limit(http: httpx.Client) -> None:
    squeezed = zlib.compressobj(wbits=31)
    bomb = b"".join(squeezed.compress(bytes(1 << 20)) for _ in range(256)) + squeezed.flush()
    before = resident_bytes(http)

    answer = http.post(EVENTS, content=bomb, headers={"content-encoding": "gzip"})

    assert answer.status_code == 413
    assert resident_bytes(http) - before < 64e6


def test_an_unknown_packing_is_refused_with_those_that_are_known(http: httpx.Client) -> None:
    answer = http.post(EVENTS, json=TRIGGER, headers={"content-encoding": "br"})

    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "gzip, deflate"
    assert is_pagerdutys_shape(answer)


@pytest.mark.parametrize("action", ["trigger", "change"])
def test_a_delivery_of_tocsins_own_is_refused_so_that_no_alert_goes_round_in_circles(
    http: httpx.Client, gateway: Gateway, server: Server, action: str
) -> None:
    second = timedelta(seconds=1)
    channel = PagerDutyEvents(deadline=10 * second, attempts=1, throttle_pause=second, key_pause=second)
    alert = {**TRIGGER, "event_action": action}

    outcome = channel.send(Message(alert, f"{gateway.url}{EVENTS}", KEY))
    channel.close()

    assert (outcome.verb, outcome.reason) == ("retry", "http:508")
    assert rows(server) == []
