"""What a template pays for by itself: what the guard has put into its tree, and the tests and functions on offer."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, cast

from jinja2 import TemplateRuntimeError, pass_environment
from jinja2.tests import TESTS as ALL_TESTS

from tasks.utils.template_guard import CONCAT, FLAT, STEP, WEIGH
from tasks.utils.template_meter import spend
from tasks.utils.template_values import Facts, bounded, is_single, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_RANGE: Final = 1_000
_OF_JINJA: Final = cast("Mapping[str, Callable[..., Any]]", ALL_TESTS)
_COMPARING: Final = (
    *("==", "!=", "<", "<=", ">", ">=", "eq", "equalto", "ne", "in"),
    *("ge", "greaterthan", "gt", "le", "lessthan", "lt"),
)
_HARMLESS: Final = (
    *("boolean", "defined", "divisibleby", "even", "false", "float", "integer", "iterable", "mapping", "none"),
    *("number", "odd", "sequence", "string", "true", "undefined"),
)


def paying(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, which pays for its arguments and for what it makes; both are bounded."""

    @wraps(function)
    def filter_(*arguments: Any, **named: Any) -> Any:
        spend(10 + sum(size_of(bounded(each)) for each in (*arguments, *named.values())))
        made = bounded(function(*arguments, **named))
        spend(len(made) if isinstance(made, str) else size_of(made))
        return made

    return filter_


def _flat(value: Any) -> Any:
    entries = value.values() if isinstance(value, dict) else value
    if not all(is_single(entry) or isinstance(entry, Facts) for entry in entries):
        raise TemplateRuntimeError("a list in a template may hold single values and members, but no other list")
    return value


@pass_environment
def _concat(environment: Any, parts: list[Any]) -> str:
    joined: str = environment.joined(parts)
    return joined


def _weigh(value: Any) -> Any:
    spend(size_of(value))
    return value


def _step(work: int) -> bool:
    spend(work)
    return True


def steps(*bounds: int) -> range:
    """`range`, of a thousand at most."""
    found = range(*bounds)
    if len(found) > MOST_RANGE:
        raise TemplateRuntimeError(f"`range` of more than {MOST_RANGE}")
    return found


def _comparing(test: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    def compare(value: Any, other: Any) -> Any:
        spend(size_of(value) + size_of(other))
        return test(value, other)

    return compare


STEPS: Final[Mapping[str, Callable[..., Any]]] = {
    FLAT: paying(_flat),
    CONCAT: paying(_concat),
    STEP: _step,
    WEIGH: _weigh,
}
TESTS: Final[Mapping[str, Callable[..., Any]]] = {
    **{name: _OF_JINJA[name] for name in _HARMLESS},
    **{name: _comparing(_OF_JINJA[name]) for name in _COMPARING},
}
