"""With which of several keys messages are signed: one that every process can check."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from config.keyring import Keyring
from config.settings import load
from tasks.utils.presence import Presence, Sign
from workers.app import make_app
from workers.signing import master_key

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.keys import Keys

FORMER = base64.urlsafe_b64encode(b"f" * 32).decode()
NEW = base64.urlsafe_b64encode(b"n" * 32).decode()


@pytest.mark.parametrize(("known", "signs"), [([FORMER], FORMER), ([NEW, FORMER], NEW)])
def test_a_shell_with_a_new_key_signs_with_it_once_every_process_knows_it(
    server: Server, client: Any, keys: Keys, tmp_path: Path, known: list[str], signs: str
) -> None:
    more = {"TOCSIN_SECURITY__SIGN_TASKS": "true", "TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS": FORMER}
    settings = load(environ={"REDIS_URL": server.url, "ENCRYPTION_KEY": NEW, **more}, state_dir=tmp_path)
    Presence(client, keys).beat(Sign("worker-alert", "web2", 7, 0, "1"), keys=Keyring.of_texts(known).ids)
    app = make_app(settings)

    app.send_task("alerts.submit", kwargs={"alerts": []})
    app.close()

    signature = json.loads(client.rpop(keys.queue("alert")))["headers"]["tocsin_signature"]
    assert signature["key"] == master_key(load(environ={"ENCRYPTION_KEY": signs}, state_dir=tmp_path), "cli").id
