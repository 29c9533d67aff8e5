"""Second factors of persons: enrol, ask, remove. Whoever has one proves to be that person with a code of their phone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from tasks.security import recovery, totp
from tasks.security.models import Enrolment, Factor, FactorView, Way
from tasks.utils.error_handler import DeniedError, PermanentError, UnknownError
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from tasks.security.store import FactorStore
    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys

LONGEST_LOCK_OUT: Final = timedelta(hours=1)
PERSON: Final = re.compile(r"[^\s:/]{1,100}")
_CODE: Final = re.compile(r"[0-9]{6}")
_BLANKS: Final = re.compile(r"[\s-]")
_DRIFT: Final = "is the phone's clock right, and that of the Redis server?"


class NotEnrolledError(DeniedError):
    """This person has no second factor."""


class LockedOutError(DeniedError):
    """Too many wrong codes: nothing but a recovery code is taken for a while."""


class WrongCodeError(DeniedError):
    """Not a code of now, or one that was taken before."""


@dataclass(frozen=True)
class FactorRules:
    """See the settings section `access`; `issuer` is what stands beside the person in an app."""

    tries: int
    lock_out: timedelta
    issuer: str


class SecondFactors:
    """The second factors of one installation."""

    def __init__(self, client: Any, keys: Keys, store: FactorStore, clock: Clock, rules: FactorRules) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._store = store
        self._clock = clock
        self._rules = rules

    def persons(self) -> list[str]:
        """Who has one."""
        return sorted(self._store.sealed())

    def begin(self, person: str) -> Enrolment:
        """A new secret for a person; nothing is kept before `enrol` has seen a code of it."""
        if not PERSON.fullmatch(person) or not person.isprintable():
            raise PermanentError("a person's name is 1 to 100 characters without blanks, colons and slashes")
        secret = totp.new_secret()
        return Enrolment(person, secret, totp.as_text(secret), totp.uri(secret, person, self._rules.issuer))

    def enrol(self, enrolment: Enrolment, code: str, *, again: bool = False) -> list[str]:
        """Keep it, confirmed by its first code; the recovery codes, which nobody can show again. `again`: in place of another."""
        person = enrolment.person
        seen = self._store.sealed().get(person, "")
        if seen and not again:
            raise PermanentError(f"{person} has a second factor already; `--again` puts another in its place")
        now = self._clock.now()
        step = totp.matching_step(enrolment.secret, _BLANKS.sub("", code), now)
        if step is None:
            raise WrongCodeError(f"that is not a code of now; {_DRIFT}")
        codes = recovery.new_codes()
        hashed = recovery.HashedCodes.of(codes)
        factor = Factor(enrolment.secret.hex(), now.isoformat(), hashed.salt, list(hashed.hashes))
        self._store.put(person, seen, factor, is_other=True)
        self._scripts.run("factor_pass", person, step)
        return codes

    def check(self, person: str, code: str) -> Way:
        """How the person has proved to be there; a DeniedError says why it was not taken. Each code is taken once."""
        seen = self._store.sealed().get(person)
        if seen is None:
            raise NotEnrolledError(f"{person} has no second factor; `tocsin security second-factor enrol` makes one")
        factor = self._store.open(person, seen)
        plain = _BLANKS.sub("", code)
        if _CODE.fullmatch(plain):
            self._check_code(person, factor, plain)
            self._store.renew(person, seen)
            return "code"
        self._use_up(person, seen, factor, plain)
        return "recovery code"

    def renew_recovery_codes(self, person: str) -> list[str]:
        """Ten new ones; the former are void."""
        seen = self._store.sealed().get(person, "")
        if not seen:
            raise UnknownError(f"{person} has no second factor; `tocsin security second-factor status` shows who has")
        codes = recovery.new_codes()
        hashed = recovery.HashedCodes.of(codes)
        self._store.put(
            person, seen, self._store.open(person, seen)._replace(salt=hashed.salt, hashes=list(hashed.hashes))
        )
        return codes

    def remove(self, person: str) -> None:
        """Forget a person's second factor; UnknownError if there is none."""
        seen = self._store.sealed().get(person, "")
        if not seen:
            raise UnknownError(f"{person} has no second factor; `tocsin security second-factor status` shows who has")
        self._store.put(person, seen, None)

    def reseal(self) -> int:
        """Encrypt with the newest key what former ones encrypted; how many. Safe to run again: then a former key is not needed."""
        return sum(self._store.renew(person, text) for person, text in self._store.sealed().items())

    def views(self) -> list[FactorView]:
        """Everybody's, as others may see it."""
        now = self._clock.now()
        return [self._view(person, text, now) for person, text in sorted(self._store.sealed().items())]

    def _check_code(self, person: str, factor: Factor, code: str) -> None:
        rules = self._rules
        spans = (_ms(rules.lock_out), _ms(LONGEST_LOCK_OUT))
        locked = int(self._scripts.run("factor_try", person, rules.tries, *spans))
        if locked:
            until = f"{datetime.fromtimestamp(locked / 1000, UTC):%H:%M:%S} UTC"
            raise LockedOutError(f"too many wrong codes of {person}: none is taken before {until}; a recovery code is")
        step = totp.matching_step(bytes.fromhex(factor.secret), code, self._clock.now())
        if step is None:
            raise WrongCodeError(f"that is not a code of now; {_DRIFT}")
        if not self._scripts.run("factor_pass", person, step):
            raise WrongCodeError(
                "this code was used before; wait for the next one (a minute, if Redis was lost just now)"
            )

    def _use_up(self, person: str, seen: str, factor: Factor, code: str) -> None:
        left = recovery.HashedCodes(factor.salt, tuple(factor.hashes)).without(code)
        if left is None:
            raise WrongCodeError("that is neither a code of six digits nor a recovery code that is left")
        self._store.put(person, seen, factor._replace(hashes=list(left.hashes)))
        self._scripts.run("factor_pass", person, "")

    def _view(self, person: str, text: str, now: datetime) -> FactorView:
        row: dict[str, str] = self._client.hgetall(self._keys.factor(person))
        locked = _moment(row.get("locked_until"))
        view = FactorView(
            person=person,
            used_at=_moment(row.get("used_at")),
            wrong_codes=int(row.get("tries", 0)),
            locked_until=locked if locked and locked > now else None,
        )
        try:
            factor = self._store.open(person, text)
        except PermanentError as error:
            return view.model_copy(update={"fault": str(error)})
        told = {"enrolled_at": datetime.fromisoformat(factor.enrolled_at), "recovery_codes": len(factor.hashes)}
        return view.model_copy(update=told)


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


def _moment(ms: str | None) -> datetime | None:
    return datetime.fromtimestamp(float(ms) / 1000, UTC) if ms else None
