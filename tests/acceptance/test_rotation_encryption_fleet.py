"""The real fleet: an alert flows each second while the encryption key is replaced twice, by processes that are killed; none restarts."""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from config.keyring import Keyring
from tasks.utils.presence import Presence
from tests.acceptance.rotation_fleet import PASSWORD, RotationFleet, Sender
from tests.acceptance.test_rotation_fleet import check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEYS = [base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"o", b"n", b"t")]
IDS = [Keyring.of_texts([key]).ids[0] for key in KEYS]
PROCESSES = 6  # gateway, four workers, sentinel
AT_RANDOM = 5  # kills


class KeyFleet(RotationFleet):
    """Its encryption keys stand in secret files."""

    def __init__(self, folder: Path) -> None:
        self._newest, self._former = folder / "newest.key", folder / "former.keys"
        self.configure(KEYS[0])
        files = {"ENCRYPTION_KEY_FILE": self._newest, "TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS_FILE": self._former}
        super().__init__(folder, ENCRYPTION_KEY="", **{name: str(path) for name, path in files.items()})

    def configure(self, newest: str, *former: str) -> None:
        """What the secret files hold from now on."""
        for path, text in ((self._former, " ".join(former) or newest), (self._newest, newest)):
            draft = path.with_suffix(".draft")
            draft.write_text(text)
            draft.replace(path)

    def archive(self) -> None:
        """Logs that were cleaned up."""
        for number in range(12):
            path = self.folder / "logs" / f"p{number}.log.1"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"a line of {number}\n" * 20_000)
            os.utime(path, (0, 0))
        self.tokens("logs", "clean-up", "--class", "worker_logs")

    def known(self) -> list[tuple[str, ...] | None]:
        """The encryption keys that each process says it knows."""
        return [one.keys for one in Presence(self.client, self.keys).all()]

    def has(self, word: str) -> bool:
        """Whether it stands in the list of archives."""
        chain = self.folder / "archives" / "chain.jsonl"
        return word in chain.read_text()

    def is_at_it(self) -> bool:
        """Whether somebody rotates."""
        return bool(self.client.hexists(self.keys.flights, "tokens.rotate"))

    def killed_once(self, holds: Callable[[], bool], after: float = 0.0) -> bool:
        """Begin and kill -9 as soon as something holds, or so long after; whether it was still at work then."""
        process = self.begin("tokens", "rotate", "encryption")
        while process.poll() is None and not holds():
            time.sleep(0.002)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.client.hdel(self.keys.flights, "tokens.rotate", "the clean-up of logs")  # as when its lease has ended
        return process.returncode == -signal.SIGKILL

    def needed(self) -> set[str]:
        """The encryption keys that something needs."""
        return {
            one["key"]
            for one in json.loads(self.tokens("tokens", "rotate", "encryption", "--dry-run", "--json"))["at_rest"]
        }

    def finish_encryption(self) -> None:
        """Two are at it at once: one waits, the other encrypts what is left."""
        first = self.begin("tokens", "rotate", "encryption")
        self.wait(self.is_at_it, 90, "nobody rotates")
        first.send_signal(signal.SIGSTOP)
        second = self.begin("tokens", "rotate", "encryption")
        told = second.communicate(timeout=120)
        first.send_signal(signal.SIGCONT)
        first.communicate(timeout=120)
        assert [first.returncode, second.returncode] == [0, 75], told


@pytest.mark.slow
def test_the_encryption_key_is_replaced_by_processes_that_are_killed_while_alerts_flow(tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("SEED", "1")))
    with KeyFleet(tmp_path) as fleet:
        fleet.start_all()
        fleet.archive()
        sender = Sender(fleet, every=1.0)
        sender.start()
        fleet.tokens("tokens", "rotate", "integration")
        fleet.wait(lambda: fleet.known().count((IDS[0],)) == PROCESSES, 90, "not all say which key they know")

        fleet.configure(KEYS[1], KEYS[0])
        steps = (fleet.is_at_it, lambda: fleet.has('"of":'), lambda: fleet.has('"vouched":'))
        killed = [fleet.killed_once(step) for step in steps]
        fleet.finish_encryption()
        assert fleet.needed() == {IDS[1]}
        fleet.configure(KEYS[1])
        fleet.wait(lambda: fleet.known().count((IDS[1],)) == PROCESSES, 90, "not all have let the former key go")
        fleet.finish(120)

        fleet.configure(KEYS[2], KEYS[1])
        killed += [fleet.killed_once(fleet.is_at_it, chance.uniform(0, 4)) for _ in range(AT_RANDOM)]
        fleet.finish_encryption()
        assert fleet.needed() == {IDS[2]}
        fleet.configure(KEYS[2])
        fleet.wait(lambda: fleet.known().count((IDS[2],)) == PROCESSES, 90, "not all have let the former key go")
        time.sleep(5)  # alerts go on under the one key that is left

        check(fleet, sender, "integration")
        assert sum(killed) >= 4, killed
        assert json.loads(fleet.tokens("logs", "verify", "--json"))["faults"] == []
        assert json.loads(fleet.tokens("audit", "verify", "--json"))["holds"]
        assert json.loads(fleet.tokens("tokens", "status", "--json"))["rotations"] == []
        opened = _opened(fleet)
        assert len(opened) >= 30
        assert {one["payload"]["custom_details"]["password"] for one in opened} == {PASSWORD}


def _opened(fleet: KeyFleet) -> list[dict[str, Any]]:
    """The events that opened alerts, as PagerDuty got them."""
    page = fleet.sandbox.control("GET", "/exchanges?of=events&since=0&limit=1000")["exchanges"]
    events = [one["request"] for one in page]
    return [one for one in events if one.get("event_action") == "trigger" and one["dedup_key"].startswith("alert-")]
