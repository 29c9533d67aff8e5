"""What an account has that no backup holds."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tasks.backups.account.parts import View
from tasks.backups.account.patience import Patience
from tasks.backups.account.reading import Reading
from tasks.utils.rest.errors import ForbiddenError, NotFoundError, Said

FORBIDDEN = ("/status_pages",)
NOW = datetime(2026, 11, 27, tzinfo=UTC)


class Lists:
    """Shows these lists, and knows no other."""

    def __init__(self, **lists: list[Any]) -> None:
        self._lists = {f"/{name}": {name: items} for name, items in lists.items()}

    def get(self, path: str, _: Any) -> Any:
        if path in FORBIDDEN:
            raise ForbiddenError("may not", Said(403, "Access Denied"))
        if path not in self._lists:
            raise NotFoundError("no such list", Said(404))
        return self._lists[path]


def reading(**lists: list[Any]) -> Reading:
    rest: Any = SimpleNamespace(caller=Lists(**lists))
    return Reading(View(rest, NOW, NOW), Patience(lambda _: None))


def test_what_no_backup_holds_is_named_where_there_is_some_or_may_be() -> None:
    made = reading(templates=[{"id": "PT1"}], rulesets=[], session_configurations=[])

    made.look_for_the_unkept()

    told = {
        "templates": "Tocsin does not back these up, and the account has some",
        "status_pages": "whether the account has any cannot be seen: PagerDuty refused it (403): Access Denied",
    }
    assert {gap.kind: gap.why for gap in made.gaps} == told
    assert not any(gap.is_amiss for gap in made.gaps)
