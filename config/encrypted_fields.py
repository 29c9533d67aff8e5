"""Which fields of a service's alerts are kept encrypted, and what can then no longer be asked of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import AfterValidator, BeforeValidator

from config.errors import Problem, UnfitError
from config.sources import Node, Path, dotted
from config.values import in_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOTS: Final = ("custom_details", "links", "images", "client_url")
ALWAYS_SHOWN: Final = frozenset({"summary", "source", "severity", "service", "dedup_key", "action"})
_PATH: Final = re.compile(r"custom_details(\.[^.\s]+)*|links|images|client_url")
_MEND: Final = (
    "write custom_details, custom_details.NAME (NAME may go deeper, a.b; * is any name), links, images or client_url; "
    "summary, source, severity and dedup_key are what alerts are told apart by and stay readable"
)


def _check_path(text: str) -> str:
    path = text.strip().removeprefix("payload.")
    if not _PATH.fullmatch(path):
        raise UnfitError("is no field that can be encrypted", _MEND)
    return path


EncryptedFields = Annotated[tuple[Annotated[str, AfterValidator(_check_path)], ...], BeforeValidator(in_parts)]


def hides(fields: Sequence[str], label: str) -> bool:
    """Whether the label of that name is not known where these fields are encrypted."""
    return label not in ALWAYS_SHOWN and any(_hides(field.split("."), label) for field in fields)


def _hides(path: list[str], label: str) -> bool:
    if path[0] != "custom_details" or len(path) > 3 or (len(path) == 3 and path[1] != "labels"):
        return path == ["client_url"] and label == "client_url"
    inner = path[2:] if path[1:2] == ["labels"] else path[1:]
    name = ".".join(inner)
    return name in ("", "*") or name.casefold() == label.casefold()


def missing_key(nodes: Mapping[str, Node], fields: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Services that want fields encrypted where there is no key."""
    for name, wanted in fields.items():
        if wanted:
            where = str(nodes[name].nearest(("encrypt_fields",)).origin)
            mend = "set ENCRYPTION_KEY (`tocsin config keygen` makes one) for gateway, workers and shells alike"
            yield Problem(where, "encrypt_fields", "cannot be done: security.encryption_key is not set", mend)


def hidden_labels(node: Node, fields: Sequence[str]) -> Iterator[Problem]:
    """Conditions and groups of one service that look at what it encrypts: they would never see it."""
    for path, label in _labels_asked(node, ()):
        if hides(fields, label):
            yield _blind(node, path, label, "this service encrypts it (encrypt_fields)")


def hidden_by_any(settings: Node, fields: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    """Inhibition rules that look at what some service encrypts."""
    for path, label in _labels_asked(settings.child("inhibition") or Node(None, settings.origin), ("inhibition",)):
        by = [name for name, wanted in fields.items() if hides(wanted, label)]
        if by:
            yield _blind(settings, path, label, f"service {by[0]!r} encrypts it (encrypt_fields)")


def _blind(top: Node, path: Path, label: str, why: str) -> Problem:
    mend = "ask for another label, or take the field out of encrypt_fields: nobody can decide by what nobody may see"
    return Problem(str(top.nearest(path).origin), dotted(path), f"looks at the label {label!r}, but {why}", mend)


def _labels_asked(node: Node, above: Path) -> Iterator[tuple[Path, str]]:
    """Every label that matchers and groups beneath a node name, with its place."""
    for key, child in node.children():
        path = (*above, key)
        if key in ("match", "source", "target") and isinstance(child.value, list):
            yield from (
                ((*path, at), re.split("[=!~]", str(one.value), maxsplit=1)[0].strip()) for at, one in child.children()
            )
        elif key in ("group_by", "equal") and isinstance(child.value, list):
            yield from (((*path, at), str(one.value).strip()) for at, one in child.children())
        elif key in ("routes", "inhibition") or isinstance(key, int):
            yield from _labels_asked(child, path)
