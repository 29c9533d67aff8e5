"""The short form of the bench `answers`: hundreds of incidents run through, and nothing is lost, left open or sent back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.answers import measured

if TYPE_CHECKING:
    from pathlib import Path


def test_hundreds_of_incidents_are_acknowledged_and_resolved_by_webhooks(tmp_path: Path) -> None:
    found = measured(tmp_path, 500)

    assert found.wrong == []
    assert len(found.answered) >= 1500
    assert found.seconds < 120
