"""The revocations of one installation: in Redis for all, and a copy in the state folder of every machine that reads them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import structlog
from pydantic import TypeAdapter, ValidationError

from tasks.tokens.revocation import ALL, Revocation, RevocationList
from tasks.tokens.service import LEEWAY
from tasks.utils.error_handler import PermanentError
from tasks.utils.kept_file import KeptFile
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tasks.tokens.models import AccessToken
    from tasks.tokens.revocation import Kind
    from tasks.utils.keys import Keys

MOST: Final = 10_000  # in force at a time; gateways read all of them
FILE: Final = "security/revocations.json"
log = structlog.get_logger("tocsin.tokens")
_MANY: Final = TypeAdapter(list[Revocation])
_FULL: Final = (
    "{most:,} revocations are in force and no more are taken; revoke by subject instead of token by token, or everything "
    "(`tocsin tokens revoke --all`), or replace JWT_SECRET"
)


class Looked(NamedTuple):
    """What a look at Redis brought: the version of the list there, the moment, and the list, None if it is the version known."""

    version: str
    now: datetime
    found: RevocationList | None


class RevocationCopy:
    """What one machine knows of the revocations, for when Redis is away or has lost them."""

    def __init__(self, state_dir: Path) -> None:
        self._file = KeptFile(state_dir / FILE)

    def read(self) -> RevocationList | None:
        """The list as it was last kept; None where none is."""
        kept = self._file.read()
        try:
            return None if kept is None else RevocationList(_MANY.validate_python(kept))
        except ValidationError:
            return None

    def write(self, found: RevocationList) -> None:
        """Keep it."""
        self._file.write(_MANY.dump_python(list(found), mode="json"))


class Revocations:
    """Says and tells what is revoked; for processes that wait for answers, see `RevocationWatch` of the gateway for the other kind."""

    def __init__(self, client: Any, keys: Keys, copy: RevocationCopy, longest: timedelta, most: int = MOST) -> None:
        self._scripts = Scripts(client, keys)
        self._copy = copy
        self._longest = longest
        self._most = most

    def list(self) -> RevocationList:
        """Everything in force. What Redis has lost and this machine knows is put back."""
        looked = read_look(self._scripts.run("revocations_look", ""))
        found = looked.found or RevocationList()
        lost = (self._copy.read() or RevocationList()).alive(looked.now).beyond(found)
        for one in lost:
            self._put(one)
        whole = found.joined(RevocationList(lost))
        self._copy.write(whole)
        return whole

    def revoke(
        self, kind: Kind, of: str, *, by: str, comment: str = "", token: AccessToken | None = None
    ) -> Revocation:
        """Refuse tokens from now on, in every gateway within a second or two; PermanentError when the list is full.

        `token`: the one that is meant, where it is known, so that it is forgotten when it would have expired.
        """
        now = read_look(self._scripts.run("revocations_look", "")).now
        until = token.expires_at if token else now + self._longest
        revocation = Revocation(
            kind=kind,
            of="" if kind == ALL else of,
            issued_until=None if kind == "token" else now + LEEWAY,  # clocks of those who issue may run ahead
            at=now,
            forgotten_at=until + 2 * LEEWAY,
            by=by,
            comment=comment,
        )
        if not self._put(revocation):
            raise PermanentError(_FULL.format(most=self._most))
        self.list()
        return revocation

    def _put(self, revocation: Revocation) -> bool:
        return bool(self._scripts.run("revocation_put", *put_arguments(revocation, self._most)))


def put_arguments(revocation: Revocation, most: int = MOST) -> tuple[str | int, ...]:
    """What the script `revocation_put` is called with."""
    until = round(revocation.forgotten_at.timestamp() * 1000)
    return revocation.name, revocation.model_dump_json(), until, revocation.reach, most


def read_look(answer: Iterable[Any]) -> Looked:
    """What the script `revocations_look` answered."""
    version, now, kept = answer
    moment = datetime.fromtimestamp(int(now) / 1000, UTC)
    if isinstance(kept, int):
        return Looked(str(version), moment, None)
    found = RevocationList(filter(None, map(_read, kept)))
    return Looked(str(version), moment, found.alive(moment))


def _read(text: str) -> Revocation | None:
    """One that cannot be read must not put the others out of force."""
    try:
        return Revocation.model_validate_json(text)
    except ValidationError:
        log.warning("revocation_unreadable", text=text[:100])
        return None
