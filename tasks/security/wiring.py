"""What second factors need, taken from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.security.service import FactorRules, SecondFactors
from tasks.security.store import FactorStore

if TYPE_CHECKING:
    from config.models import Settings
    from tasks.utils.clock import Clock
    from tasks.utils.encryption import SecurityManager
    from tasks.utils.keys import Keys


def second_factors(
    settings: Settings, client: Any, keys: Keys, clock: Clock, manager: SecurityManager | None
) -> SecondFactors:
    """The second factors of this installation."""
    access = settings.access
    issuer = "Tocsin" if settings.environment == "production" else f"Tocsin {settings.environment}"
    store = FactorStore(client, keys, manager, settings.state_dir)
    return SecondFactors(client, keys, store, clock, FactorRules(access.tries, access.lock_out, issuer))
