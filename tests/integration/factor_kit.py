"""What tests of second factors share: machines, and the phones of persons."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tasks.security import totp
from tasks.security.service import FactorRules, SecondFactors
from tasks.security.store import FactorStore
from tasks.utils.encryption import SecurityManager

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tasks.utils.keys import Keys

KEY, NEW_KEY = "A" * 43 + "=", "B" * 42 + "A="
RULES = FactorRules(tries=5, lock_out=timedelta(minutes=5), issuer="Tocsin")
STEP = totp.STEP


class Phone:
    """The app that has scanned the QR code."""

    def __init__(self, secret: bytes, clock: MovableClock) -> None:
        self.secret = secret
        self._clock = clock

    def code(self, off: int = 0) -> str:
        return totp.code_at(self.secret, totp.step_at(self._clock.now()) + off)

    def wrong(self) -> str:
        """A code that fits none of the steps near."""
        near = {self.code(off) for off in range(-3, 4)}
        return next(code for code in map("{:06d}".format, range(10)) if code not in near)


class Machines:
    """The second factors as each machine, with a state folder of its own, sees them."""

    def __init__(self, client: Any, keys: Keys, clock: MovableClock, folder: Path) -> None:
        self._parts = client, keys, clock
        self.folder = folder

    def __call__(self, name: str = "a", *encryption: str) -> SecondFactors:
        client, keys, clock = self._parts
        manager = SecurityManager(encryption or (KEY,))
        return SecondFactors(client, keys, FactorStore(client, keys, manager, self.folder / name), clock, RULES)


def enrolled(factors: SecondFactors, clock: MovableClock, person: str = "anna") -> tuple[Phone, list[str]]:
    """Somebody's phone, and their recovery codes; the code of the first moment is used up."""
    enrolment = factors.begin(person)
    phone = Phone(enrolment.secret, clock)
    codes = factors.enrol(enrolment, phone.code())
    clock.advance(STEP)
    return phone, codes
