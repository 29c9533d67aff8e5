"""What an account has that no backup holds."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tasks.backups.account.parts import View
from tasks.backups.account.patience import Patience
from tasks.backups.account.reading import Reading
from tasks.utils.rest.errors import NotFoundError, Said

NOW = datetime(2026, 11, 27, tzinfo=UTC)


class Lists:
    """Shows these lists, and knows no other."""

    def __init__(self, **lists: list[Any]) -> None:
        self._lists = {f"/{name}": {name: items} for name, items in lists.items()}

    def get(self, path: str, _: Any) -> Any:
        if path not in self._lists:
            raise NotFoundError("no such list", Said(404))
        return self._lists[path]


def reading(**lists: list[Any]) -> Reading:
    rest: Any = SimpleNamespace(caller=Lists(**lists))
    return Reading(View(rest, NOW, NOW), Patience(lambda _: None))


def test_what_no_backup_holds_is_named_where_there_is_some() -> None:
    made = reading(templates=[{"id": "PT1"}], rulesets=[])

    made.look_for_the_unkept()

    told = "Tocsin does not back these up, and the account has some"
    assert [(gap.kind, gap.why) for gap in made.gaps] == [("templates", told)]
