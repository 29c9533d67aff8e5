"""Through the broker and a real worker: a destructive task runs for whoever was allowed to send it, and for nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.tokens.service import AccessTokens
from tasks.tokens.wiring import token_rules
from tests.fleet import Fleet
from tests.program import tocsin
from workers.app import make_app
from workers.cli.output import ExitCode
from workers.scheduled_calls import call_of, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRUNE = "backups.prune"
QUEUE = "maintenance"
SOON = 30.0


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder: Path = tmp_path_factory.mktemp("grants")
    guarded = {"TOCSIN_ACCESS__ENFORCE": "true", "ENCRYPTION_KEY": "A" * 43 + "=", "JWT_SECRET": "s" * 40}
    with Fleet(folder, **guarded) as fleet:
        fleet.start_workers(QUEUE)
        yield fleet


def outcome(fleet: Fleet, task_id: str) -> tuple[str, str]:
    """The state a task ended in, and its answer or error as text."""
    key = f"{fleet.keys.prefix}celery-task-meta-{task_id}"
    fleet.wait(lambda: fleet.client.exists(key), SOON, "the task has not ended")
    kept = json.loads(fleet.client.get(key))
    return kept["status"], json.dumps(kept["result"])


def acts(fleet: Fleet) -> str:
    """The record of acts, as it lies in Redis."""
    return "\n".join(" ".join(fields.values()) for _, fields in fleet.client.xrange(fleet.keys.of("acts").ledger))


def denied(fleet: Fleet) -> int:
    """How many acts were refused, by the record."""
    return sum(" denied " in f" {line} " for line in acts(fleet).splitlines())


def test_a_producer_that_knows_nothing_but_the_broker_is_refused_and_that_is_on_record(fleet: Fleet) -> None:
    before = denied(fleet)

    sent = fleet.producer.send_task(PRUNE, queue=QUEUE, ignore_result=False)
    dry = fleet.producer.send_task(PRUNE, kwargs={"dry_run": True}, queue=QUEUE, ignore_result=False)

    state, error = outcome(fleet, sent.id)
    assert state == "FAILURE"
    assert "holds no grant" in error
    assert denied(fleet) == before + 1
    assert outcome(fleet, dry.id)[0] == "SUCCESS"


def test_a_shell_with_an_identity_is_let_through_and_its_message_is_good_once(fleet: Fleet, tmp_path: Path) -> None:
    identity = AccessTokens(token_rules(fleet.settings)).issue("ci", ["backups:prune"], timedelta(hours=1), "service")
    (tmp_path / "token").write_text(identity + "\n")
    shell = {**fleet.environment, "TOCSIN_IDENTITY_FILE": str(tmp_path / "token")}

    refused = tocsin("task", "run", PRUNE, env=fleet.environment)
    fleet.producer.control.cancel_consumer(QUEUE, reply=True, timeout=5, limit=1)
    sent = tocsin("task", "run", PRUNE, env=shell)
    (message,) = fleet.client.lrange(fleet.keys.queue(QUEUE), 0, -1)
    fleet.producer.control.add_consumer(QUEUE, reply=True, timeout=5, limit=1)

    assert refused.returncode == ExitCode.NEEDS_CONFIRMATION
    assert outcome(fleet, sent.stdout.strip())[0] == "SUCCESS"
    assert '"n":"ci"' in acts(fleet)
    assert identity not in acts(fleet)
    assert _replayed(fleet, json.loads(message)) == ("FAILURE", True)


def _replayed(fleet: Fleet, message: dict[str, Any]) -> tuple[str, bool]:
    """What becomes of the very same message, put on the queue once more."""
    task_id = message["headers"]["id"]
    fleet.client.delete(f"{fleet.keys.prefix}celery-task-meta-{task_id}")
    fleet.client.lpush(fleet.keys.queue(QUEUE), json.dumps(message))
    state, error = outcome(fleet, task_id)
    return state, "has been used up" in error


def test_what_beat_sends_runs_by_the_identity_of_schedules(fleet: Fleet) -> None:
    app = make_app(fleet.settings)
    app.loader.import_default_modules()
    from schedules.beat import ENTRIES

    before = fleet.client.hlen(fleet.keys.grants)
    entry = replace(ENTRIES["backups-prune"], cron="* * * * *")  # was due just now, whatever the hour
    send(app, entry, call_of("backups-prune", entry, datetime.now(UTC)))

    fleet.wait(lambda: fleet.client.hlen(fleet.keys.grants) > before, SOON, "the scheduled run has not begun")
    fleet.wait(lambda: set(fleet.client.hvals(fleet.keys.grants)) == {"done"}, SOON, "the scheduled run has not ended")
    assert any("schedule" in line and "backups-prune" in line and PRUNE in line for line in acts(fleet).splitlines())
    app.runtime.client.close()
    app.close()
