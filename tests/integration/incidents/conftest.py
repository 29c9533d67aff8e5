"""The service, wired to the real server and the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.incidents.rows import ActionRows
from tasks.incidents.service import IncidentRules, IncidentService
from tests.integration.incidents.kit import Ward
from tests.integration.rest.kit import rest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox


@pytest.fixture
def ward(client: Any, keys: Keys, sandbox: Sandbox, clock: MovableClock) -> Iterator[Ward]:
    # One try a call, and a breaker that stays closed: tests see each failure by itself.
    settings = {"pagerduty.retry_attempts": 1, "pagerduty.circuit_breaker.failure_threshold": 1000}
    rows = ActionRows(client, keys)
    with rest_of(client, keys, sandbox.url, settings) as rest:
        yield Ward(sandbox, rest, rows, IncidentService(rest, rows, clock, IncidentRules()))
