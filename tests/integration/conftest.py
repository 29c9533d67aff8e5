"""What tests of the proof start from: the alert's way on the real server and the sandbox, and its audit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.service import AuditRules, AuditService
from tests.pipeline import PRIMARY_KEY, STANDBY_KEY, Pipeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox


@pytest.fixture
def pipeline(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Pipeline]:
    for key in (PRIMARY_KEY, STANDBY_KEY):
        sandbox.register(key, "shop")
    made = Pipeline(client, keys, sandbox.url, window=timedelta(minutes=5))
    yield made
    made.delivery.close()


@pytest.fixture
def audit(client: Any, keys: Keys, tmp_path: Path) -> AuditService:
    return AuditService(client, keys, AuditRules(tmp_path / "ledger", (b"k" * 32,)))
