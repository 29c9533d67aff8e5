"""Which object of an account is which of a backup: by id in the account it was made of, else by name."""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Final

from tasks.backups.account.comparison import key_of
from tasks.backups.account.hidden import hidden_kinds
from tasks.backups.account.kinds import BY_NAME, KINDS
from tasks.backups.account.translation import Translator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.backups.account.kind import Kind
    from tasks.backups.account.shelf import Name, Shelf


SURE: Final = {
    "users": "email",
    "escalation_policies": "name",
    "services": "name",
    "schedules": "name",
    "teams": "name",
}
"""By what it is told whether ids mean the same: by users, or by the first of these that both have where users cannot be seen."""


def is_same_account(items: Shelf, target: Shelf) -> bool:
    """Whether the backup is of this account: the same host, and most ids of its users that are there are still theirs."""
    hosts = {item.document.get("host") for shelf in (items, target) for item in shelf.of("account")}
    if len(hosts) != 1:
        return False
    kind = next((name for name in SURE if items.count(name) and target.count(name)), "users")
    there = {item.id: item.document.get(SURE[kind]) for item in target.of(kind)}
    agree = [there[item.id] == item.document.get(SURE[kind]) for item in items.of(kind) if item.id in there]
    return bool(sum(agree) * 2 > len(agree))


def match(items: Shelf, target: Shelf, known: Mapping[Name, str], *, is_same: bool) -> Translator:
    """Who is who. `known`: what a restore before this one has made, by kind and old id."""
    translator = Translator.of(items, known, is_same=is_same)
    hidden = hidden_kinds(target)
    for kind in KINDS:
        _match_kind(kind, items, target, translator, is_hidden=kind.name in hidden)
    return translator


def _match_kind(kind: Kind, items: Shelf, target: Shelf, translator: Translator, *, is_hidden: bool) -> None:
    """`is_hidden`: the target does not show them, so in the same account they are taken to be there."""
    pairs = translator.pairs
    taken = {new for (name, _), new in pairs.items() if name == kind.name}
    waiting = [one for one in items.ids(kind.name) if (kind.name, one) not in pairs]
    if translator.is_same and not kind.hangs:
        there = set(waiting if is_hidden else target.ids(kind.name)) - taken
        for one in [one for one in waiting if one in there]:
            pairs[kind.name, one] = one
            taken.add(one)
    free = _by_key(kind.name, target, taken)
    for one in waiting if free else ():
        if (kind.name, one) not in pairs and (found := free.get(_key(kind.name, items, one, translator))):
            pairs[kind.name, one] = found.popleft()


def _by_key(kind: str, target: Shelf, taken: set[str]) -> dict[tuple[str, ...] | None, deque[str]]:
    free: dict[tuple[str, ...] | None, deque[str]] = defaultdict(deque)
    for item in target.of(kind):
        if item.id not in taken:
            free[key_of(kind, item.document)].append(item.id)
    free.pop(None, None)
    return free


def _key(kind: str, items: Shelf, item_id: str, translator: Translator) -> tuple[str, ...] | None:
    item = items.get(kind, item_id)
    if item is None:
        return None
    said = {name: item.document[name] for name in BY_NAME[kind].key if name in item.document}
    document, unknown = translator.translate(said)
    return None if unknown else key_of(kind, document)
