"""The audit rules as the settings have them."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any

from tasks.audit.act_archive import ActArchive
from tasks.audit.anchors import anchor_key
from tasks.audit.service import AuditRules

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.models import Settings
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient


def audit_rules(settings: Settings) -> AuditRules:
    """Where the archive is and how long Redis remembers. Without an encryption key the anchors stay unsigned.

    Former encryption keys verify what they signed; where there is no newest one they sign nothing.
    """
    security = settings.security
    secrets = (security.encryption_key, *security.previous_encryption_keys) if security.encryption_key else ()
    keys = tuple(anchor_key(urlsafe_b64decode(secret.get_secret_value())) for secret in secrets if secret)
    return AuditRules(
        folder=settings.state_dir / "ledger",
        signing_keys=keys,
        retention=settings.ledger.retention,
        seal_batch=settings.ledger.seal_batch,
    )


def act_archive(
    settings: Settings, client: Any, keys: Keys, rest: Callable[[], RestClient | None] = lambda: None
) -> ActArchive:
    """The records beside the ledger, sealed by the same rules; PagerDuty is asked for its own where there is a way to."""
    asks = rest if settings.pagerduty.can_be_asked else lambda: None
    return ActArchive(client, keys, audit_rules(settings), settings.state_dir, asks)
