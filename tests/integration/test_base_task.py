"""What a task does with its message while the server refuses: it may not be acknowledged before its alerts are rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from celery.exceptions import Reject
from redis.exceptions import ResponseError

from config.settings import load
from tasks.carriers import AlertTask
from tests.pipeline import alert
from workers.app import Tocsin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deploy.local.embedded import Server


@pytest.fixture
def submit(server: Server, client: Any, tmp_path: Path) -> Iterator[Any]:
    """A task like `alerts.submit` as a worker has it, with a message in hand."""
    app = Tocsin("test", set_as_current=False)
    app.settings = load(environ={"REDIS_URL": server.url, "TOCSIN_STATE_DIR": str(tmp_path)})

    @app.task(bind=True, name="test.submit", base=AlertTask, shared=False)
    def task(self: AlertTask, alerts: list[Any]) -> Any:
        return self.runtime.alerts.submit(self.request.id, alerts).alerts

    task.push_request(id="m1", delivery_info={"redelivered": False})
    yield task
    client.config_set("maxmemory", 0)
    client.config_set("min-replicas-to-write", 0)
    task.pop_request()
    assert app.runtime.errors.flush()  # else its thread writes them into another test's server
    app.runtime.client.close()
    app.close()


@pytest.mark.parametrize("setting", ["maxmemory", "min-replicas-to-write"])
@pytest.mark.parametrize("alerts", [[alert("disk")], ["no alert"]], ids=["good", "bad"])
def test_a_message_goes_back_while_the_server_takes_no_writes(
    submit: Any, client: Any, setting: str, alerts: list[Any]
) -> None:
    client.config_set(setting, 1)

    with pytest.raises(Reject) as returned:
        submit(alerts=alerts)

    assert returned.value.requeue
    client.config_set(setting, 0)
    assert [one.id for one in submit(alerts=alerts)] == ["m1:0"]


def test_no_alert_is_lost_over_rotated_keys_that_cannot_be_read(submit: Any, client: Any) -> None:
    client.set("tocsin:keystore", "no hash of keys")

    assert [one.id for one in submit(alerts=[alert("disk")])] == ["m1:0"]


def test_a_message_that_fails_on_the_way_to_its_work_is_a_dead_letter(submit: Any, client: Any) -> None:
    submit.request.delivery_info["redelivered"] = True
    client.lpush("tocsin:deliveries:m1", "no counter")

    with pytest.raises(ResponseError):
        submit(alerts=[alert("disk")])

    assert client.hget("tocsin:event:m1:0", "state") == "dead"
    assert client.hget("tocsin:event:m1:0", "reason") == "task_failed"


@pytest.mark.parametrize("slot", ["alerts@2026-11-22T10:05Z", "alerts@soon", 7])
def test_no_message_of_alerts_is_taken_for_a_scheduled_run(submit: Any, slot: object) -> None:
    for number in range(2):
        submit.push_request(id=f"s{number}", tocsin_slot=slot, delivery_info={})

        assert [one.id for one in submit(alerts=[alert("disk")])] == [f"s{number}:0"]
        submit.pop_request()


def test_a_message_that_came_back_and_was_done_is_not_counted_any_longer(submit: Any, client: Any) -> None:
    submit.request.delivery_info["redelivered"] = True
    messages = submit.runtime.messages

    for _ in range(10):
        assert [one.id for one in submit(alerts=[alert("disk")])] == ["m1:0"]

    assert messages.delivered("m1").times == 1


def test_a_message_that_came_back_too_often_is_a_dead_letter_that_knows_since_when(submit: Any, client: Any) -> None:
    submit.request.delivery_info["redelivered"] = True
    runtime = submit.runtime
    came = [runtime.messages.delivered("m1").since for _ in range(runtime.messages.most_deliveries)]

    with pytest.raises(Reject) as refused:
        submit(alerts=[alert("disk")])

    assert not refused.value.requeue
    letter = runtime.dead_letters.get("m1:0")
    assert (letter.reason, letter.service, letter.summary) == ("poison", "shop", "disk is in trouble")
    assert letter.received_at is not None
    assert {f"{letter.received_at.timestamp() * 1000:.0f}"} == set(came)
