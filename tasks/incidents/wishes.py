"""Whether a wish makes sense before anybody is asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from tasks.incidents.models import Wish
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator


class InvalidActionError(PermanentError):
    """An action on incidents that cannot be carried out as it was asked for; `errors` names every fault."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def wish_of(verb: str, targets: Any = (), **asked: Any) -> Wish:
    """The wish, checked; a single incident need not be in a list. InvalidActionError names everything that is wrong with it."""
    named = [targets] if isinstance(targets, str | int) else list(targets)
    unique = list(dict.fromkeys(str(target).strip() for target in named))
    given = {name: value for name, value in asked.items() if value is not None}
    try:
        wish = Wish.model_validate({"verb": verb, "targets": unique, **given})
    except ValidationError as error:
        faults = [f"'{'.'.join(str(part) for part in each['loc'])}': {each['msg']}" for each in error.errors()]
        raise InvalidActionError(faults) from None
    faults = list(_faults(wish))
    if faults:
        raise InvalidActionError(faults)
    return wish


def _faults(wish: Wish) -> Iterator[str]:
    if wish.verb != "create" and not wish.targets:
        yield "no incident is named: give ids, numbers, URLs or dedup keys"
    check = _CHECKS.get(wish.verb)
    if check:
        yield from check(wish)


def _create(wish: Wish) -> Iterator[str]:
    if not wish.title.strip():
        yield "'title' is missing: one line that says what is wrong"
    if not wish.service:
        yield "'service' is missing: name a service, or set PAGERDUTY_SERVICE_ID"
    yield from _one_assignment(wish)


def _update(wish: Wish) -> Iterator[str]:
    if not (wish.title or wish.urgency or wish.priority or wish.escalation_level or wish.status_update or wish.note):
        yield "nothing is to be changed: give a title, urgency, priority, escalation level, status update or note"


def _merge(wish: Wish) -> Iterator[str]:
    if not wish.into:
        yield "'into' is missing: name the incident that takes the others in"
    if wish.into in wish.targets:
        yield f"{wish.into} cannot be merged into itself"


def _snooze(wish: Wish) -> Iterator[str]:
    if wish.seconds <= 0:
        yield "'seconds' is missing: say for how long, a week at most"


def _note(wish: Wish) -> Iterator[str]:
    if not wish.note.strip():
        yield "'note' is missing: the text to leave there"


def _reassign(wish: Wish) -> Iterator[str]:
    if not (wish.users or wish.escalation_policy or wish.on_call):
        yield "nobody is named: give ids of users, or that of an escalation policy or a schedule"
    yield from _one_assignment(wish)


def _one_assignment(wish: Wish) -> Iterator[str]:
    if wish.users and wish.escalation_policy:
        yield "both users and an escalation policy are named; give one of them"


_CHECKS = {
    "create": _create,
    "update": _update,
    "merge": _merge,
    "snooze": _snooze,
    "note": _note,
    "reassign": _reassign,
}
