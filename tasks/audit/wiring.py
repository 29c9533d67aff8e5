"""The audit rules as the settings have them."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING

from tasks.audit.anchors import anchor_key
from tasks.audit.service import AuditRules

if TYPE_CHECKING:
    from config.models import Settings


def audit_rules(settings: Settings) -> AuditRules:
    """Where the archive is and how long Redis remembers. Without an encryption key the anchors stay unsigned."""
    secret = settings.security.encryption_key
    keys = (anchor_key(urlsafe_b64decode(secret.get_secret_value())),) if secret else ()
    return AuditRules(
        folder=settings.state_dir / "ledger",
        signing_keys=keys,
        retention=settings.ledger.retention,
        seal_batch=settings.ledger.seal_batch,
    )
