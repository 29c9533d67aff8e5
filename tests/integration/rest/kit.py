"""How tests make a REST client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from config.settings import load
from tasks.utils.rest.wiring import rest_client

if TYPE_CHECKING:
    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient

TOKEN = "tOcSiNtEsT0123456789"
SENDER = "bot@example.com"


def rest_of(client: Any, keys: Keys, url: str, **changes: Any) -> RestClient:
    """A client of the sandbox; `changes` are settings by their dotted names."""
    overrides = {
        "pagerduty.api_url": url,
        "pagerduty.api_key": TOKEN,
        "pagerduty.from_email": SENDER,
        **{name.replace("__", "."): value for name, value in changes.items()},
    }

    def read() -> Any:
        return load(environ={}, overrides=overrides)

    return rest_client(read(), client, keys, read)
