import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from deploy.local.embedded import Server
from tests.integration.gateway_kit import KEY, SECOND_KEY, Gateway, rows, running_gateway
from tests.searching import searched

DATA = Path(__file__).parents[2] / "data" / "webhooks"
PATH = "/webhooks/in/"
BEARER = {"authorization": f"Bearer {KEY}"}
SIGNED = """\
signature: {header: X-Hub-Signature-256, secret: s3cret, prefix: sha256=}
ignore: [{name: ping, when: $header.X-GitHub-Event=ping}]
alerts:
  - fields: {event_action: trigger, dedup_key: "ci/{id}", summary: "{title}", source: "{host}"}
"""


@pytest.fixture(scope="module")
def gateway(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "mappings").mkdir()
    (folder / "mappings" / "signed.yaml").write_text(SIGNED)
    with running_gateway(server, folder) as running:
        yield running


def sample(name: str) -> bytes:
    return (DATA / f"{name}.json").read_bytes()


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_document_of_datadog_is_a_row_and_has_its_result(http: httpx.Client, server: Server, slash: str) -> None:
    answer = http.post(PATH + "datadog" + slash, content=sample("datadog_triggered"), headers=BEARER)

    assert answer.status_code == 202
    assert answer.json() == {
        "status": "success",
        "message": "1 of 1 alerts processed",
        "results": [
            {
                "status": "success",
                "message": "Event processed",
                "dedup_key": "datadog/9c1f0d2ab7e94e13b5a0c7d4e6f81a22",
            }
        ],
    }
    [row] = rows(server)
    assert (row["service"], row["event_action"]) == ("web", "trigger")
    assert row["payload"]["summary"] == "[Triggered on {host:db-1}] Disk is nearly full"


def test_the_key_may_stand_in_the_address(gateway: Gateway, http: httpx.Client, server: Server) -> None:
    address = gateway.url.replace("://", f"://anyone:{SECOND_KEY}@")

    answer = http.post(address + PATH + "sentry", content=sample("sentry_event_alert"))

    assert answer.status_code == 202
    assert [row["dedup_key"] for row in rows(server)] == ["sentry/issue/1117540176"]


def test_who_gives_no_key_is_asked_for_a_password(http: httpx.Client, server: Server) -> None:
    answer = http.post(PATH + "sentry", content=sample("sentry_event_alert"))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="tocsin"'
    wrong = base64.b64encode(b"x:" + b"e5" * 16).decode()
    refused = http.post(PATH + "sentry", content=b"{}", headers={"authorization": f"Basic {wrong}"})
    assert refused.status_code == 403
    assert rows(server) == []


def test_an_unknown_mapping_is_answered_with_those_there_are(http: httpx.Client) -> None:
    answer = http.post(PATH + "dataduck", json={}, headers=BEARER)

    assert answer.status_code == 404
    assert "; ".join(answer.json()["errors"]) == (
        "there is no mapping 'dataduck'; known: cloudwatch_sns, datadog, generic, grafana, sentry, signed; "
        "a new one is a file mappings/NAME.yaml"
    )


@pytest.mark.parametrize("name", ["", "a/b", "..%2F..%2Fetc", "%00", "x" * 3000])
def test_a_strange_name_is_no_mapping(http: httpx.Client, name: str) -> None:
    assert http.post(PATH + name, json={}, headers=BEARER).status_code == 404


def test_one_alert_at_fault_does_not_cost_the_others(http: httpx.Client, server: Server) -> None:
    document = json.loads(sample("grafana_group"))
    document["alerts"] += [5, {"status": "firing", "labels": {"alertname": "TestAlert"}}]

    answer = http.post(PATH + "grafana", json=document, headers=BEARER).json()

    assert answer["message"] == "2 of 4 alerts processed, 1 ignored"
    assert [each["status"] for each in answer["results"]] == ["success", "success", "invalid event", "ignored"]
    assert answer["results"][2]["errors"][0].startswith(
        "grafana.yaml:12: dedup_key: the document has nothing fit for it"
    )
    assert len(rows(server)) == 2


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"null", b'"x"', b"\xff", b"[" * 5000, b'{"alerts": 5}'])
def test_a_body_without_one_good_alert_is_refused(http: httpx.Client, server: Server, body: bytes) -> None:
    answer = http.post(PATH + "grafana", content=body, headers=BEARER)

    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert rows(server) == []


def test_what_a_rule_ignores_is_said_by_its_name_and_counted(http: httpx.Client, server: Server) -> None:
    document = json.loads(sample("datadog_triggered")) | {"title": "[TEST] Disk is nearly full"}

    answer = http.post(PATH + "datadog", json=document, headers=BEARER)

    assert answer.status_code == 202
    assert answer.json()["message"] == "0 of 1 alerts processed, 1 ignored"
    assert answer.json()["results"] == [
        {
            "status": "ignored",
            "message": "ignored by rule 'test notification' of the mapping",
            "rule": "test notification",
        }
    ]
    assert rows(server) == []
    metrics = http.get("/metrics").text
    assert 'tocsin_gateway_alerts_total{result="ignored",source="webhooks/datadog"} 1.0' in metrics
    assert 'path="/webhooks/in/datadog",status="202"' in metrics


def test_500_alerts_of_one_document_are_written_together(http: httpx.Client, server: Server) -> None:
    alerts = [{"status": "firing", "labels": {"alertname": f"A{n}"}, "fingerprint": str(n)} for n in range(510)]

    answer = http.post(PATH + "grafana", json={"alerts": alerts}, headers=BEARER)

    assert answer.status_code == 202
    assert answer.json()["message"] == "500 of 501 alerts processed"
    assert len(rows(server)) == 500


@pytest.mark.parametrize("text", ["{id}", "{{7*7}}", "${HOME}", "{$header.authorization}", "<script>alert(1)</script>"])
def test_text_of_a_document_stays_text(http: httpx.Client, server: Server, text: str) -> None:
    http.post(PATH + "generic", json={"id": text, "title": text, "host": text}, headers=BEARER)

    [row] = rows(server)
    assert row["dedup_key"] == row["payload"]["summary"] == row["payload"]["source"] == text
    assert KEY not in json.dumps(row)


words = st.sampled_from(
    ["id", "title", "alerts", "labels", "data", "event", "issue_id", "action", "Type", "Message", "x"]
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
jsons = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4))
bodies = st.binary(max_size=40) | jsons.map(lambda document: json.dumps(document).encode())


@given(bodies, st.sampled_from(["datadog", "sentry", "grafana", "generic", "signed", "cloudwatch_sns"]))
@searched(30, *HealthCheck)
def test_no_body_is_a_fault_of_the_gateway_and_the_next_good_one_is_taken(
    http: httpx.Client, body: bytes, mapping: str
) -> None:
    assert http.post(PATH + mapping, content=body, headers=BEARER).status_code in (202, 400, 403)
    assert http.post(PATH + "datadog", content=sample("datadog_triggered"), headers=BEARER).status_code == 202


def signature_of(body: bytes) -> str:
    return "sha256=" + hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()


def post_signed(http: httpx.Client, body: Any, signature: str | None, **headers: str) -> httpx.Response:
    given = {} if signature is None else {"x-hub-signature-256": signature}
    return http.post(PATH + "signed", content=body, headers={**BEARER, **headers, **given})


def test_a_signed_document_is_taken_and_headers_can_be_asked_for(http: httpx.Client, server: Server) -> None:
    body = b'{"id": 7, "title": "build broken", "host": "ci"}'

    assert post_signed(http, body, signature_of(body)).status_code == 202
    ping = post_signed(http, body, signature_of(body), **{"X-GitHub-Event": "ping"})

    assert ping.json()["results"][0]["rule"] == "ping"
    assert [row["dedup_key"] for row in rows(server)] == ["ci/7"]


@pytest.mark.parametrize("signature", [None, "", "sha256=", signature_of(b"another"), "ö"])
def test_a_document_that_is_not_signed_rightly_is_refused(
    http: httpx.Client, server: Server, gateway: Gateway, signature: str | None
) -> None:
    body = b'{"id": 7, "title": "build broken", "host": "ci"}'
    encoded = signature.encode("latin-1") if signature is not None else None

    answer = http.post(
        PATH + "signed",
        content=body,
        headers=[(b"authorization", BEARER["authorization"].encode())]
        + ([] if encoded is None else [(b"x-hub-signature-256", encoded)]),
    )

    assert answer.status_code == 403
    assert "X-Hub-Signature-256" in answer.json()["errors"][0]
    assert "s3cret" not in answer.text + gateway.log.read_text()
    assert rows(server) == []
