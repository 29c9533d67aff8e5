"""Silences as a task's arguments ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from tasks.alerts.models import SilenceDraft
from tasks.utils.error_handler import InvalidRuleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tasks.alerts.silences import SilenceService

ACTIONS: Final = ("create", "preview", "expire", "list")


class SilenceRequests:
    """Turns plain arguments into calls, and answers into JSON."""

    def __init__(self, silences: SilenceService) -> None:
        self._silences = silences

    def answer(self, action: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What `action` answers. InvalidRuleError names everything that is wrong with what was asked."""
        match action:
            case "create":
                return self._silences.create(_draft(asked)).model_dump(mode="json")
            case "preview":
                return self._silences.preview(_draft(asked)).model_dump(mode="json")
            case "expire":
                _no_more_than(asked, "id", "author")
                return self._silences.expire(_text(asked, "id"), _text(asked, "author")).model_dump(mode="json")
            case "list":
                _no_more_than(asked, "include_ended")
                found = self._silences.list(include_ended=bool(asked.get("include_ended")))
                return {"silences": [silence.model_dump(mode="json") for silence in found]}
            case _:
                raise InvalidRuleError([f"'action' is {action!r}; use one of {', '.join(ACTIONS)}"])


def _draft(asked: Mapping[str, Any]) -> SilenceDraft:
    try:
        return SilenceDraft.model_validate(dict(asked))
    except ValidationError as error:
        faults = [f"'{'.'.join(str(part) for part in each['loc'])}': {each['msg']}" for each in error.errors()]
        raise InvalidRuleError(faults) from None


def _text(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value.strip():
        raise InvalidRuleError([f"'{name}' is missing or blank"])
    return value


def _no_more_than(asked: Mapping[str, Any], *names: str) -> None:
    unknown = sorted(set(asked) - set(names))
    if unknown:
        raise InvalidRuleError([f"'{name}' is not known here; known: {', '.join(names)}" for name in unknown])
