"""Acts: what putting one on record costs a call, a task and the alert's way, and how long 100,000 entries take to seal and verify."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.settings import load
from deploy.local.embedded import start_server
from tasks.audit.act_archive import ActArchive
from tasks.audit.act_filter import ActFilter
from tasks.audit.service import AuditRules
from tasks.utils.audit_logger import Act, Actor, AuditLogger
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tests.bench.figures import figure, quantile, say
from tests.integration.api.kit import running_api
from workers.app import Tocsin

if TYPE_CHECKING:
    from collections.abc import Callable

    from tasks.base import TocsinTask

ENTRIES = 100_000
CALLS = 400
ANNA = Actor("person", "anna", "bastion pts/1")
WISH: dict[str, Any] = {"where": {}}


def run(entries: int = ENTRIES) -> None:
    """Record, seal, verify and export so many; then time calls and tasks with and without an act."""
    with tempfile.TemporaryDirectory() as name:
        with start_server(Path(name) / "redis", persist=False) as server, connect(server.url) as client:
            door = AuditLogger(client, Keys(), Path(name) / "acts")
            _times("record", lambda: door.record(Act("bench.record", "thing/1", ANNA)), 2000)
            client.flushall()
            _fill(client, entries)
            _archive(ActArchive(client, Keys(), AuditRules(Path(name), (b"k" * 32,)), Path(name)), entries)
            _tasks(server.url, name)
        cut_off = AuditLogger(connect("redis://127.0.0.1:1/0"), Keys(), Path(name) / "away")
        _times("record_on_disk", lambda: cut_off.record(Act("bench.record", "thing/1", ANNA)), 500)
        _calls(Path(name))


def _fill(client: Any, entries: int) -> None:
    say(f"acts: puts {entries} entries on record")
    rest = '{"c":"0123456789abcdef","d":{"given":["comment","matchers"]},"f":"bastion pts/1","k":"person","n":"anna","o":"silence/4f0c"}'
    pipe = client.pipeline(transaction=False)
    for number in range(entries):
        fields = {"e": f"{number:028x}", "s": "ok", "r": "silences.create", "d": rest, "t": 1_795_000_000_000 + number}
        pipe.xadd(Keys().acts, fields)
        if number % 5000 == 4999:
            pipe.execute()
    pipe.execute()


def _archive(archive: ActArchive, entries: int) -> None:
    started = time.perf_counter()
    archive.seal()
    figure("acts.tocsin.seal_rate", entries / (time.perf_counter() - started), "/s", entries)
    started = time.perf_counter()
    report = archive.acts.verify()
    figure("acts.tocsin.verify", time.perf_counter() - started, "s", entries)
    if not report.holds or report.entries != entries:
        raise AssertionError(report.broken)
    for form in ("jsonl", "csv"):
        started = time.perf_counter()
        archive.export(ActFilter(), form)
        figure(f"acts.tocsin.export_{form}", time.perf_counter() - started, "s", entries)


def _tasks(url: str, folder: str) -> None:
    app = Tocsin("bench", set_as_current=False)
    app.settings = load(environ={"REDIS_URL": url, "TOCSIN_STATE_DIR": folder})

    def nothing(self: TocsinTask) -> None:
        del self

    for what, has_effect in (("task_on_record", True), ("task_of_the_alerts_way", False)):
        task = app.task(bind=True, name=f"bench.{what}", shared=False, has_effect=has_effect)(nothing)
        task.push_request(id="t1", root_id="t1", hostname="bench")
        _times(what, task, 2000)
        task.pop_request()
    app.runtime.client.close()
    app.close()


def _calls(folder: Path) -> None:
    with running_api(folder / "api") as api, api.client("admin") as http:
        _times("call_on_record", lambda: http.post("/dead-letters/replay", json=WISH), CALLS)
        _times("call_that_looks", lambda: http.post("/dead-letters/replay", json={**WISH, "dry_run": True}), CALLS)


def _times(what: str, call: Callable[[], object], count: int) -> None:
    samples = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        samples.append((time.perf_counter() - started) * 1000)
    figure(f"acts.tocsin.{what}_p50", quantile(samples, 0.5), "ms", count)
    figure(f"acts.tocsin.{what}_p99", quantile(samples, 0.99), "ms", count)
