"""What differs between a backup and the account it was restored into."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.backups.account.bodies import fixed_fields
from tasks.backups.account.comparison import differing
from tasks.backups.account.differences import title_in
from tasks.backups.account.matching import match
from tasks.backups.account.planning import is_blank_item
from tasks.backups.restoring import Change

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from datetime import datetime

    from tasks.backups.account.shelf import Name, Shelf
    from tasks.backups.account.translation import Translator

MISSING = "it is not there"


def differences_from(
    items: Shelf, target: Shelf, translator: Translator, known: Container[Name], now: datetime
) -> tuple[Change, ...]:
    """Every item that is missing or not the same, ids and what nobody can change aside; `known` are told of elsewhere."""
    pairs = match(items, target, translator.pairs, is_same=translator.is_same)
    return tuple(_found(items, target, pairs, known, now))


def _found(
    items: Shelf, target: Shelf, translator: Translator, known: Container[Name], now: datetime
) -> Iterator[Change]:
    for item in items:
        if (item.kind, item.id) in known or item.kind == "account":
            continue
        there = target.get(item.kind, translator.pairs.get((item.kind, item.id), ""))
        if there is None:
            if not is_blank_item(item):
                yield Change("create", item.kind, item.id, title_in(item, items.get), MISSING)
            continue
        document, unknown = translator.translate(item.document)
        fields = differing(item.kind, document, there.document, now)
        if unknown or set(fields) - set(fixed_fields(item.kind, item.document, there.document)):
            why = f"it names {', '.join(unknown)}, which is not there" if unknown else ""
            yield Change("change", item.kind, item.id, title_in(item, items.get), why, tuple(fields))
