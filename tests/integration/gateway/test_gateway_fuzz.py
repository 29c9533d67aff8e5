import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from deploy.local.embedded import Server
from tests.integration.gateway_kit import KEY, TRIGGER, Gateway, rows, running_gateway
from tests.searching import searched

# Any JSON there is: lone surrogates, NaN, huge numbers, names that mean something here.
WORDS = """event_action dedup_key payload summary source severity custom_details links images client service
routing_key adaptations alerts labels _tocsin"""
NAMES = st.text(max_size=5) | st.sampled_from(WORDS.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8)
JSON = st.recursive(
    LEAVES, lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=4), max_leaves=12
)
BODIES = st.dictionaries(NAMES, JSON, max_size=6).map(lambda body: {**TRIGGER, **body, "routing_key": KEY})
NAMES_V1 = st.sampled_from(
    ["event_type", "incident_key", "description", "details", "contexts", "client", "client_url", "payload"]
)
EVENT_V1 = {"event_type": "trigger", "description": "disk full"}
BODIES_V1 = st.dictionaries(NAMES_V1, JSON, max_size=6).map(lambda body: {**EVENT_V1, **body, "service_key": KEY})
ENTRY_NAMES = st.sampled_from(["labels", "annotations", "status", "fingerprint", "startsAt", "generatorURL"])
WEBHOOKS = st.lists(st.dictionaries(ENTRY_NAMES, JSON), max_size=5)
ODD_BYTES = [
    b"",
    b"null",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[]" * 3,
    b"1" * 5_000,
    b"-1e999",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"routing_key":"\\ud800"}',
    b'{"a":"\x01"}',
    b"\x1f\x8b\x08",
    b'{"routing_key": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
]
DOORS = ["/v2/enqueue", "/v2/change/enqueue", "/generic/2010-04-15/create_event.json", "/webhooks/alertmanager"]
FUZZ = searched(25, HealthCheck.function_scoped_fixture)


@pytest.fixture(scope="module")
def http(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running_gateway(server, tmp_path_factory.mktemp("gateway")) as gateway, gateway.client() as client:
        yield client
        assert_quiet(gateway)


def assert_quiet(gateway: Gateway) -> None:
    assert gateway.log.read_text() == "", "no request may leave a traceback"


def assert_served(http: httpx.Client, path: str, body: bytes) -> None:
    """A clear answer, never a fault of ours, and the next event gets through."""
    answer = http.post(path, content=body, headers={"authorization": f"Bearer {KEY}"})

    assert answer.status_code in (200, 202, 400, 413), answer.text
    assert answer.status_code < 300 or all(isinstance(error, str) for error in answer.json()["errors"])
    assert http.post("/v2/enqueue", json=TRIGGER).status_code == 202


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("body", ODD_BYTES, ids=range(len(ODD_BYTES)))
def test_odd_bytes_are_answered_and_harm_nobody(http: httpx.Client, path: str, body: bytes) -> None:
    assert_served(http, path, body)


@FUZZ
@given(body=st.binary(max_size=64) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_answered_and_harms_nobody(http: httpx.Client, body: bytes) -> None:
    assert_served(http, "/v2/enqueue", body)


@FUZZ
@given(body=BODIES)
def test_any_event_under_a_good_key_is_answered_and_harms_nobody(http: httpx.Client, body: dict[str, Any]) -> None:
    assert_served(http, "/v2/enqueue", json.dumps(body).encode())


@FUZZ
@given(body=BODIES)
def test_any_change_under_a_good_key_is_answered_and_harms_nobody(http: httpx.Client, body: dict[str, Any]) -> None:
    assert_served(http, "/v2/change/enqueue", json.dumps(body).encode())


@FUZZ
@given(body=BODIES_V1)
def test_any_event_of_v1_under_a_good_key_is_answered_and_harms_nobody(
    http: httpx.Client, body: dict[str, Any]
) -> None:
    assert_served(http, "/generic/2010-04-15/create_event.json", json.dumps(body).encode())


@FUZZ
@given(alerts=WEBHOOKS)
def test_any_webhook_is_answered_and_harms_nobody(http: httpx.Client, alerts: list[Any]) -> None:
    assert_served(http, "/webhooks/alertmanager", json.dumps({"alerts": alerts}).encode())


def test_every_row_the_fuzz_left_can_be_sent(http: httpx.Client, server: Server) -> None:
    del http
    for alert in rows(server):
        json.dumps(alert, ensure_ascii=False, allow_nan=False).encode()
        assert alert["event_action"] in ("trigger", "acknowledge", "resolve", "change")
        assert isinstance(alert.get("dedup_key"), type(None) if alert["event_action"] == "change" else str)
