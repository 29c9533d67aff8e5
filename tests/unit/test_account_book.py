"""What a restore's journal is taken for by whoever goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.backups.account.book import Book
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Journal:
    """In memory."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def read(self) -> Iterator[dict[str, Any]]:
        yield from self.entries

    def write(self, entry: dict[str, Any]) -> None:
        self.entries.append(entry)


def test_a_restore_goes_on_in_an_account_that_was_empty_when_it_began() -> None:
    journal = Journal()
    Book(journal, "").end([("teams", "P1", "Q1")])

    assert Book(journal, "acme.pagerduty.com").made == {("teams", "P1"): "Q1"}


def test_a_journal_of_another_account_is_refused() -> None:
    journal = Journal()
    Book(journal, "")
    Book(journal, "acme.pagerduty.com")

    with pytest.raises(PermanentError, match=r"into acme.pagerduty.com, not other.pagerduty.com"):
        Book(journal, "other.pagerduty.com")
