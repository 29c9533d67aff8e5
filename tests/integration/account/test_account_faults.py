"""Restoring while PagerDuty refuses, does not answer, or does not show yet what was made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.error_handler import PermanentError, TransientError
from tests.integration.account.kit import FileJournal, by_kind, made_up, one, read, restorer_of, silent

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.backups.items import Item
    from tasks.utils.clock import MovableClock
    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess

SETTLE = 30.0


@pytest.fixture
def items(source: SandboxProcess, rest: RestClient) -> list[Item]:
    made_up(source, webhook_subscriptions=1)
    return read(rest)


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "journal")


def restored(target: SandboxProcess, other: RestClient, items: list[Item], journal: FileJournal) -> Any:
    """Restore; where that waits for lists to show what was made, PagerDuty's clock goes on."""

    def sleep(seconds: float) -> None:
        target.control("POST", "/clock", {"advance_seconds": seconds})

    restorer = restorer_of(other, SETTLE, sleep=sleep)
    return restorer.apply(restorer.plan(items), journal, silent)


@pytest.mark.parametrize("path", ["/users", "/event_orchestrations", "/extensions"])
def test_what_was_made_without_an_answer_is_found_and_not_made_again(
    target: SandboxProcess, other: RestClient, items: list[Item], journal: FileJournal, path: str
) -> None:
    target.control("POST", "/limits", {"read_delay_seconds": SETTLE - 5})
    target.control("POST", "/faults", {"kind": "reset", "ingest": True, "method": "POST", "path": path, "count": 2})

    outcome = restored(target, other, items, journal)

    assert outcome.differences == ()
    assert by_kind(read(other)) == by_kind(items)


def test_a_disabled_service_is_disabled_although_that_got_no_answer(
    source: SandboxProcess,
    target: SandboxProcess,
    rest: RestClient,
    other: RestClient,
    items: list[Item],
    journal: FileJournal,
) -> None:
    service = one(items, "services")
    policy = service.document["escalation_policy"]
    rest.services.update(service.id, {"type": "service", "escalation_policy": policy, "status": "disabled"})
    target.control("POST", "/faults", {"kind": "error", "method": "PUT", "path": "/services/", "count": 3})

    outcome = restored(target, other, read(rest), journal)

    assert outcome.differences == ()
    assert [one["status"] for one in other.services.list()].count("disabled") == 1


def test_what_was_not_made_is_tried_again(
    target: SandboxProcess, other: RestClient, items: list[Item], journal: FileJournal
) -> None:
    target.control("POST", "/faults", {"kind": "error", "method": "POST", "path": "/teams", "count": 3})

    outcome = restored(target, other, items, journal)

    assert outcome.differences == ()
    assert by_kind(read(other)) == by_kind(items)


def test_a_restore_that_pagerduty_ended_goes_on_where_it_stopped(
    target: SandboxProcess, other: RestClient, items: list[Item], journal: FileJournal, clock: MovableClock
) -> None:
    target.control("POST", "/faults", {"kind": "error", "method": "POST", "path": "/services"})
    with pytest.raises(TransientError):
        restored(target, other, items, journal)
    target.control("DELETE", "/faults")
    clock.advance(timedelta(minutes=1))  # PagerDuty is asked again

    outcome = restored(target, other, items, journal)

    assert outcome.differences == ()
    assert by_kind(read(other)) == by_kind(items)


def test_what_is_refused_is_told_with_what_depends_on_it_and_the_rest_goes_on(
    target: SandboxProcess, other: RestClient, items: list[Item], journal: FileJournal
) -> None:
    target.control("POST", "/faults", {"kind": "reject", "status": 400, "method": "POST", "path": "/business_services"})

    outcome = restored(target, other, items, journal)

    told = {(one.verb, one.kind) for one in outcome.differences}
    assert told == {("cannot", "business_services"), ("cannot", "service_dependencies")}
    assert all("PagerDuty refused" in one.why or "which is not there" in one.why for one in outcome.differences)
    assert by_kind(read(other))["tag_assignments"] == by_kind(items)["tag_assignments"]


def test_a_second_owner_becomes_an_administrator_and_that_is_told(
    target: SandboxProcess, other: RestClient, items: list[Item], journal: FileJournal
) -> None:
    fault = {"kind": "reject", "status": 400, "method": "POST", "path": "/users", "exact": True, "count": 1}
    target.control("POST", "/faults", fault)

    outcome = restored(target, other, items, journal)

    assert outcome.differences == ()
    again = [one for one in restorer_of(other).plan(items).changes if one.verb != "leave"]
    assert [(one.verb, one.kind, one.why) for one in again] == [
        ("cannot", "users", "an account has one owner, who alone can change that")
    ]


def test_a_journal_of_another_account_is_refused(
    other: RestClient, rest: RestClient, items: list[Item], journal: FileJournal
) -> None:
    restorer = restorer_of(rest)
    restorer.apply(restorer.plan(items), journal, silent)

    with pytest.raises(PermanentError, match="use another"):
        restorer_of(other).apply(restorer_of(other).plan(items), journal, silent)
