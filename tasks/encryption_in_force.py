"""Whether every process knows the newest encryption key: until then it is not in force. A part of the wiring beside `runtime`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tasks.utils.error_handler import TransientError
from tasks.utils.health_monitor import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tasks.runtime import Runtime

BEHIND: Final = (
    "write it behind the newest one, into security.previous_encryption_keys (docs/rotation.md, `Encryption keys`)"
)
SETTLED: Final = 5.0  # seconds after which each process has put it in force by itself
PATIENCE: Final = 20  # looks whether every process knows it: each shows what it knows every five seconds
TELL: Final = "put it where they read their keys, or start them anew (docs/rotation.md, `Encryption keys`)"


def put_in_force(runtime: Runtime, pause: Callable[[float], None]) -> None:
    """Wait until every process encrypts with the newest key; TransientError says which ones do not know it."""
    keys = runtime.encryption
    if keys is None or keys.is_newest_used:
        return
    runtime.keystore.touch()  # for those whose keys a program prints: nothing else tells them
    for _ in range(PATIENCE):
        runtime.renew_at_once()
        if keys.is_forsaken:
            raise TransientError(
                f"the encryption key {keys.in_force} is in force and configured no more; {BEHIND}. Nothing was changed"
            )
        if keys.is_newest_used:
            pause(SETTLED)
            return
        pause(1.0)
    who = ", ".join(_unaware(runtime.keys_in_fleet(), [keys.ids[0]]))
    raise TransientError(f"the encryption key {keys.ids[0]} is not known to {who}; {TELL}. Nothing was changed")


def encryption_line(runtime: Runtime) -> Line | None:
    """What is wrong with how encryption keys are known, as a line of health; None where nothing is."""
    keys = runtime.encryption
    if keys is None:
        return None
    if keys.trouble:
        value = f"the keys cannot be read: {keys.trouble}"
        return Line("tokens.encryption", "warn", value, "", "correct their source; those known before stay in use")
    if keys.is_forsaken:
        value = f"the key in force, {keys.in_force}, is configured no more; it is kept until another one can be"
        return Line("tokens.encryption", "warn", value, "all keys in use are configured", BEHIND)
    fleet = runtime.keys_in_fleet()
    who = _unaware([*fleet, ("this process", keys.ids)], [keys.ids[0], *(known[0] for _, known in fleet if known)])
    if not who:
        return None
    value = f"the newest key is not known to {', '.join(who)}"
    return Line("tokens.encryption", "warn", value, "every process knows it", TELL)


def _unaware(fleet: Iterable[tuple[str, Sequence[str] | None]], wanted: Sequence[str]) -> list[str]:
    """The processes that do not know one of these keys; those without any key read nothing."""
    return [name for name, known in fleet if known is None or (known and not set(wanted) <= set(known))]
