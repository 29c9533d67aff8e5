"""Webhooks as PagerDuty sends them, made and signed by hand."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from typing import Any

SECRET = "the-secret-of-the-first-subscription"
SECOND_SECRET = "the-secret-of-the-second-subscription"


def incident_event(
    kind: str = "triggered",
    number: int = 1,
    key: str | None = "disk",
    at: datetime | None = None,
    opened: datetime | None = None,
    **data: Any,
) -> dict[str, Any]:
    """The document of an incident's event."""
    at = at or datetime.now(UTC)
    status = {"acknowledged": "acknowledged", "resolved": "resolved"}.get(kind, "triggered")
    incident = {
        "id": f"PINC{number}",
        "type": "incident",
        "html_url": f"https://acme.pagerduty.com/incidents/PINC{number}",
        "number": number,
        "status": status,
        "incident_key": key,
        "created_at": (opened or at).isoformat(),
        "title": "disk is in trouble",
        "service": {"id": "PSHOP", "type": "service_reference", "summary": "Shop"},
        "assignees": [],
        "resolve_reason": None,
        **data,
    }
    return {
        "event": {
            "id": uuid.uuid4().hex.upper(),
            "event_type": f"incident.{kind}",
            "resource_type": "incident",
            "occurred_at": at.isoformat(),
            "agent": {"id": "PANN", "type": "user_reference", "summary": "Ann Example"},
            "client": None,
            "data": incident,
        }
    }


def signature(body: bytes, secret: str = SECRET) -> str:
    """One part of the header."""
    return "v1=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def packed(document: Any, *secrets: str, webhook_id: str = "") -> tuple[bytes, dict[str, str]]:
    """Body and headers of a webhook, signed with these secrets (or the first)."""
    body = json.dumps(document).encode()
    return body, {
        "content-type": "application/json",
        "x-pagerduty-signature": ",".join(signature(body, one) for one in secrets or (SECRET,)),
        "x-webhook-id": webhook_id or str(uuid.uuid4()),
        "x-webhook-subscription": "PSUB1",
        "user-agent": "PagerDuty-Webhook/V3.0",
    }
