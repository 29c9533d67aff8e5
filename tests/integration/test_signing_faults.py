"""A message that cannot be signed is not sent: what is not signed is taken for forged."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from kombu.exceptions import OperationalError

from config.settings import load
from workers.app import make_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


@pytest.fixture
def clockless(server: Server, client: Any) -> Iterator[str]:
    """The server's address for a user who may do all but ask what time it is."""
    client.execute_command("ACL", "SETUSER", "clockless", "on", ">sesame", "~*", "&*", "+@all", "-time")
    parts = urlsplit(server.url)
    yield f"redis://clockless:sesame@{parts.hostname}:{parts.port}/0"
    client.execute_command("ACL", "DELUSER", "clockless")


def test_where_the_time_of_a_signature_cannot_be_had_nothing_is_sent_and_the_sender_is_told(
    clockless: str, client: Any, keys: Keys
) -> None:
    app = make_app(load(environ={"REDIS_URL": clockless, "ENCRYPTION_KEY": KEY, "TOCSIN_SECURITY__SIGN_TASKS": "true"}))

    with pytest.raises(OperationalError, match="time"):
        app.send_task("alerts.submit", kwargs={"alerts": []})

    app.close()
    assert not client.exists(keys.queue("alert"))
