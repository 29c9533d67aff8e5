"""The name a webhook of PagerDuty goes by here: the same for each delivery of the same one."""

import hashlib
from typing import Any

from tasks.utils.formatters import compact_json


def webhook_id(delivery_id: str, document: Any) -> str:
    """A name made of the header `X-Webhook-Id`, which is the same for every try, and of the event's own id, which is signed.

    Either may be missing; where both are, it is made of the document.
    """
    event = document.get("event") if isinstance(document, dict) else None
    event_id = event.get("id") if isinstance(event, dict) else None
    named = f"{delivery_id}\0{event_id}" if delivery_id or isinstance(event_id, str) else compact_json(document)
    return f"webhook-{hashlib.sha256(named.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
