"""What a task leaves on the record of acts: one act where it has an effect of its own, on whose behalf, and nothing on the alert's way."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.contextvars import get_contextvars

from config.settings import load
from tasks.utils.act_context import about
from tasks.utils.audit_logger import Act, NotRecordedError
from tests.integration.act_kit import ANNA, ActKit
from tests.pipeline import alert
from workers.app import make_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys
    from workers.app import Tocsin


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> ActKit:
    return ActKit(client, keys, tmp_path)


@pytest.fixture
def app(server: Server, client: Any, tmp_path: Path) -> Iterator[Tocsin]:
    made = make_app(load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)}))
    made.loader.import_default_modules()
    yield made
    assert made.runtime.errors.flush()
    made.runtime.client.close()
    made.close()


@pytest.fixture
def task(app: Tocsin) -> Iterator[Callable[..., Any]]:
    """Runs a function as a task that has a message in hand."""
    pushed: list[Any] = []

    def run(body: Callable[..., Any], request: dict[str, Any] | None = None, /, **call: Any) -> Any:
        options = {name[1:]: call.pop(name) for name in list(call) if name.startswith("_")}
        body.__name__ = "body"  # Celery makes code of the name
        made = app.task(name="backups.restore", shared=False, **options)(body)
        pushed.append(made)
        made.push_request(id="task-1", root_id="root-1", hostname="maintenance@h1", origin="gen7@h2", **(request or {}))
        made(**call)
        return made

    yield run
    for each in pushed:
        each.pop_request()


def test_a_task_with_an_effect_is_one_act_with_its_object_worker_and_given_fields(task: Any, kit: ActKit) -> None:
    def restore(backup_id: str, comment: str) -> None: ...

    task(restore, backup_id="b1", comment="the words of somebody")

    (act,) = kit.read()
    assert (act.action, act.object, act.outcome, act.correlation) == ("backups.restore", "backup/b1", "ok", "root-1")
    assert (act.actor_kind, act.actor) == ("producer", "gen7@h2")
    assert act.detail == {
        "backup_id": "b1",
        "given": ["backup_id", "comment"],
        "task": "task-1",
        "worker": "maintenance@h1",
    }
    assert kit.client.xlen(kit.keys.acts) == 2


def test_a_scheduled_task_is_the_schedules_act(task: Any, kit: ActKit) -> None:
    task(lambda: None, {"tocsin_slot": "backup-daily@2026-11-27T02:00Z"})

    (act,) = kit.read()
    assert (act.actor_kind, act.actor) == ("schedule", "backup-daily@2026-11-27T02:00Z")


def test_a_task_runs_on_behalf_of_whoever_sent_it(task: Any, kit: ActKit) -> None:
    said = {"correlation": "request-7", "actor": ["token", "anna", "192.0.2.7"]}

    task(lambda: about("backup/b9", items=4), {"tocsin_act": said})

    (act,) = kit.read()
    assert (act.actor_kind, act.actor, act.origin, act.correlation) == ("token", "anna", "192.0.2.7", "request-7")
    assert (act.object, act.detail["items"]) == ("backup/b9", 4)


def test_log_lines_of_a_task_carry_the_request_it_follows_from(task: Any) -> None:
    bound: list[dict[str, Any]] = []

    task(lambda: bound.append(get_contextvars()), {"tocsin_act": {"correlation": "request-7"}})

    assert bound[0]["correlation"] == "request-7"
    assert (bound[0]["task"], bound[0]["task_id"]) == ("backups.restore", "task-1")


RUBBISH: list[Any] = ["rubbish", {"actor": ["root"]}, {"actor": ["emperor", "anna", ""]}, ["token", "anna"]]


@pytest.mark.parametrize("said", RUBBISH)
def test_a_message_that_says_rubbish_of_its_sender_is_its_producers(task: Any, kit: ActKit, said: Any) -> None:
    task(lambda: None, {"tocsin_act": said})

    (act,) = kit.read()
    assert (act.actor_kind, act.correlation) == ("producer", "root-1")


def test_a_task_that_fails_is_on_record_as_failed_without_the_errors_words(task: Any, kit: ActKit) -> None:
    def fail() -> None:
        raise ValueError("hunter2")

    with pytest.raises(ValueError, match="hunter2"):
        task(fail)

    (act,) = kit.read()
    assert (act.outcome, act.detail["error"]) == ("failed", "ValueError")
    assert "hunter2" not in str(kit.client.xrange(kit.keys.acts))


def test_a_task_whose_process_died_is_on_record_as_begun(kit: ActKit) -> None:
    kit.door.begin(Act("backups.restore", "backup/b1", ANNA))

    (act,) = kit.read()
    assert (act.outcome, act.object) == ("begun", "backup/b1")


def test_a_call_that_only_looks_is_no_act(task: Any, kit: ActKit) -> None:
    def restore(*, dry_run: bool = False) -> None: ...

    restoring = task(restore, dry_run=True, _harmless={"dry_run": (True,)})
    assert kit.read() == []

    restoring()
    assert kit.actions() == ["backups.restore"]


def test_a_watchman_is_on_record_only_where_he_did_something(task: Any, kit: ActKit) -> None:
    enabled: list[str] = []
    look = task(lambda: {"enabled": enabled}, _tells=("enabled",))
    assert kit.read() == []

    enabled.append("PSUB1")
    look()
    (act,) = kit.read()
    assert act.detail["enabled"] == ["PSUB1"]


def test_the_alerts_way_leaves_no_act(app: Tocsin, kit: ActKit) -> None:
    submit = app.tasks["alerts.submit"]
    submit.push_request(id="m1")
    submit(alerts=[alert("disk")])
    submit.pop_request()
    app.runtime.delivery.drain()

    assert kit.read() == []
    assert kit.client.xlen(kit.keys.ledger) > 0


def test_what_is_sent_within_an_act_carries_it_on(app: Tocsin, kit: ActKit) -> None:
    with kit.door.during(Act("schedules.run", actor=ANNA, correlation="request-7")):
        app.send_task("notifications.replay", kwargs={"where": {}})

    message = json.loads(kit.client.lpop("tocsin:delivery"))
    assert message["headers"]["tocsin_act"] == {
        "correlation": "request-7",
        "actor": ["person", "anna", "bastion pts/1"],
    }
    assert base64.b64decode(message["body"])


def test_what_a_task_sends_carries_on_whose_behalf_it_runs(app: Tocsin, task: Any, kit: ActKit) -> None:
    said = {"correlation": "request-7", "actor": ["token", "anna", "192.0.2.7"]}

    task(lambda: app.send_task("notifications.replay", kwargs={}).id, {"tocsin_act": said}, _has_effect=False)

    assert json.loads(kit.client.lpop("tocsin:delivery"))["headers"]["tocsin_act"] == said
    assert kit.read() == []


def test_an_effect_nobody_could_put_on_record_is_not_begun(task: Any, kit: ActKit, client: Any) -> None:
    client.config_set("maxmemory", 1)
    kit.folder.mkdir()
    (kit.folder / "waiting.jsonl").mkdir()
    done: list[str] = []

    try:
        with pytest.raises(NotRecordedError, match="cannot be put on record"):
            task(lambda: done.append("restored"))
    finally:
        client.config_set("maxmemory", 0)

    assert done == []


def test_every_task_is_on_record_or_says_why_not(app: Tocsin) -> None:
    """The ledger tells of the alert's way; what seals and proves only looks. A new task is on record unless it says otherwise."""
    silent = {name for name, each in app.tasks.items() if not name.startswith("celery.") and not each.has_effect}

    assert silent <= {
        *("alerts.submit", "alerts.pulse", "notifications.pulse"),
        *("notifications.deliver", "notifications.digest", "notifications.sweep"),
        *("webhooks.process", "webhooks.catch_up"),
        *("incidents.act", "incidents.verify", "incidents.maintenance"),
        *("escalations.advance", "escalations.audit"),
        *("audit.prove", "audit.seal", "audit.verify", "audit.collect"),
        *("health.check", "backups.verify"),
    }
