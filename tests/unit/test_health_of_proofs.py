"""What the API's health says of proofs: only what is broken makes it fail; lost history warns, for as long as the last hour saw it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tasks.audit.models import KeptProof, Loss
from tasks.health.facts import _broken
from workers.gateway.api.health import _proof

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
NOW = round(NOON.timestamp() * 1000)
LOSS = Loss(noticed_at=NOON, pending=3, counted_at=NOON, sealed_entries=7, sealed_until=NOON)


def kept(name: str, **found: Any) -> dict[str, KeptProof]:
    return {name: KeptProof(name=name, checked_at=NOON, **{"holds": False, **found})}


def test_a_proof_that_holds_passes() -> None:
    assert _proof(kept("hour", holds=True), NOW).status == "pass"


def test_history_lost_in_the_last_hour_warns() -> None:
    found = _proof(kept("hour", losses=[LOSS]), NOW)

    assert (found.status, found.waiting) == ("warn", 1)
    assert "3 events were pending" in found.output


def test_history_lost_long_ago_is_no_news() -> None:
    assert _proof({**kept("whole", losses=[LOSS], lost=3), **kept("hour", holds=True)}, NOW).status == "pass"


def test_a_broken_promise_fails_also_where_history_is_lost() -> None:
    assert _proof(kept("hour", losses=[LOSS], broken_count=2), NOW).status == "fail"


def test_lost_history_is_no_broken_promise_for_the_watch() -> None:
    [lost] = kept("hour", losses=[LOSS], lost=3).values()
    [broken] = kept("hour", losses=[LOSS], broken_count=2).values()

    assert _broken(lost.model_dump_json()) == 0
    assert _broken(broken.model_dump_json()) == 2
