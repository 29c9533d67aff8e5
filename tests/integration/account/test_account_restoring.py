"""An account's items, brought back into an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.integration.account.kit import FileJournal, by_kind, furnish, made_up, read, restorer_of, silent

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess


def test_an_empty_account_becomes_equal_ids_aside(
    source: SandboxProcess, target: SandboxProcess, rest: RestClient, other: RestClient, tmp_path: Path
) -> None:
    made_up(source)
    furnish(rest, read(rest))
    items = read(rest)
    restorer = restorer_of(other)

    outcome = restorer.apply(restorer.plan(items), FileJournal(tmp_path / "journal"), silent)

    assert [(one.kind, one.why) for one in outcome.differences] == [
        ("webhook_subscriptions", "PagerDuty tells nobody the values of its headers x-team: set them anew")
    ] * 2
    assert by_kind(read(other)) == by_kind(items)
    assert [one for one in restorer.plan(items).changes if one.verb in ("create", "change")] == []
