"""What a reading of an account could not see: of that it says nothing, neither that it is there nor that it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.backups.account.listings import LISTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tasks.backups.account.shelf import Shelf
    from tasks.backups.items import Item

ACCOUNT: Final = "account"
NOT_SHOWN: Final = "PagerDuty does not show them (404)"
"""Of single objects: whoever has none of them may be told so, too."""
BEHIND: Final[dict[str, tuple[str, ...]]] = {
    "users": ("contact_methods", "notification_rules"),
    "services": ("integrations", "service_custom_field_values"),
    "service_custom_fields": ("service_custom_field_values",),
    "service_orchestrations": ("cache_variables",),
    "tags": ("tag_assignments",),
}
"""Kinds that are found by way of another, besides the parts of its list."""


def gaps_of(account: Item | None) -> Sequence[dict[str, str]]:
    """What could not be read, each with `kind` and `why`, as the item `account` tells."""
    told: Sequence[dict[str, str]] = account.document.get("not_backed_up", ()) if account else ()
    return told


def hidden_kinds(shelf: Shelf) -> dict[str, str]:
    """The kinds that could not be read, or not all of them, each with the reason."""
    found: dict[str, str] = {}
    for gap in gaps_of(shelf.get(ACCOUNT, ACCOUNT)):
        if gap["why"] != NOT_SHOWN:
            for kind in (gap["kind"], *_behind(gap["kind"])):
                found.setdefault(kind, gap["why"])
    return found


def _behind(kind: str) -> tuple[str, ...]:
    parts = [part.kinds for listing in LISTINGS if listing.kind == kind for part in listing.parts]
    near = (*BEHIND.get(kind, ()), *(one for kinds in parts for one in kinds))
    return (*near, *(further for one in near for further in BEHIND.get(one, ())))
