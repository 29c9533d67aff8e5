"""Whatever was changed or removed in an account comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.account.kit import FileJournal, made_up, read, restorer_of, silent
from tests.integration.account.meddling import Meddler

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.rest.client import RestClient
    from tests.integration.sandbox.kit import SandboxProcess

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))]


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_was_changed_or_removed_comes_back(
    source: SandboxProcess, rest: RestClient, tmp_path: Path, seed: int
) -> None:
    made_up(source, seed=seed)
    items = read(rest)
    assert Meddler(rest, seed).meddle(25) > 5
    source.watch.skip("whoever meddles leaves out of a change what the description requires")
    restorer = restorer_of(rest)

    outcome = restorer.apply(restorer.plan(items), FileJournal(tmp_path / "journal"), silent)

    assert outcome.differences == ()
    assert [one for one in restorer.plan(items).changes if one.verb in ("create", "change")] == []
