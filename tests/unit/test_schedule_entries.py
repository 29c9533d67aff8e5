"""What settings change of the schedule."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from config.errors import ConfigError
from config.schedules import ScheduleEntry
from config.settings import load
from schedules.beat import ENTRIES
from schedules.entries import entries_of
from tests.unit.config_kit import Folder
from workers.app import make_app

if TYPE_CHECKING:
    from pathlib import Path


def test_an_entry_keeps_what_is_not_changed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("pagerduty.yaml", "schedules: {ledger-proof: {cron: '5 * * * *', arguments: {since_seconds: 60}}}")

    entries = entries_of(load(environ={}, config_dir=tmp_path).schedules)

    proof = entries["ledger-proof"]
    assert (proof.cron, proof.arguments) == ("5 * * * *", {"since_seconds": 60, "keep": "hour"})
    assert (proof.task, proof.catch_up, proof.enabled) == ("audit.prove", timedelta(hours=1), True)
    assert entries["ledger-seal"] is ENTRIES["ledger-seal"]


def test_a_name_there_is_none_of_stops_every_process_and_names_all_there_are(tmp_path: Path) -> None:
    Folder(tmp_path).write("pagerduty.yaml", "schedules: {ledger-sael: {enabled: false}}")

    with pytest.raises(ConfigError, match=r"did you mean ledger-seal\? There are outbox-sweep, .*ledger-proof-whole"):
        make_app(load(environ={}, config_dir=tmp_path))


def test_the_records_are_not_looked_through_while_old_files_of_them_are_moved_away() -> None:
    assert ENTRIES["records-verify"].cron != ENTRIES["logs-clean-up"].cron


@pytest.mark.parametrize(
    "cron", ["* * * *", "* * * * * *", "61 * * * *", "0 0 30 2 *", "@daily", "every minute", "* * * * 8"]
)
def test_an_expression_that_is_none_is_refused(cron: str) -> None:
    with pytest.raises(ValueError, match="is not a crontab expression"):
        ScheduleEntry(cron=cron)
