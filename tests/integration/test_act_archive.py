"""Reading the record of acts: one act for all that is told of it, filters, exports."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tasks.audit.act_export import Exporter
from tasks.audit.act_filter import ActFilter, filter_of
from tasks.utils.audit_logger import Act, Actor, AuditLogger
from tasks.utils.error_handler import PermanentError
from tests.integration.act_kit import ANNA, ActKit

if TYPE_CHECKING:
    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

BACKUPS = Actor("schedule", "backup-daily@2026-11-27T02:00Z", "beat@h1")


@pytest.fixture
def kit(client: Any, keys: Keys, tmp_path: Path) -> ActKit:
    made = ActKit(client, keys, tmp_path)
    made.door.record(Act("silences.create", "silence/1", ANNA))
    made.door.record(Act("silences.expire", "silence/1", ANNA, "failed"))
    made.door.record(Act("api.denied", "operation/createSilence", Actor("token", "eve", "192.0.2.7"), "denied"))
    with made.door.during(Act("backups.create", "backup/b1", BACKUPS)):
        pass
    return made


@pytest.mark.parametrize("sealed", [False, True], ids=["live", "sealed"])
@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["silences.create", "silences.expire", "api.denied", "backups.create"]),
        ({"actor": "anna"}, ["silences.create", "silences.expire"]),
        ({"actor": "token/*"}, ["api.denied"]),
        ({"actor": "schedule/backup-*"}, ["backups.create"]),
        ({"action": "silences.*"}, ["silences.create", "silences.expire"]),
        ({"object": "silence/*", "outcome": "failed"}, ["silences.expire"]),
        ({"outcome": "denied"}, ["api.denied"]),
        ({"outcome": "begun"}, []),
        ({"action": "SILENCES.*"}, []),
    ],
)
def test_acts_are_chosen_by_actor_action_object_and_outcome(
    kit: ActKit,
    wanted: dict[str, str],
    found: list[str],
    sealed: bool,  # noqa: FBT001
) -> None:
    if sealed:
        kit.archive.seal()

    assert kit.actions(**wanted) == found


def test_acts_are_chosen_by_time(kit: ActKit, clock: MovableClock) -> None:
    kit.archive.seal()
    clock.advance(timedelta(days=2))
    kit.do("came.later")
    middle = clock.now_ms() - 86_400_000

    assert kit.actions(since=middle) == ["came.later"]
    assert "came.later" not in kit.actions(until=middle)
    kit.archive.seal()
    assert kit.actions(since=middle) == ["came.later"]


def test_an_act_that_has_not_ended_is_shown_as_begun_and_last(kit: ActKit) -> None:
    kit.door.begin(Act("backups.restore", "backup/b1", ANNA))
    kit.do("came.later")

    assert [(act.action, act.outcome) for act in kit.read()][-2:] == [
        ("came.later", "ok"),
        ("backups.restore", "begun"),
    ]


def test_an_act_that_stands_there_twice_is_told_once(kit: ActKit) -> None:
    (_, first) = kit.client.xrange(kit.keys.acts, count=1)[0]
    kit.archive.seal()
    kit.client.xadd(kit.keys.acts, first)

    assert kit.actions().count("silences.create") == 1


def test_what_is_sealed_while_it_is_read_is_read_once(kit: ActKit) -> None:
    kit.archive.seal()
    reading = kit.archive.read(ActFilter())
    found = [next(reading).action]
    for name in ("came.later", "came.last"):
        kit.do(name)
        kit.archive.seal()

    found += [act.action for act in reading]

    assert found[:4] == ["silences.create", "silences.expire", "api.denied", "backups.create"]
    assert len(found) == len(set(found))


def test_the_last_acts_are_the_newest_in_the_order_of_time(kit: ActKit) -> None:
    assert [act.action for act in kit.archive.last(2, ActFilter())] == ["api.denied", "backups.create"]


def test_json_lines_say_everything_and_are_counted_and_hashed(kit: ActKit) -> None:
    report = kit.archive.export(ActFilter(), "jsonl")

    data = Path(report.file).read_bytes()
    first, *_ = [json.loads(line) for line in data.splitlines()]
    assert (report.acts, report.bytes, report.sha256) == (4, len(data), hashlib.sha256(data).hexdigest())
    assert (first["action"], first["object"], first["actor"], first["source"]) == (
        "silences.create",
        "silence/1",
        "anna",
        "tocsin",
    )
    assert stat.S_IMODE(Path(report.file).stat().st_mode) == 0o600


def test_csv_is_read_back_as_it_was_and_holds_no_formula(kit: ActKit) -> None:
    kit.door.record(Act("silences.create", "=HYPERLINK(evil)", Actor("stranger", "@SUM(1)", 'a "b", c\nd')))

    report = kit.archive.export(ActFilter(), "csv")

    rows = list(csv.DictReader(io.StringIO(Path(report.file).read_bytes().decode(), newline="")))
    assert [row["action"] for row in rows] == [*kit.actions()]
    assert (rows[-1]["object"], rows[-1]["actor"]) == ("'=HYPERLINK(evil)", "'@SUM(1)")
    assert rows[-1]["origin"] == 'a "b", c\nd'


def test_a_filter_says_what_is_wrong_with_it() -> None:
    moment = datetime(2026, 11, 27, 4, tzinfo=UTC)
    assert filter_of(since="2026-11-27T04:00:00Z").since == round(moment.timestamp() * 1000)

    for wrong in ({"since": "yesterday"}, {"outcome": "fine"}, {"colour": "red"}):
        with pytest.raises(PermanentError):
            filter_of(**wrong)
    with pytest.raises(PermanentError, match="there is no format 'xml'"):
        Exporter(io.BytesIO(), "xml")


def test_entries_that_hold_no_act_hide_none_that_does(kit: ActKit) -> None:
    for broken in ({"d": "no json"}, {"d": "[]"}, {"s": "fine", "d": "{}"}, {"d": '{"d":7}'}):
        kit.client.xadd(kit.keys.acts, {"e": "0" * 28, "s": "ok", "r": "rubbish", "t": "1", **broken})
    kit.do("came.later")

    assert "came.later" in kit.actions()
    assert kit.archive.last(1, ActFilter())[0].action == "came.later"


def test_after_a_loss_of_redis_the_record_goes_on_in_the_same_chain(kit: ActKit) -> None:
    kit.archive.seal()
    before = len(kit.read())
    kit.client.flushall()
    kit.do("came.later")

    kit.archive.seal()

    report = kit.archive.acts.verify()
    assert report.holds, report.broken
    assert len(kit.read()) == before + 1


def test_a_folder_that_may_not_be_looked_into_keeps_nobody_from_recording(kit: ActKit, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    door = AuditLogger(kit.client, kit.keys, tmp_path / "file" / "acts")
    door.record(Act("came.later", actor=ANNA))

    assert kit.actions()[-1] == "came.later"
