"""The values templates see: single values, lists, and two kinds of mapping. Nothing else, so nothing else can be reached."""

from __future__ import annotations

from typing import Any, Final

from jinja2 import TemplateRuntimeError, Undefined
from markupsafe import Markup

MOST_ITEMS: Final = 1_000
MOST_CHARACTERS: Final = 65_536
LARGEST: Final = 2**63


class Facts(dict[str, Any]):
    """What is known of a thing, by fixed names; another name is a mistake."""


class Named(dict[str, Any]):
    """Values by names that senders choose, such as labels; one that is not there is empty, as in Prometheus."""


class Missing(str):
    """The empty text that stands for what is not there."""

    __slots__ = ()


MISSING: Final = Missing()


def is_single(value: object) -> bool:
    """Whether it is one value: text, a number, yes or no, nothing."""
    return value is None or isinstance(value, str | int | float)


def size_of(value: object) -> int:
    """About how much work it is to look at all of a value once."""
    if isinstance(value, str):
        return 1 + len(value) // 16
    if isinstance(value, list | tuple | dict | range):
        return 10 + 20 * len(value)
    return 1


def text_of(value: object) -> str:
    """A single value as text, as it is shown: nothing is empty, yes and no are those of JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float | Undefined):
        return str(value)  # what is undefined raises, and says which; that of `x if y` without else is empty
    kind = "a list" if isinstance(value, list | tuple | range) else "a mapping" if isinstance(value, dict) else "that"
    raise TemplateRuntimeError(
        f"{kind} cannot be shown as it is; use `join`, `items` or `tojson`, or name a part of it"
    )


def plain(value: object, what: str) -> str:
    """Text that a filter may change; what a macro or block made is marked up already and stays as it is."""
    if isinstance(value, Markup):
        raise TemplateRuntimeError(f"{what} works on a value, not on what a macro or a block has made")
    return text_of(value)


def bounded(value: Any) -> Any:
    """The value; TemplateRuntimeError where it is larger than any in a notification should be."""
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        raise TemplateRuntimeError(f"a text longer than {MOST_CHARACTERS} characters")
    if isinstance(value, list | tuple) and len(value) > MOST_ITEMS:
        raise TemplateRuntimeError(f"a list longer than {MOST_ITEMS}")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise TemplateRuntimeError("a number greater than 2**63")
    return value
