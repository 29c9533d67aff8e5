"""Errors are kept where `tocsin errors` shows them: exact counts, few entries, and never a second error by keeping one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from billiard.exceptions import WorkerLostError
from celery.beat import SchedulingError
from celery.exceptions import Reject

from config.settings import load
from deploy.local.embedded import start_server
from tasks.base import TocsinTask
from tasks.notifications.service import DeliveryRules, DeliveryService
from tasks.notifications.telling import Teller
from tasks.utils import error_handler, error_journal
from tasks.utils.connect import connect
from tasks.utils.error_handler import ErrorHandler
from tasks.utils.error_reports import outcome
from tasks.utils.metrics_collector import Metrics
from tests.pipeline import Pipeline, alert
from workers.app import Tocsin
from workers.beat import SlotScheduler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys
    from tests.conftest import Sandbox

HOUR = timedelta(hours=1)


@pytest.fixture
def errors(client: Any, keys: Keys) -> Iterator[ErrorHandler]:
    with ErrorHandler(client, keys) as handler:
        yield handler


def test_the_same_error_again_is_counted_and_not_kept_twice(errors: ErrorHandler, client: Any, keys: Keys) -> None:
    for number in range(1_000):
        errors.record(ValueError(f"no row {number}"), "alerts.submit")

    [entry] = errors.top(HOUR)

    assert entry.count == 1_000
    assert entry.report.text.startswith("no row ")
    assert client.xlen(keys.errors) <= 2  # two, where a minute ended meanwhile


def test_the_most_frequent_error_comes_first(errors: ErrorHandler) -> None:
    for error in [KeyError("a"), ValueError("b"), ValueError("b")]:
        errors.record(error, "audit.seal")

    assert [(entry.report.error, entry.count) for entry in errors.top(HOUR)] == [("ValueError", 2), ("KeyError", 1)]


def test_what_is_older_than_asked_for_is_left_out_and_after_a_week_it_is_gone(
    errors: ErrorHandler, clock: MovableClock, client: Any, keys: Keys
) -> None:
    old = errors.record(ValueError("old"))
    errors.flush()
    clock.advance(timedelta(hours=2))
    errors.record(KeyError("new"))

    assert [entry.report.error for entry in errors.top(HOUR)] == ["KeyError"]
    assert [entry.report.error for entry in errors.top(3 * HOUR)] == ["KeyError", "ValueError"]
    clock.advance(error_journal.KEPT - HOUR)
    errors.record(KeyError("newer"))
    assert errors.samples(old.fingerprint) == []
    assert client.hlen(keys.error_counts) == client.xlen(keys.errors) == 2


def test_minutes_of_one_error_are_its_samples(errors: ErrorHandler, clock: MovableClock) -> None:
    for number in range(3):
        known = errors.record(ValueError(f"try {number}"))
        errors.flush()
        clock.advance(timedelta(minutes=1))

    samples = errors.samples(known.fingerprint)

    assert [sample.report.text for sample in samples] == ["try 0", "try 1", "try 2"]
    assert samples[0].last < samples[1].first


def test_the_journal_never_outgrows_its_bound(
    errors: ErrorHandler, client: Any, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_journal, "MOST_ENTRIES", 20)
    for number in range(60):
        errors.note(outcome("odd", f"place {number}", "x", severity="error", mend="m"))
        errors.flush()

    assert client.xlen(keys.errors) == client.hlen(keys.error_counts) == 20
    assert errors.top(HOUR)[0].report.where.startswith("place ")


def test_a_storm_of_ever_new_errors_is_one_error_once_there_are_too_many(errors: ErrorHandler) -> None:
    for number in range(500):
        errors.note(outcome("odd", f"place {number}", "x", severity="error", mend="m"))

    entries = errors.top(HOUR)

    assert sum(entry.count for entry in entries) == 500
    assert len(entries) < 500
    assert entries[0].report.error == "too_many_kinds"


def test_errors_are_written_without_being_asked(errors: ErrorHandler, client: Any, keys: Keys) -> None:
    errors.record(ValueError("x"))

    assert client.xread({keys.errors: "0"}, block=5_000)


def test_while_the_server_is_away_errors_wait_and_nothing_is_raised(
    tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(error_handler, "LATER", 0.1)
    with start_server(tmp_path / "redis", persist=True) as first:
        client = connect(first.url, connect_timeout=0.5)
        errors = ErrorHandler(client, keys)
        errors.note(outcome("odd", "here", "x", severity="error", mend="m"), 3)
        first.stop()
        assert not errors.flush()
        errors.note(outcome("odd", "here", "x", severity="error", mend="m"), 4)
        assert not errors.flush()
    with start_server(tmp_path / "redis", persist=True) as second, connect(second.url) as reader:
        errors._journal._client = errors._journal._scripts.client = reader
        errors._journal._clock._client = reader
        assert [entry.count for entry in errors.top(HOUR)] == [7]
    client.close()


def test_a_script_without_any_wiring_can_keep_errors(server: Server, client: Any, tmp_path: Path) -> None:
    script = (
        "from tasks.utils.error_handler import ErrorHandler\nerrors = ErrorHandler()\n"
        "try:\n    {}['service']\nexcept KeyError as error:\n    print(errors.record(error, 'my script').fingerprint)\n"
    )

    printed = _python("-c", script, server=server, state=tmp_path)

    assert ErrorHandler(client, _keys()).samples(printed.strip())[0].report.where == "my script"


def test_a_failed_task_is_kept_with_its_name_and_place(server: Server, client: Any, tmp_path: Path) -> None:
    app = Tocsin("test", set_as_current=False)
    app.settings = load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)})
    app.conf.update(task_always_eager=True)

    @app.task(bind=True, name="test.seal", base=TocsinTask, shared=False)
    def task(self: TocsinTask) -> Any:
        return self.runtime.delivery.replay(None)  # type: ignore[arg-type]

    task.apply()

    [entry] = app.runtime.errors.top(HOUR)
    assert (entry.report.kind, entry.report.where, entry.report.error) == ("bug", "test.seal", "TypeError")
    assert entry.report.place == "tasks/notifications/letter_care.py:LetterCare.replay"
    app.runtime.client.close()
    app.close()


def test_a_worker_process_that_died_over_a_task_is_kept(server: Server, client: Any, tmp_path: Path) -> None:
    app = Tocsin("test", set_as_current=False)
    app.settings = load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)})

    @app.task(name="test.heavy", base=TocsinTask, shared=False)
    def task() -> None:
        """Takes more memory than there is."""

    task.on_retry(WorkerLostError("Worker exited prematurely: signal 9 (SIGKILL)"), "id", (), {}, None)

    [entry] = app.runtime.errors.top(HOUR)
    assert (entry.report.where, entry.report.error, entry.report.kind) == ("test.heavy", "WorkerLostError", "transient")
    assert "memory" in entry.report.mend
    app.runtime.client.close()
    app.close()


def test_a_message_that_goes_back_because_redis_refuses_is_kept_once_it_takes_writes(
    server: Server, client: Any, tmp_path: Path
) -> None:
    app = Tocsin("test", set_as_current=False)
    app.settings = load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)})

    @app.task(bind=True, name="test.submit", base=TocsinTask, shared=False)
    def task(self: TocsinTask) -> Any:
        return self.runtime.alerts.submit("m1", [alert("disk")])

    client.config_set("maxmemory", 1)
    with pytest.raises(Reject):
        task()
    assert not app.runtime.errors.flush()
    client.config_set("maxmemory", 0)

    [entry] = app.runtime.errors.top(HOUR)
    assert (entry.report.kind, entry.report.error) == ("away", "OutOfMemoryError")
    app.runtime.client.close()
    app.close()


def test_what_beat_cannot_send_is_kept_by_the_name_of_its_entry(server: Server, client: Any, tmp_path: Path) -> None:
    app = Tocsin("test", set_as_current=False, broker="redis://127.0.0.1:1/0")
    app.settings = load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)})
    app.conf.update(task_publish_retry=False, broker_connection_timeout=0.5)
    scheduler = SlotScheduler(app=app, lazy=True)
    entry = scheduler.Entry("audit.seal", "audit.seal", schedule=60.0, app=app)

    with pytest.raises(SchedulingError):
        scheduler.apply_async(entry, advance=False)

    [kept] = app.runtime.errors.top(HOUR)
    assert (kept.report.where, kept.report.kind) == ("beat audit.seal", "away")
    app.runtime.client.close()
    app.close()


def test_a_rejected_key_and_the_dead_letter_it_makes_are_kept(
    client: Any, keys: Keys, sandbox: Sandbox, errors: ErrorHandler
) -> None:
    pipeline = Pipeline(client, keys, sandbox.url)
    rules = DeliveryRules(*[timedelta(seconds=30), timedelta(seconds=2), 3, 5], *[timedelta(seconds=1)] * 3)
    delivery = DeliveryService(client, keys, pipeline.routes(), pipeline.dispatch(), rules, Teller(Metrics(), errors))
    pipeline.submit({**alert("disk"), "service": "solo"})

    delivery.drain()
    delivery.close()

    found = {entry.report.error: entry.report for entry in errors.top(HOUR)}
    assert set(found) == {"key_rejected", "dead_letter"}
    assert found["key_rejected"].where == "solo via primary"
    assert {report.severity for report in found.values()} == {"critical"}
    assert "kid-primary" in found["key_rejected"].text


def test_the_shell_shows_what_went_wrong_and_how_to_mend_it(
    server: Server, errors: ErrorHandler, tmp_path: Path
) -> None:
    known = errors.record(TimeoutError("no answer from 10.0.0.1"), "audit.seal")
    errors.flush()

    table = _python("-m", "workers.cli", "errors", "top", "--since", "1h", server=server, state=tmp_path)
    story = _python("-m", "workers.cli", "errors", "show", known.fingerprint, server=server, state=tmp_path)
    document = json.loads(_python("-m", "workers.cli", "errors", "top", "--json", server=server, state=tmp_path))

    assert all(part in table for part in ("COUNT", "audit.seal", "transient", known.fingerprint))
    assert all(part in story for part in ("mend", known.mend, "no answer from 10.0.0.1"))
    assert (document[0]["count"], document[0]["fingerprint"]) == (1, known.fingerprint)


def test_an_unknown_fingerprint_is_said_with_the_way_to_find_one(server: Server, client: Any, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        _python("-m", "workers.cli", "errors", "show", "nothing", server=server, state=tmp_path)

    assert "tocsin errors top" in failed.value.stderr


def _keys() -> Keys:
    from tasks.utils.keys import Keys

    return Keys()


def _python(*arguments: str, server: Server, state: Path) -> str:
    environment = {**os.environ, "REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(state)}
    done = subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True, text=True)
    return done.stdout
