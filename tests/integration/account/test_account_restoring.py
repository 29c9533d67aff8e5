"""An account's items, brought back into an account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from deploy.sandbox.generate import generate
from tests.conftest import ROOT
from tests.integration.account.kit import FileJournal, by_kind, furnish, made_up, read, restorer_of, silent

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess

TEN_THOUSAND = ROOT / "tests" / "data" / "accounts" / "ten_thousand.json"


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


@pytest.mark.slow
def test_ten_thousand_objects_become_equal_ids_aside(
    source: SandboxProcess, target: SandboxProcess, rest: RestClient, other: RestClient, tmp_path: Path
) -> None:
    source.control("PUT", "/account", generate(1, json.loads(TEN_THOUSAND.read_text())))
    items = read(rest)
    restorer = restorer_of(other)

    outcome = restorer.apply(restorer.plan(items), FileJournal(tmp_path / "journal"), silent)

    assert {(one.kind, one.fields) for one in outcome.differences} == {("webhook_subscriptions", ("custom_headers",))}
    assert by_kind(read(other)) == by_kind(items)
