"""What templates may do with values: a short list, each filter of which pays for what it looks at and what it makes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from jinja2 import TemplateRuntimeError, Undefined, pass_environment
from markupsafe import Markup

from tasks.utils.formatters import cut_text
from tasks.utils.notification_media import web_address
from tasks.utils.template_meter import spend
from tasks.utils.template_steps import paying
from tasks.utils.template_values import MISSING, Missing, plain, size_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_NUMBER: Final = 40


def _list(value: object) -> list[Any]:
    if isinstance(value, Undefined):
        str(value)  # raises, and says which
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, list | tuple | range):
        return list(value)
    if isinstance(value, Missing):
        return []
    raise TemplateRuntimeError("a list is needed here")


def _part(environment: Any, item: Any, attribute: str | int | None) -> Any:
    for name in () if attribute is None else str(attribute).split("."):
        item = environment.getitem(item, int(name) if name.isdecimal() else name)
    return item


def default(value: Any, fallback: Any = "", boolean: object = False) -> Any:  # noqa: FBT002 - called as Jinja calls it
    """The value, or the fallback where there is none; with `true` also where it is empty."""
    if isinstance(value, Undefined | Missing) or (boolean and not value):
        return fallback
    return value


def first(value: Any) -> Any:
    """The first of a list; nothing where it is empty."""
    return next(iter(_list(value)), MISSING)


def last(value: Any) -> Any:
    """The last of a list; nothing where it is empty."""
    return next(reversed(_list(value)), MISSING)


def length(value: Any) -> int:
    """How many characters or entries."""
    return len(value) if isinstance(value, str) else len(_list(value))


@pass_environment
def join(environment: Any, value: Any, separator: str = "", attribute: str | None = None) -> str:
    """The entries of a list as one text."""
    parts = [_part(environment, item, attribute) for item in _list(value)]
    between = [separator] * len(parts)
    mixed = [piece for pair in zip(between, parts, strict=True) for piece in pair][1:]
    joined: str = environment.joined(mixed)
    return joined


def replace(value: Any, old: str, new: str) -> str:
    """The text with `old` replaced by `new` throughout."""
    text, old, new = plain(value, "replace"), plain(old, "replace"), plain(new, "replace")
    if len(text) + text.count(old) * max(len(new) - len(old), 0) > 100_000:
        raise TemplateRuntimeError("`replace` makes a text that is too long")
    return text.replace(old, new)


def cut(value: Any, characters: int = 80) -> str:
    """The text in at most so many characters; an ellipsis marks a cut."""
    return cut_text(plain(value, "cut"), max(int(characters), 1))


def trim(value: Any) -> str:
    """The text without blanks at its ends."""
    return value.strip() if isinstance(value, Markup) else text_of(value).strip()


@pass_environment
def sort(environment: Any, value: Any, reverse: object = False, attribute: str | None = None) -> list[Any]:  # noqa: FBT002
    """A list in order, by an attribute if one is named; texts regardless of case."""

    def key(item: Any) -> Any:
        by = _part(environment, item, attribute)
        text_of(by)  # a list has no place in an order
        return by.casefold() if isinstance(by, str) else by

    return sorted(_list(value), key=key, reverse=bool(reverse))


def reverse(value: Any) -> Any:
    """A list, or a text, from its end."""
    return plain(value, "reverse")[::-1] if isinstance(value, str) else _list(value)[::-1]


def items(value: Any) -> list[tuple[str, Any]]:
    """Names and values of a mapping."""
    if isinstance(value, dict):
        return list(value.items())
    if isinstance(value, Missing):
        return []
    raise TemplateRuntimeError("`items` needs a mapping, such as labels")


@pass_environment
def map_(environment: Any, value: Any, attribute: str) -> list[Any]:
    """An attribute of each entry of a list: `members | map("summary")`."""
    return [_part(environment, item, attribute) for item in _list(value)]


def _chosen(environment: Any, value: Any, attribute: str, condition: str | None, arguments: tuple[Any, ...]) -> Any:
    test = environment.tests.get(condition) if condition else bool
    if test is None:
        raise TemplateRuntimeError(f"there is no test {condition!r}")
    for item in _list(value):
        spend(10)
        yield item, bool(test(_part(environment, item, attribute), *arguments))


@pass_environment
def selectattr(
    environment: Any, value: Any, attribute: str, condition: str | None = None, *arguments: Any
) -> list[Any]:
    """The entries of a list whose attribute passes a test, such as `selectattr("severity", "eq", "critical")`."""
    return [item for item, holds in _chosen(environment, value, attribute, condition, arguments) if holds]


@pass_environment
def rejectattr(
    environment: Any, value: Any, attribute: str, condition: str | None = None, *arguments: Any
) -> list[Any]:
    """The entries of a list whose attribute does not pass a test."""
    return [item for item, holds in _chosen(environment, value, attribute, condition, arguments) if not holds]


def round_(value: Any, digits: int = 0) -> float:
    """A number with so many digits after the point."""
    return round(float(value), max(-10, min(int(digits), 10)))


def number(kind: Callable[[Any], Any]) -> Callable[..., Any]:
    """A filter that makes a number of a value, or takes the fallback where it is none."""

    def to_number(value: Any, fallback: Any = 0) -> Any:
        try:
            return kind(value) if not isinstance(value, str) or len(value) <= LONGEST_NUMBER else fallback
        except (TypeError, ValueError, OverflowError):
            return fallback

    return to_number


@pass_environment
def tojson(environment: Any, value: Any) -> str:
    """The value as JSON."""
    spend(_count(value))
    return environment.marked_json(json.dumps(value, ensure_ascii=False, default=str))  # type: ignore[no-any-return]


def _count(value: object) -> int:
    """How many values there are in one; what is in it comes from an event, which was bounded, or from a list of single values."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return size_of(value) + sum(_count(part) for part in parts)


@pass_environment
def lines(environment: Any, value: Any) -> Markup:
    """A text with the line ends it has; elsewhere a text is shown in one line."""
    medium = environment.medium
    return Markup(medium.line_end.join(medium.escape(line) for line in plain(value, "lines").splitlines()))  # noqa: S704


@pass_environment
def escaped(environment: Any, value: Any) -> Markup:
    """The value as it is shown; values are, without being asked for it."""
    shown: Markup = environment.marked(value)
    return shown


@pass_environment
def link(environment: Any, href: Any, text: Any = "") -> Markup:
    """A link in the way of the medium; the mere text where the address leads to anything but the web."""
    shown = text_of(text) or text_of(href)
    address = web_address(href)
    return Markup(environment.medium.link(shown, address) if address else environment.medium.escape(shown))  # noqa: S704


_OFFERED: Final[Mapping[str, Callable[..., Any]]] = {
    "capitalize": lambda value: plain(value, "capitalize").capitalize(),
    "count": length,
    "cut": cut,
    "e": escaped,
    "escape": escaped,
    "first": first,
    "float": number(float),
    "int": number(int),
    "items": items,
    "join": join,
    "last": last,
    "length": length,
    "lines": lines,
    "link": link,
    "list": _list,
    "lower": lambda value: plain(value, "lower").lower(),
    "map": map_,
    "rejectattr": rejectattr,
    "replace": replace,
    "reverse": reverse,
    "round": round_,
    "selectattr": selectattr,
    "sort": sort,
    "string": text_of,
    "tojson": tojson,
    "trim": trim,
    "truncate": cut,
    "upper": lambda value: plain(value, "upper").upper(),
}
FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    **{name: paying(function) for name, function in _OFFERED.items()},
    "d": default,
    "default": default,
}
