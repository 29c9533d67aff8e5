"""What the token service needs, taken from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.tokens.service import TokenRules

if TYPE_CHECKING:
    from config.models import Settings


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
