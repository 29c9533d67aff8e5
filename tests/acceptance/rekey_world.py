"""A machine on which something of every kind lies under an encryption key that it reads from secret files."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from config.settings import load
from tasks.rotating import RotationWiring
from tasks.runtime import Runtime
from tasks.security.models import Factor
from tasks.security.store import FactorStore
from tasks.utils.encryption_errors import EncryptionError
from tasks.utils.presence import Presence, Sign
from tasks.utils.rows import Inbox, InboxRow
from tests.acceptance.routed import trigger
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

OLD: Final = base64.urlsafe_b64encode(b"o" * 32).decode()
NEW: Final = base64.urlsafe_b64encode(b"n" * 32).decode()
SECRET: Final = "geheimgeheim"
SERVICE: Final = f"channels: [{{name: primary, routing_key: {'k' * 32}}}]\nencrypt_fields: [custom_details.password]\n"
FACTOR: Final = Factor("ab" * 20, "2026-01-01T00:00:00+00:00", "salt", ["hash"])


class RekeyWorld:
    """`here` is a process of that machine."""

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox, clock: MovableClock) -> None:
        self.clock = clock
        self.state = folder / "state"
        self._config = folder / "config"
        (self._config / "services").mkdir(parents=True)
        (self._config / "services" / "shop.yaml").write_text(SERVICE)
        self.newest, self.former = folder / "newest", folder / "former"
        self.configure(OLD)
        self.environ = {
            "REDIS_URL": redis_url,
            "TOCSIN_STATE_DIR": str(self.state),
            "TOCSIN_CONFIG_DIR": str(self._config),
            "TOCSIN_DEFAULT_SERVICE": "shop",
            "PAGERDUTY_EVENTS_URL": sandbox.url,
            "JWT_SECRET": "a secret of 32 characters or more",
            "ENCRYPTION_KEY_FILE": str(self.newest),
            "TOCSIN_SECURITY__PREVIOUS_ENCRYPTION_KEYS_FILE": str(self.former),
        }
        self._made: list[Runtime] = []
        self.here = self.process()

    def configure(self, newest: str, *former: str) -> None:
        """Write the keys into the secret files, as a secret manager does: the former ones first."""
        for path, text in ((self.former, " ".join(former) or newest), (self.newest, newest)):
            draft = path.with_suffix(".draft")
            draft.write_text(text)
            draft.replace(path)

    def process(self, **environ: str) -> Runtime:
        """Another process of this machine."""
        runtime = Runtime(load(environ={**self.environ, **environ}))
        runtime.tokens = RotationWiring(runtime, self.pass_by)
        self._made.append(runtime)
        return runtime

    def pass_by(self, seconds: float = 61) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))

    def show(self, *keys: str, pid: int = 1) -> None:
        """A process of the fleet says which encryption keys it knows."""
        sign = Sign("worker-alert", "elsewhere", pid, 0, "1")
        Presence(self.here.client, self.here.keys).beat(sign, keys=keys)

    def fill(self) -> None:
        """Something of every kind that is kept encrypted or signed, by the key of now."""
        here = self.here
        here.tokens.rotate("jwt")
        FactorStore(here.client, here.keys, here.security, self.state).put("ann", "", FACTOR)
        here.backups.repository.begin(encrypt=True)
        self.archive("p1", "p2")
        here.alerts.submit("open", [secretive("disk")])
        here.alerts.submit("broken", [{**secretive("x"), "event_action": "explode"}])
        here.graves.bury(json.dumps([[], {"alerts": [secretive("y")]}, {}]), "names an unknown task", {"id": "z"})
        Inbox(here.client, here.keys).put([InboxRow("waits", here.sealed_fields.seal(secretive("later")), "events")])
        here.audit.seal()
        here.act_archive.seal()

    def archive(self, *names: str) -> None:
        """Logs that were cleaned up."""
        for name in names:
            path = self.state / "logs" / f"{name}.log.1"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{SECRET} of {name}\n" * 500)
            at = (self.clock.now() - timedelta(days=900)).timestamp()
            os.utime(path, (at, at))
        self.here.logs.clean_up.run(["worker_logs"])

    def faults(self, runtime: Runtime) -> list[str]:
        """What a process cannot read or verify of all that."""
        found = [name for name, text in self._alerts(runtime).items() if SECRET not in text]
        found += runtime.logs.archives.verify().faults
        ledger = runtime.audit.verify()
        records = runtime.act_archive.verify(ledger)
        found += [] if records.holds else [f"records: {records}"]
        try:
            store = FactorStore(runtime.client, runtime.keys, runtime.security, self.state)
            assert [store.open(*one) for one in store.sealed().items()] == [FACTOR]
            runtime.backups.repository.codec(encrypted=True)
            assert runtime.tokens.service.reveal("jwt", next(one.id for one in runtime.keystore.read()[0].alive))
        except EncryptionError as error:
            found.append(str(error))
        return found

    def _alerts(self, runtime: Runtime) -> dict[str, str]:
        """Each text in which an alert lies, opened."""
        client, keys, fields = runtime.client, runtime.keys, runtime.sealed_fields
        kept = {
            f"{name}:{field}": text
            for name in client.scan_iter(f"{keys.event('')}*")
            for field, text in client.hgetall(name).items()
        }
        kept |= {f"inbox:{name}": text.split("\n", 2)[2] for name, text in client.hgetall(keys.inbox).items()}
        return {name: _opened(fields, runtime, text) for name, text in kept.items() if "enc:" in text}

    def close(self) -> None:
        """Let go of connections."""
        for runtime in self._made:
            runtime.client.close()


def _opened(fields: Any, runtime: Runtime, text: str) -> str:
    if text.startswith("enc:"):
        return str(runtime.security.decrypt_sensitive_data(text, "messages")) if runtime.security else ""
    found = json.loads(text)
    if "encrypted" in found and runtime.security:
        return str(runtime.security.decrypt_sensitive_data(found["encrypted"], "messages"))
    return json.dumps(fields.open(found))


def secretive(key: str) -> dict[str, Any]:
    """An alert with a field that is kept encrypted."""
    alert = trigger(key)
    alert["payload"]["custom_details"] = {"password": SECRET, "host": "web1"}
    return alert


class Victim:
    """Encrypts everything anew when it is told to, and dies when it is told to."""

    def __init__(self, world: RekeyWorld) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", "PAGERDUTY_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.rekey_victim"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**clean, **world.environ, "LOG_LEVEL": "ERROR"},
        )

    def rotate(self, dies_at: int = 0) -> str:
        """How it ended: the number of calls it made, or `killed`."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{dies_at}\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline().strip():
            if line in ("killed", "failed") or line.isdigit():
                return line
        raise AssertionError("the victim has ended")

    def close(self) -> None:
        """It ends."""
        self._process.communicate(timeout=30)
