"""Label matchers, written as Alertmanager writes them: `severity=~critical|error`."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import re2
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from config.errors import UnfitError

MEND: Final = 'write LABEL=VALUE, LABEL!=VALUE, LABEL=~REGEX or LABEL!~REGEX, such as severity=~"critical|error"'
MOST_CHARACTERS: Final = 1024
MOST_MEMORY: Final = 1 << 20  # bytes one compiled expression may take
_SHAPE: Final = re.compile(r"\s*([^=!~\s][^=!~]*?)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)


class Matcher:
    """One condition on one label. A label that an alert does not have counts as empty."""

    __slots__ = ("_holds", "name", "op", "value")

    def __init__(self, name: str, op: str, value: str) -> None:
        self.name = name
        self.op = op
        self.value = value
        self._holds = _pattern(value).fullmatch if op.endswith("~") else value.__eq__

    @classmethod
    def parse(cls, text: object) -> "Matcher":
        """The matcher that `text` says; UnfitError with the mend if it says none. Quotes around the value are taken off."""
        found = _SHAPE.fullmatch(text) if isinstance(text, str) and len(text) <= MOST_CHARACTERS else None
        if found is None:
            raise UnfitError(f"{str(text)[:80]!r} is no matcher", MEND)
        name, op, value = found.groups()
        return cls(name, op, _unquoted(value))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the condition holds for these labels."""
        holds = bool(self._holds(labels.get(self.name, "")))
        return not holds if self.op.startswith("!") else holds

    def __str__(self) -> str:
        return f"{self.name}{self.op}{self.value}"

    def __repr__(self) -> str:
        return f"Matcher({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Matcher) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Settings hold matchers, files and JSON their text."""
        del source, handler
        return core_schema.no_info_plain_validator_function(
            lambda raw: raw if isinstance(raw, cls) else cls.parse(raw),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
            json_schema_input_schema=core_schema.str_schema(),
        )


Matchers = Annotated[tuple[Matcher, ...], "label matchers, all of which must hold"]


def all_match(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """Whether every condition holds; true where there is none."""
    return all(matcher.matches(labels) for matcher in matchers)


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _pattern(value: str) -> Any:
    """The compiled expression, by RE2 as in Alertmanager: linear time, so that no rule can hold up the alerts."""
    try:
        return re2.compile(value, _options())
    except re2.error as error:
        fault = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise UnfitError(f"{value[:80]!r} is no regular expression: {fault}", MEND) from None


def _options() -> Any:
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = MOST_MEMORY
    return options
