"""The one door to the record of acts: nothing that went through it is lost, doubled or says more than it should."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.audit_logger import Act, Actor, AuditLogger, NotRecordedError
from tasks.utils.connect import connect

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.keys import Keys

ANNA = Actor("person", "anna", "bastion pts/1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "acts"


@pytest.fixture
def acts(client: Any, keys: Keys, folder: Path) -> AuditLogger:
    return AuditLogger(client, keys, folder)


@pytest.fixture
def cut_off(keys: Keys, folder: Path) -> AuditLogger:
    """The same door on the same machine, for a process that does not reach Redis."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return AuditLogger(connect(f"redis://127.0.0.1:{port}/0"), keys, folder)


def recorded(client: Any, keys: Keys) -> list[tuple[str, str, dict[str, Any]]]:
    """Step, action and the rest of each entry, oldest first."""
    return [(entry["s"], entry["r"], json.loads(entry["d"])) for _, entry in client.xrange(keys.acts)]


def actions(client: Any, keys: Keys) -> list[str]:
    return [action for _, action, _ in recorded(client, keys)]


def test_an_act_is_written_down_with_who_what_whence_and_outcome(acts, client, keys):
    acts.record(Act("backups.restore", "backup/abc", ANNA, "denied", "request-1", {"items": 12}))

    said = {"o": "backup/abc", "k": "person", "n": "anna", "f": "bastion pts/1", "c": "request-1", "d": {"items": 12}}
    assert recorded(client, keys) == [("denied", "backups.restore", said)]


def test_an_act_without_an_actor_is_that_of_the_user_of_this_process(acts, client, keys):
    acts.record(Act("logs.prune"))

    (_, _, said) = recorded(client, keys)[0]
    assert (said["k"], bool(said["n"]), socket.gethostname() in said["f"]) == ("person", True, True)


def test_an_act_with_an_effect_is_on_record_before_the_effect(acts, client, keys):
    with acts.during(Act("tokens.rotate", "token/events", ANNA)) as act:
        assert [step for step, *_ in recorded(client, keys)] == ["begun"]
        act.detail["new"] = "k2"

    assert [(step, said.get("d")) for step, _, said in recorded(client, keys)] == [
        ("begun", None),
        ("ok", {"new": "k2"}),
    ]
    assert len({entry["e"] for _, entry in client.xrange(keys.acts)}) == 1


def test_an_error_makes_the_act_failed_and_is_named_without_its_words(acts, client, keys):
    with pytest.raises(ValueError, match="hunter2"), acts.during(Act("tokens.rotate", actor=ANNA)):
        raise ValueError("the password hunter2 is not good")

    step, _, said = recorded(client, keys)[1]
    assert (step, said["d"]) == ("failed", {"error": "ValueError"})


def test_what_is_done_within_an_act_has_its_actor_and_its_correlation_id(acts, client, keys):
    with acts.during(Act("backups.restore", actor=ANNA, correlation="request-1")):
        acts.record(Act("security.unlock"))

    _, _, said = recorded(client, keys)[1]
    assert (said["n"], said["c"]) == ("anna", "request-1")


def test_secrets_are_masked_wherever_they_stand(acts, client, keys):
    token = "eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl"
    detail = {"api_key": "short", "deep": {"said": [f"Bearer {token}"]}, "key": "A" * 32}
    acts.record(Act("tokens.issue", f"token/{token}", ANNA, detail=detail))

    (entry,) = client.xrange(keys.acts)
    assert not [secret for secret in (token, "short", "A" * 32) if secret in str(entry)]


def test_acts_wait_on_disk_while_redis_is_away_and_are_taken_up_in_order(acts, cut_off, client, keys):
    for number in range(3):
        cut_off.record(Act(f"waited.{number}", actor=ANNA))

    acts.record(Act("came.later", actor=ANNA))

    assert actions(client, keys) == ["waited.0", "waited.1", "waited.2", "came.later"]
    assert acts.take_up() == 0


def test_an_act_that_waited_keeps_the_time_it_was_done(acts, cut_off, client, keys, clock):
    cut_off.record(Act("waited.0", actor=ANNA))
    clock.advance(timedelta(hours=5))

    acts.take_up()
    acts.record(Act("came.later", actor=ANNA))

    waited, later = (int(entry["t"]) for _, entry in client.xrange(keys.acts))
    assert later - waited >= 5 * 3_600_000


def test_acts_handed_over_twice_are_on_record_once(acts, cut_off, client, keys, folder):
    cut_off.record(Act("waited.0", actor=ANNA))
    waiting = (folder / "waiting.jsonl").read_bytes()

    acts.take_up()
    (folder / "waiting.jsonl").write_bytes(waiting)  # as after a crash before the file was emptied
    acts.take_up()

    assert actions(client, keys) == ["waited.0"]


def test_half_a_line_that_a_crash_left_holds_up_nothing(acts, cut_off, client, keys, folder):
    cut_off.record(Act("waited.0", actor=ANNA))
    with (folder / "waiting.jsonl").open("ab") as file:
        file.write(b'["0123", "ok", "wai')

    cut_off.record(Act("waited.1", actor=ANNA))
    acts.take_up()

    assert actions(client, keys) == ["waited.0", "waited.1"]


def test_a_line_that_is_no_act_is_kept_beside_the_file(acts, cut_off, client, keys, folder):
    cut_off.record(Act("waited.0", actor=ANNA))
    with (folder / "waiting.jsonl").open("ab") as file:
        file.write(b"no act at all\n")

    acts.take_up()

    assert actions(client, keys) == ["waited.0"]
    assert [path.read_bytes() for path in folder.glob("damaged-*.jsonl")] == [b"no act at all\n"]


def test_an_act_that_nothing_takes_down_is_not_begun(cut_off, folder):
    folder.mkdir()
    (folder / "waiting.jsonl").mkdir()  # the disk refuses
    done = []

    with pytest.raises(NotRecordedError, match="cannot be put on record"), cut_off.during(Act("tokens.rotate")):
        done.append("rotated")

    assert done == []


def test_many_who_record_while_it_is_taken_up_lose_and_double_nothing(acts, keys, client, folder):
    def work(number: int) -> list[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        away = AuditLogger(connect(f"redis://127.0.0.1:{port}/0"), keys, folder)
        return [away.record(Act(f"worker.{number}", actor=ANNA)) for _ in range(25)]

    with ThreadPoolExecutor(6) as pool:
        told = [pool.submit(work, number) for number in range(5)]
        while not all(each.done() for each in told):
            acts.take_up()
    acts.take_up()

    on_record = [entry["e"] for _, entry in client.xrange(keys.acts)]
    assert sorted(on_record) == sorted(act_id for each in told for act_id in each.result())
