"""Whatever is sent to the gateway, it answers, lives, and loses nothing.

`make test` sends some hundreds of requests, always the same; `make fuzz` sends 20,000 new ones (FUZZ_REQUESTS).
"""

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Sandbox
from tests.fuzz.hostile import EVENT_DOORS, Raw, broken, whole
from tests.fuzz.target import Target, running_target
from tests.integration.gateway_kit import JWT_SECRET, KEY

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "300"))
SHARES = {**dict.fromkeys(EVENT_DOORS, 0.1), "v2": 0.15, "probes": 0.05}
API_SHARE, BROKEN_SHARE, DOCUMENT_SHARE = 0.15, 0.1, 0.15
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def fuzz(share: float) -> settings:
    """So many examples; the short form makes up the same ones each time."""
    return settings(
        max_examples=max(1, round(REQUESTS * share)),
        deadline=None,
        database=None,
        derandomize="FUZZ_REQUESTS" not in os.environ,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, sandbox_process: Sandbox) -> Iterator[Target]:
    sandbox_process.reset()
    sandbox_process.register("c3" * 16, "web")
    with running_target(tmp_path_factory.mktemp("fuzz"), sandbox_process) as running:
        yield running


@pytest.mark.parametrize("door", SHARES)
def test_any_request_to_a_door_is_answered_and_harms_nobody(target: Target, door: str) -> None:
    @fuzz(SHARES[door])
    @given(raw=whole(door, target.token))
    def shoot(raw: Raw) -> None:
        target.bears(raw)

    shoot()


def test_any_request_to_the_api_is_answered_and_harms_nobody(target: Target) -> None:
    @fuzz(API_SHARE)
    @given(raw=whole("api", target.token))
    def shoot(raw: Raw) -> None:
        target.bears(raw)

    shoot()


@fuzz(BROKEN_SHARE)
@given(raw=broken())
def test_broken_http_harms_nobody(target: Target, raw: Raw) -> None:
    target.bears(raw)


def test_every_operation_of_the_api_answers_as_its_document_says(target: Target) -> None:
    schema = schemathesis.openapi.from_url(f"{target.gateway.url}/api/v1/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    headers = {"Authorization": f"Bearer {target.token}"}

    for operation in operations:
        for mode in schemathesis.GenerationMode:

            @fuzz(DOCUMENT_SHARE / len(operations) / 2)
            @given(case=operation.as_strategy(generation_mode=mode))
            def shoot(case: schemathesis.Case) -> None:
                target.sent += 1
                case.call_and_validate(base_url=f"{target.gateway.url}/api/v1", headers=headers, checks=CHECKS)
                target.lives()

            shoot()


def test_after_all_that_nothing_is_lost_and_nothing_was_let_slip(target: Target) -> None:
    target.lives()
    target.runtime.alerts.drain_inbox()

    proof = target.runtime.audit.prove()

    assert proof.holds, proof.broken[:5]
    assert proof.events > 0
    log = target.gateway.log.read_text()
    assert "Traceback" not in log, log[-4000:]
    assert not any(secret in log for secret in (KEY, JWT_SECRET, target.token))
    print(f"{target.sent} requests, {dict(target.statuses)}, {proof.events} events")  # noqa: T201 (pytest -s)
    assert target.sent >= 0.9 * REQUESTS
    assert {200, 202, 400, 401, 404, 405} <= set(target.statuses), "most kinds of answer were drawn out"
