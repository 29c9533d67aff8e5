"""What the token service needs, taken from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tasks.tokens.grants import GrantRules, Grants, signing_key
from tasks.tokens.revocations import RevocationCopy, Revocations
from tasks.tokens.service import TokenRules

if TYPE_CHECKING:
    from config.models import Settings
    from tasks.utils.clock import Clock
    from tasks.utils.keys import Keys


def token_rules(settings: Settings) -> TokenRules:
    """The rules by which this installation issues and checks access tokens."""
    security, api = settings.security, settings.api
    secrets = (security.jwt_secret, *security.jwt_previous_secrets)
    return TokenRules(
        secrets=tuple(secret.get_secret_value() for secret in secrets if secret is not None),
        issuer=api.issuer,
        audience=api.audience,
        max_lifetime=api.max_token_lifetime,
    )


def revocations_of(settings: Settings, client: Any, keys: Keys) -> Revocations:
    """What is revoked, in Redis and in this machine's copy."""
    return Revocations(client, keys, RevocationCopy(settings.state_dir), settings.api.max_token_lifetime)


def grants_of(settings: Settings, client: Any, keys: Keys, clock: Clock) -> Grants:
    """Grants of destructive tasks, signed with what is derived from the encryption keys."""
    signing = dict(map(signing_key, settings.security.key_texts))
    access = settings.access
    return Grants(client, keys, clock, GrantRules(signing, access.grant_lifetime, frozenset(access.schedules)))
