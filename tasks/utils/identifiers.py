"""What names and ids may look like: lists of what is allowed, so that none can leave its place in a path, a key or a line."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from config.values import NAME_PATTERN
from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["service", "channel", "route", "silence", "event", "file"]

MOST_FILE_NAME_CHARACTERS: Final = 120
MOST_WIRE_KEY_CHARACTERS: Final = 255


class _Rule(NamedTuple):
    allowed: re.Pattern[str]
    must: str


_NAME: Final = _Rule(
    re.compile(NAME_PATTERN), "1 to 63 letters, digits, dots, dashes or underscores, a letter or digit first"
)
_RULES: Final[Mapping[Kind, _Rule]] = {
    "service": _NAME,
    "channel": _NAME,
    "route": _NAME,
    "silence": _Rule(re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}"), "1 to 64 letters, digits or dashes"),
    # Producers choose the ids of their own tasks; copies add `+` and a destination.
    "event": _Rule(
        re.compile(r"[A-Za-z0-9~][A-Za-z0-9_.:+/@~-]{0,299}"), "1 to 300 letters, digits or any of _.:+/@~-"
    ),
    # No leading dot, so neither `..` nor a hidden file; no separator of any system; what Windows reserves cannot happen either.
    "file": _Rule(
        re.compile(
            rf"(?!(?i:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[A-Za-z0-9_][A-Za-z0-9._-]{{0,{MOST_FILE_NAME_CHARACTERS - 1}}}"
        ),
        f"1 to {MOST_FILE_NAME_CHARACTERS} letters, digits, dots, dashes or underscores, no dot first",
    ),
}


class InvalidIdentifierError(PermanentError):
    """Names or ids that are none; `errors` names each of them and what it must be."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


def is_identifier(kind: Kind, value: object) -> bool:
    """Whether `value` is text that may be the name or id of such a thing."""
    return isinstance(value, str) and _RULES[kind].allowed.fullmatch(value) is not None


def check_identifiers(values: Mapping[Kind, object]) -> None:
    """Return if all of `{"service": "checkout", "event": …}` may be that; InvalidIdentifierError with all faults if not."""
    errors = [
        f"{str(value)[:60]!r} is no {kind}: {_RULES[kind].must} are expected"
        for kind, value in values.items()
        if not is_identifier(kind, value)
    ]
    if errors:
        raise InvalidIdentifierError(errors)


def alert_uid(service: str, dedup_key: str) -> str:
    """The short name of one alert: the same for the same dedup key of the same service, whatever their length."""
    return hashlib.sha256(f"{service}\0{dedup_key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def key_id(key: str) -> str:
    """The name a key goes by in rows, logs and the ledger; the key itself never does."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def wire_key(dedup_key: str) -> str:
    """The dedup key as PagerDuty gets it: whole up to 255 characters, else its SHA-256."""
    if len(dedup_key) <= MOST_WIRE_KEY_CHARACTERS:
        return dedup_key
    return "sha256:" + hashlib.sha256(dedup_key.encode("utf-8", "surrogatepass")).hexdigest()


def path_inside(folder: Path, name: str) -> Path:
    """The path of file `name` directly in `folder`; InvalidIdentifierError if it could be anywhere else, also by a link."""
    check_identifiers({"file": name})
    path = folder / name
    if path.resolve().parent != folder.resolve():
        raise InvalidIdentifierError([f"{name!r} is a link out of {folder}; remove it, or choose another name"])
    return path
