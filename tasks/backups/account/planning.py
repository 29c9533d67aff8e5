"""What a restore would do, item by item; nothing is changed here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from tasks.backups.account.bodies import fixed_fields, hidden_values, redacted_headers, why_fixed
from tasks.backups.account.canonical import reference_to
from tasks.backups.account.comparison import differing, is_over
from tasks.backups.account.differences import title_in
from tasks.backups.account.hidden import gaps_of, hidden_kinds
from tasks.backups.account.kinds import BY_NAME, KINDS
from tasks.backups.account.matching import is_same_account, match
from tasks.backups.account.parts import RULE_PARTS
from tasks.backups.items import Item
from tasks.backups.restoring import Change, Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from tasks.backups.account.shelf import Name, Shelf
    from tasks.backups.account.translation import Translator

NOT_HELD: Final = "is not in the backup"
STAYS: Final = "not in the backup; it stays"
EMPTIED: Final = "the backup has none: emptied"
BLANK: Final = {"sets": [{"id": "start", "rules": []}], "catch_all": {"actions": {}}}
BLANK_ROUTER: Final = {**BLANK, "catch_all": {"actions": {"route_to": "unrouted"}}}
PUSH: Final = "a telephone's push notifications are set up on the telephone"


@dataclass(frozen=True, slots=True)
class AccountPlan(Plan):
    """A plan with what it was made of: both accounts as they were read, the target's at `read_at`."""

    items: Shelf
    target: Shelf
    read_at: datetime

    @property
    def is_same(self) -> bool:
        """Whether the backup is of the very account that it goes into."""
        return is_same_account(self.items, self.target)


def plan_of(items: Shelf, target: Shelf, read_at: datetime) -> AccountPlan:
    """What would be done with these items in the account that holds `target`."""
    is_same = is_same_account(items, target)
    translator = match(items, target, {}, is_same=is_same)
    for blank in blanks(items, target, translator):
        items.put(blank)
    translator = match(items, target, {}, is_same=is_same)
    changes = tuple(Prospects(items, translator, hidden_kinds(target)).of_all(target, read_at))
    return AccountPlan((*changes, *_staying(target, translator)), items, target, read_at)


class Prospects:
    """Says what becomes of items, asked for in the order in which they can be made: what names a thing that cannot be, cannot be either."""

    def __init__(self, items: Shelf, translator: Translator, hidden: Mapping[str, str]) -> None:
        """`hidden`: what the account does not show, and why not."""
        self.translator = translator
        self._items = items
        self._hidden = hidden
        self.lost: set[Name] = set()

    def of_all(self, target: Shelf, now: datetime) -> Iterator[Change]:
        """One change for each item, in that order."""
        for kind in KINDS:
            for wave in waves(self._items, kind.name):
                for item in wave:
                    yield self.of(item, target, now)

    def of(self, item: Item, target: Shelf, now: datetime) -> Change:
        """What becomes of one item, in the account that holds `target`."""
        change = self._of(item, target, now)
        may_fail = self.lost and change.verb in ("create", "change")
        if may_fail and (gone := self.translator.named(item.document) & self.lost):
            what = ", ".join(sorted(f"{BY_NAME[kind].noun} {item_id}" for kind, item_id in gone))
            change = replace(change, verb="cannot", why=f"it names {what}, which cannot be restored")
        elif change.verb in ("create", "change"):
            change = self._with_what_is_absent(change, item)
        if change.verb == "cannot" and (item.kind, item.id) not in self.translator.pairs:
            self.lost.add((item.kind, item.id))
        return change

    def _with_what_is_absent(self, change: Change, item: Item) -> Change:
        """The same, or what comes of it where the item names what the backup does not hold."""
        if absent := self.translator.absent(item.document):
            return replace(change, verb="cannot", why=f"it names {', '.join(absent)}, which {NOT_HELD}")
        if spared := self.translator.spared(item.document):
            without = f"without {', '.join(spared)}, which {NOT_HELD}"
            return replace(change, why="; ".join(filter(None, (change.why, without))))
        return change

    def _of(self, item: Item, target: Shelf, now: datetime) -> Change:
        change = Change("create", item.kind, item.id, title_in(item, self._items.get))
        if item.kind == "account":
            return _of_account(change, item, target)
        there = target.get(item.kind, self.translator.pairs.get((item.kind, item.id), ""))
        if there is None and item.kind in self._hidden:
            return replace(change, verb="cannot", why=f"whether it is there cannot be seen: {self._hidden[item.kind]}")
        if there is None:
            return _of_new(change, item, now)
        document, unknown = self.translator.translate(item.document)
        later = self.translator.filled_later(item.document, self.lost)
        fields = sorted({*differing(item.kind, document, there.document, now), *later})
        if not fields and not unknown:
            return replace(change, verb="leave")
        return _of_changed(change, item, there, fields)


def waves(items: Shelf, kind: str) -> Iterator[Iterator[Item]]:
    """Those of a kind in groups, of which each names only what is in groups before it."""
    if kind != "teams":
        yield items.of(kind)
        return
    above = {item.id: (item.document.get("parent") or {}).get("id", "") for item in items.of(kind)}
    depths = {item_id: _depth(item_id, above) for item_id in above}
    for depth in sorted(set(depths.values())):
        yield (item for item in items.of(kind) if depths[item.id] == depth)


def _depth(team_id: str, above: Mapping[str, str]) -> int:
    depth = 0
    while (team_id := above.get(team_id, "")) and depth <= len(above):
        depth += 1
    return depth


def blanks(items: Shelf, target: Shelf, translator: Translator) -> Iterator[Item]:
    """Documents of rules that the target has and the backup has not: they are emptied, since what they belong to is restored."""
    unread = {
        gap["kind"] for gap in gaps_of(items.get("account", "account"))
    }  # the backup says nothing of them, not that there are none
    for old in items.ids("event_orchestrations") if "orchestration_rules" not in unread else ():
        new = translator.pairs.get(("event_orchestrations", old), "")
        for part in RULE_PARTS:
            if target.get("orchestration_rules", f"{new}.{part}") and not items.get(
                "orchestration_rules", f"{old}.{part}"
            ):
                rules = BLANK_ROUTER if part == "router" else BLANK
                owner = reference_to("event_orchestration", old)
                yield Item("orchestration_rules", f"{old}.{part}", {**rules, "orchestration": owner, "part": part})
    for old in items.ids("services") if "service_orchestrations" not in unread else ():
        new = translator.pairs.get(("services", old), "")
        if target.get("service_orchestrations", new) and not items.get("service_orchestrations", old):
            blank = {**BLANK, "service": reference_to("service", old), "active": False}
            yield Item("service_orchestrations", old, blank)


def _of_account(change: Change, item: Item, target: Shelf) -> Change:
    there = target.get("account", "account")
    has = set(there.document.get("abilities", ()) if there else ())
    lacking = set(item.document.get("abilities", ())) - has
    why = [f"the backup does not hold {gap['kind']}: {gap['why']}" for gap in gaps_of(item)]
    if lacking and has:  # else nobody may see what it has
        why.append(f"the account's plan lacks {', '.join(sorted(lacking))}")
    return replace(change, verb="cannot" if why else "leave", why="; ".join(why))


def _of_new(change: Change, item: Item, now: datetime) -> Change:
    kind = BY_NAME[item.kind]
    if not kind.sent:
        return replace(change, verb="cannot", why=kind.lost)
    if is_over(item.kind, item.document, now):
        return replace(change, verb="cannot", why="it is over")
    if item.document.get("type") == "push_notification_contact_method":
        return replace(change, verb="cannot", why=PUSH)
    if is_blank_item(item):
        return replace(change, verb="leave", why=EMPTIED)
    return replace(change, why="; ".join(_losses(item)))


def is_blank_item(item: Item) -> bool:
    """Whether it empties what may not be there."""
    return item.kind in ("orchestration_rules", "service_orchestrations") and not any(
        one["rules"] for one in item.document["sets"]
    )


def _losses(item: Item) -> Iterator[str]:
    """What the one made again will not have."""
    lost = BY_NAME[item.kind].lost
    if lost:
        yield lost
    headers = redacted_headers(item.document)
    if headers:
        yield hidden_values(headers)
    if item.document.get("integration_email"):
        yield f"its address {item.document['integration_email']} is the old one's; it gets another"
    if item.document.get("role") == "owner" and item.kind == "users":
        yield "an account has one owner: it may become an administrator"


def _of_changed(change: Change, item: Item, there: Item, fields: list[str]) -> Change:
    kind = BY_NAME[item.kind]
    settled = fixed_fields(item.kind, item.document, there.document)
    fixed = [name for name in fields if name in settled or name not in kind.sent]
    why = why_fixed(fixed) if fixed else ""
    if set(fields) <= set(fixed) and fields:
        return replace(change, verb="cannot", why=kind.lost if not kind.sent else why, fields=tuple(fields))
    if is_blank_item(item) and not is_blank_item(there):
        why = EMPTIED
    return replace(change, verb="change", why=why, fields=tuple(fields))


def _staying(target: Shelf, translator: Translator) -> Iterator[Change]:
    """What the account has besides."""
    paired: set[Name] = {(kind, new) for (kind, _), new in translator.pairs.items()}
    for item in target:
        if (item.kind, item.id) not in paired and item.kind != "account":
            yield Change("leave", item.kind, item.id, title_in(item, target.get), STAYS)
