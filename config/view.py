"""The settings as people may see them: secrets masked, the source of each value beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path as FilePath

from pydantic import BaseModel, SecretStr

from config.findings import types_in
from config.matchers import Matcher
from config.settings import Loaded
from config.sources import Node, Path, dotted
from config.values import REDIS_SCHEMES, format_duration, mask_redis_url

MASK = "********"
FILES = ("services", "mappings", "policies", "holidays")  # each of these is a file of its own
INHERITED: dict[Path, str] = {
    ("cache", "redis_url"): "redis.url",
    ("dedup_window",): "dedup.window",
    ("severity_deadlines",): "delivery.severity_deadlines",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its value as text or number, None where it is not set; a secret shows only that it is set."""

    key: str
    value: str | int | float | bool | None
    source: str
    is_secret: bool = False

    def __str__(self) -> str:
        value = "(not set)" if self.value is None else self.value
        return f"{self.key} = {value}   (source: {self.source})"


def view(loaded: Loaded) -> list[Row]:
    """A row for every setting, those of the services last."""
    own = [
        _row(path, value, is_secret=secret or _is_sealed(loaded.node, path), source=_source(loaded, path))
        for path, value, secret in _core(loaded)
    ]
    return own + [
        _row(
            ("services", name, *path),
            value,
            is_secret=secret or _is_sealed(loaded.services[name], path),
            source=_service_source(loaded, name, path),
        )
        for name, service in loaded.settings.services.items()
        for path, value, secret in _leaves(service)
    ]


def _is_sealed(node: Node, path: Path) -> bool:
    """Whether a value stands encrypted where it comes from: then it is a secret, whatever setting it is of."""
    return node.nearest(path).origin.is_sealed


def _core(loaded: Loaded) -> Iterator[tuple[Path, object, bool]]:
    return (leaf for leaf in _leaves(loaded.settings) if leaf[0][0] not in FILES)


def _leaves(value: object, above: Path = (), *, is_secret: bool = False) -> Iterator[tuple[Path, object, bool]]:
    """Path, value and secrecy of everything in a model that has no parts."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            secret = SecretStr in types_in(field.annotation)
            yield from _leaves(getattr(value, name), (*above, field.alias or name), is_secret=secret)
    elif isinstance(value, tuple) and value:
        for index, part in enumerate(value):
            yield from _leaves(part, (*above, index), is_secret=is_secret)
    elif isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves(part, (*above, name), is_secret=is_secret)
    else:
        yield above, value, is_secret


def _row(path: Path, value: object, *, is_secret: bool, source: str) -> Row:
    return Row(dotted(path), _shown(value, is_secret=is_secret), source, is_secret)


def _shown(value: object, *, is_secret: bool) -> str | int | float | bool | None:
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        # Which server it is helps, and is not the secret part of the address.
        return mask_redis_url(text) if text.partition("://")[0] in REDIS_SCHEMES else MASK
    if is_secret and value is not None and value != ():
        return MASK
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, FilePath | Matcher):
        return str(value)
    return value if isinstance(value, str | int | float | bool) else None


def _source(loaded: Loaded, path: Path) -> str:
    node = loaded.node.find(path)
    if node is None or node.value is None:
        return INHERITED.get(path, "default")
    return node.origin.describe()


def _service_source(loaded: Loaded, name: str, path: Path) -> str:
    node = loaded.services[name].find(path)
    if node is not None and node.value is not None:
        return node.origin.describe()
    if path[0] == "severity_deadlines" and len(path) > 1:
        return f"delivery.{dotted(path)}"
    return INHERITED.get(path, "default")
