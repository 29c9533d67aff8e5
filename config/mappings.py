"""What a mapping says: how documents of one foreign sender become alerts. Made from a file by `config.mapping_compiler`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Literal

from pydantic import Field, GetCoreSchemaHandler, SecretStr
from pydantic_core import CoreSchema, core_schema

from config.mapping_paths import Hole, Path, Pieces
from config.matchers import Matcher
from config.section import Section

# Fields of an alert that are text, by the names PagerDuty gives them.
TEXT_FIELDS: Final = (
    *("event_action", "dedup_key", "summary", "source", "severity", "timestamp"),
    *("component", "group", "class", "client", "client_url"),
)
LINK_FIELDS: Final = ("href", "text")
IMAGE_FIELDS: Final = ("src", "href", "alt")


class Signature(Section):
    """What proves that a document comes from its sender: an HMAC of the body in a header."""

    header: str = Field(description="Header that carries the signature, such as Sentry-Hook-Signature.")
    secret: SecretStr | None = Field(
        None, description="The secret shared with the sender; without it signatures are not looked at."
    )
    algorithm: Literal["sha256", "sha512", "sha1"] = Field("sha256", description="Hash function of the HMAC.")
    prefix: str = Field("", description="What stands before the hexadecimal digits, such as `sha256=`.")


class Sns(Section):
    """How messages of Amazon SNS are treated before they are mapped."""

    confirm: bool = Field(
        default=True, description="Whether subscriptions are confirmed, at Amazon's own address only."
    )
    verify: bool = Field(default=True, description="Whether each message must carry Amazon's signature.")
    topics: tuple[str, ...] = Field((), description="ARNs of the topics to listen to; without any, all of them.")


class Options(Section):
    """The part of a mapping that is not about the shape of alerts."""

    description: str = Field("", description="One line for people: whose documents these are.")
    signature: Signature | None = Field(None, description="How documents are signed.")
    sns: Sns | None = Field(None, description="For documents that come by Amazon SNS.")


@dataclass(frozen=True, slots=True)
class Value:
    """One value to be made: a text, the first of several that there is, or a hash of several; then what is done to it."""

    place: str  # file and line
    pieces: Pieces = ()
    first: tuple["Value", ...] = ()
    hash: tuple["Value", ...] = ()
    parse: bool = False
    lower: bool = False
    table: Mapping[str, str] | None = None
    default: "Value | None" = None

    def paths(self) -> Iterator[Path]:
        """Every path it looks at."""
        yield from (piece.path for piece in self.pieces if isinstance(piece, Hole))
        for part in chain(self.first, self.hash, () if self.default is None else (self.default,)):
            yield from part.paths()


@dataclass(frozen=True, slots=True)
class Test:
    """What must hold of the text at a path; where there is none, the text is empty."""

    __test__ = False  # for pytest: not a test of ours

    path: Path
    matcher: Matcher


Condition = tuple[Test, ...]  # all of them


@dataclass(frozen=True, slots=True)
class Rule:
    """Documents, or entries, that are dropped by name."""

    name: str
    when: Condition


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of an alert: those that are text by name, then the others."""

    texts: Mapping[str, Value]
    details: Value | Mapping[str, Value]
    links: tuple[Mapping[str, Value], ...]
    images: tuple[Mapping[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """The alert that is made of a document, or of each entry of a list in it."""

    name: str
    place: str
    when: Condition
    each: Path | None
    ignore: tuple[Rule, ...]
    fields: Fields


@dataclass(frozen=True, slots=True)
class WebhookMapping:
    """A whole mapping. The first rule of `ignore` that holds drops the document, else the first shape that holds maps it."""

    name: str
    place: str
    options: Options = field(repr=False)
    let: Mapping[str, Value]
    ignore: tuple[Rule, ...]
    alerts: tuple[Shape, ...]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Settings hold mappings as they are, for they were checked where they were read; written out, they are a name."""
        del source, handler
        by_name = core_schema.plain_serializer_function_ser_schema(lambda mapping: mapping.name)
        return core_schema.is_instance_schema(cls, serialization=by_name)
