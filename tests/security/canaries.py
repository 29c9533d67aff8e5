"""Canary secrets: one of its own for every place a secret may stand, and how to find traces of them in anything."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _letters(name: str, size: int) -> str:
    return (f"C{name}" + os.urandom(size).hex())[:size]


class Canaries:
    """The secrets of one run by what they are."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {
            "ingest key": _letters("ingest", 32),
            "routing key": _letters("routing", 32),
            "retired key": _letters("retired", 32),
            "unknown key a sender used": _letters("unknown", 32),
            "api key": _letters("api", 20),
            "webhook secret": _letters("hooksecret", 40),
            "encryption key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "former encryption key": base64.urlsafe_b64encode(os.urandom(32)).decode(),
            "jwt secret": _letters("jwt", 44),
            "former jwt secret": _letters("oldjwt", 44),
            "Flower's password": _letters("flower", 24),
            "mail password": _letters("mail", 24),
            "Slack's address": _letters("slack", 24),
            "address of a webhook": _letters("hook", 24),
            "secret of a webhook": _letters("signer", 32),
            "field of an alert by HTTP": _letters("fieldhttp", 24),
            "field of an alert by Alertmanager": _letters("fieldam", 24),
            "field of an alert by shell": _letters("fieldcli", 24),
            "field of an alert in the spool": _letters("fieldspool", 24),
            "value in a link": _letters("link", 24),
        }
        # A Celery producer writes its own message: it is in clear until a worker has taken it.
        self.by_celery: dict[str, str] = {
            "field of an alert by Celery": _letters("fieldcelery", 24),
            "field of a call of another shape": _letters("fieldwrong", 24),
            "field of an alert that is refused": _letters("fieldbad", 24),
            "field of an alert nobody can deliver": _letters("fielddead", 24),
        }

    def __getitem__(self, name: str) -> str:
        return self.secrets.get(name) or self.by_celery[name]

    def found_in(self, data: bytes, *, more: Mapping[str, str] | None = None) -> list[str]:
        """The names of those that stand in some bytes, plainly, in base64 or as an address has them."""
        wanted = {**self.secrets, **(more or {})}
        return [name for name, secret in wanted.items() if any(form in data for form in _forms(secret))]


def _forms(secret: str) -> Iterator[bytes]:
    raw = secret.encode()
    yield raw
    for shift in range(3):  # base64 depends on how many bytes stand before; its ends depend on the neighbours
        coded = base64.b64encode(b"x" * shift + raw)[2 if shift else 0 :]
        yield coded[4:-4]
