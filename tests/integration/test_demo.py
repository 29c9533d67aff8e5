"""The demo as a user starts it, and what a witness says who was tampered with after it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from deploy.local.demo.alert import Accepted, Alert
from deploy.local.demo.judge import Evidence, disagreements
from deploy.local.demo.ledger import Ledger
from deploy.local.demo.senders import tocsin
from deploy.local.embedded import start_server
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tasks.utils.rows import Inbox, InboxRow, new_event_id
from tests.integration.up_kit import processes

SECONDS_AT_MOST = 240  # a machine that does other things besides


class Demo(NamedTuple):
    """One demo that has ended, and the folder it kept."""

    code: int
    said: str
    told: str
    folder: Path

    def row(self, *cells: str) -> bool:
        return re.search(r"^ +" + r" +".join(re.escape(cell) for cell in cells), self.said, re.MULTILINE) is not None


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    state_dir = tmp_path_factory.mktemp("demos")
    command = [sys.executable, "-m", "deploy.local", "demo", "--state-dir", str(state_dir)]
    # the real thing of somebody's shell, which the demo must not touch
    environment = {**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0", "ENVIRONMENT": "production"}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=SECONDS_AT_MOST, check=False
    )
    [folder] = state_dir.iterdir()
    return Demo(done.returncode, done.stdout, done.stderr, folder)


def test_the_story_ends_well(demo: Demo) -> None:
    assert demo.code == 0, demo.told + demo.said
    assert "Three witnesses agree: the senders' list (69 alerts accepted)" in demo.said
    assert "The promise holds: 69 events" in demo.said
    assert "Traceback" not in demo.told


def test_alerts_of_every_door_are_delivered(demo: Demo) -> None:
    for name, door in (
        ("checkout-slow", "Celery"),
        ("replication-lag", "HTTP"),
        ("HighMemory", "Alertmanager"),
        ("backup", "shell"),
    ):
        assert demo.row(name, door, "trigger", "delivered", "primary, 1st try")
        assert demo.row(name, door, "resolve", "delivered", "primary")


def test_a_burst_is_one_page(demo: Demo) -> None:
    assert demo.row("disk-full x 49", "HTTP", "trigger", "merged", "duplicate")
    assert "requests about disk-full in its log: 1" in demo.told


def test_an_outage_and_a_kill_are_told_with_what_they_cost(demo: Demo) -> None:
    assert re.search(r"cart-errors .* delivered +primary, \d tries: (\d x )?http:503", demo.said)
    assert re.search(r"payment-queue .* delivered +primary, 2 tries: its worker died", demo.said)
    assert "delivery     was ended by SIGKILL; starting it again" in demo.told
    assert "payment-queue arrived 2 times; its incident was opened, then updated" in demo.told


def test_nothing_of_it_runs_on(demo: Demo) -> None:
    assert not [line for _, _, line in processes() if str(demo.folder) in line]


def test_an_alert_whose_rows_are_deleted_behind_tocsins_back_fails_proof_and_verdict(demo: Demo) -> None:
    alert = Alert("lost", "checkout", "Its rows are gone")
    keys = Keys()
    with start_server(demo.folder / "redis") as server, connect(server.url) as client:
        lost = new_event_id()
        Inbox(client, keys).put([InboxRow(lost, {"service": alert.service, **alert.event()}, "events")])
        client.delete(keys.inbox, keys.inbox_due)
        code, proof = prove(demo.folder, server.url)
        ledger = Ledger(server.url, keys.prefix)
        list(ledger.follow(lambda: any(event.id == lost for event in ledger.events), 10))
        ledger.close()

    assert code == 1
    assert [broken["event_id"] for broken in proof["broken"]] == [lost]
    found = disagreements(Evidence([Accepted(alert, "lost", "HTTP", "delivered")], ledger.events, [], [], proof))
    assert "tocsin prove says that the promise is broken" in found
    assert "trigger lost: by the senders' list 1 should be delivered; the ledger has 0" in found


def prove(folder: Path, redis_url: str) -> tuple[int, dict[str, Any]]:
    environment = {
        **os.environ,
        "REDIS_URL": redis_url,
        "TOCSIN_STATE_DIR": str(folder),
        "ENCRYPTION_KEY_FILE": str(folder / "encryption.key"),
    }
    done = tocsin(environment, "prove", "--json")
    return done.returncode, json.loads(done.stdout)
