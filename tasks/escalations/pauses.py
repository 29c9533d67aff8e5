"""Silences and maintenance windows as escalations see them: while one is in force, no step is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tasks.utils.keys import Keys


class Rule(Protocol):
    """A rule that matches an alert, see `tasks.alerts.holds`. Times in milliseconds."""

    @property
    def name(self) -> str:
        """As the ledger calls it."""
        ...

    @property
    def begins(self) -> int | None:
        """From when; None where it is none of time."""
        ...

    @property
    def ends(self) -> int | None:
        """Until when."""
        ...


class Book(Protocol):
    """Every rule there is, as of one version."""

    version: str

    def rules_for(self, labels: Mapping[str, str]) -> Sequence[Rule]:
        """Those that match."""
        ...


class Store(Protocol):
    """Where the rules lie, see `tasks.alerts.rule_store`."""

    @property
    def book(self) -> Book:
        """As last read."""
        ...

    def refresh(self) -> Book:
        """As they are now."""
        ...


class RulePause:
    """Asks the rule book, which is read anew when the rules have changed."""

    def __init__(self, store: Store, client: Any, keys: Keys) -> None:
        self._store = store
        self._client = client
        self._version = keys.rules_version

    def __call__(self, labels: Mapping[str, str], at: int) -> tuple[str, int, int] | None:
        """The rule that holds back such an alert at that moment (ms): its name, from when, until when; None where none does."""
        book = self._store.book
        if book.version != (self._client.get(self._version) or "0"):
            book = self._store.refresh()
        for rule in book.rules_for(labels):
            if rule.begins is not None and rule.ends is not None and rule.begins <= at < rule.ends:
                return rule.name, rule.begins, rule.ends
        return None
