"""What a key may not see is neither there nor gone: a restore leaves it, and says so beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tasks.backups.account.listings import LISTINGS
from tests.integration.account.kit import FileJournal, made_up, names, read, restorer_of, silent

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.backups.restoring import Change, Plan
    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess

PATHS = [
    pytest.param(one.path, marks=() if one.kind == "webhook_subscriptions" else pytest.mark.slow) for one in LISTINGS
]


def hide(sandbox: SandboxProcess, path: str, *, exact: bool = True) -> None:
    """From now on the key may not see that."""
    body = {"error": {"message": "Access Denied", "code": 2010}}
    fault = {"kind": "reject", "status": 403, "path": path, "body": body, "method": "GET", "exact": exact}
    sandbox.control("POST", "/faults", fault)


def to_do(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.verb in ("create", "change")]


@pytest.mark.parametrize("path", PATHS)
def test_in_the_same_account_what_neither_backup_nor_restore_could_see_changes_nothing(
    source: SandboxProcess, rest: RestClient, path: str
) -> None:
    made_up(source)
    hide(source, path)
    items = read(rest)

    assert to_do(restorer_of(rest).plan(items)) == []


@pytest.mark.parametrize("path", PATHS)
def test_what_a_restore_cannot_see_is_not_made_a_second_time(
    source: SandboxProcess, rest: RestClient, path: str, tmp_path: Path
) -> None:
    made_up(source)
    items = read(rest)
    hide(source, path)
    restorer = restorer_of(rest)

    plan = restorer.plan(items)
    outcome = restorer.apply(plan, FileJournal(tmp_path / "journal"), silent)

    assert to_do(plan) == []
    assert all("403" in one.why or not one.why for one in plan.changes if one.verb == "cannot" and one.kind == path[1:])
    assert (outcome.created, outcome.changed, outcome.differences) == (0, 0, ())
    source.control("DELETE", "/faults")
    assert names(read(rest)).keys() == {item.name for item in items}


@pytest.mark.parametrize("path", PATHS)
def test_the_plan_for_another_account_names_all_that_lacks_something_the_backup_does_not_hold(
    source: SandboxProcess, rest: RestClient, target: SandboxProcess, other: RestClient, path: str, tmp_path: Path
) -> None:
    made_up(source)
    hide(source, path)
    items = read(rest)
    target.control("DELETE", "/log")
    restorer = restorer_of(other)

    plan = restorer.plan(items)
    outcome = restorer.apply(plan, FileJournal(tmp_path / "journal"), silent)

    assert outcome.differences == ()
    assert (outcome.created + outcome.changed) == len(to_do(plan))
    assert any("the backup does not hold" in change.why for change in plan.changes if change.kind == "account")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/event_orchestrations/services", "service_orchestrations"),
        pytest.param("/event_orchestrations", "orchestration_rules", marks=pytest.mark.slow),
    ],
)
def test_rules_that_the_backup_could_not_see_are_not_emptied(
    source: SandboxProcess, rest: RestClient, tmp_path: Path, path: str, kind: str
) -> None:
    made_up(source)
    before = names(read(rest))
    hide(source, path, exact=False)
    items = read(rest)
    source.control("DELETE", "/faults")
    restorer = restorer_of(rest)

    restorer.apply(restorer.plan(items), FileJournal(tmp_path / "journal"), silent)

    assert [name for name in before if name.startswith(kind)]
    assert names(read(rest)) == before
