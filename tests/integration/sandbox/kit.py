"""The real sandbox as a child process, for the tests of everything that speaks to PagerDuty."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

import httpx

from tasks.utils.trust import authorities
from tests.openapi import Watch

if TYPE_CHECKING:
    from pathlib import Path

KEY = "a" * 32
OTHER_KEY = "b" * 32
UNKNOWN_KEY = "c" * 32
TOKEN = {"Authorization": "Token token=" + "t" * 20}


class SandboxProcess:
    """One running sandbox with what tests say to it. Leaving the `with` block stops it."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "deploy.sandbox", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url: str = json.loads(self.process.stdout.readline())["url"]
        self.http = httpx.Client(base_url=self.url, trust_env=False, verify=authorities())
        self.watch = Watch(self.control)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self.process.poll() is None:
                self.watch.check()
        finally:
            self.stop()

    def stop(self) -> int:
        """Stop it as a service manager would; the answer is its exit code."""
        self.http.close()
        self.process.terminate()
        code = self.process.wait(timeout=10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def reset(self) -> None:
        """Everything forgotten; the keys KEY (service db) and OTHER_KEY (service web) known."""
        self.control("POST", "/reset")
        self.control("POST", "/keys", {"key": KEY, "service": "db"})
        self.control("POST", "/keys", {"key": OTHER_KEY, "service": "web"})

    def control(self, method: str, path: str, body: object = None) -> Any:
        """One control request that must succeed."""
        answer = self.http.request(method, f"/_sandbox{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, kind: str, **fields: object) -> str:
        """Set a fault; the answer is its id."""
        return str(self.control("POST", "/faults", {"kind": kind, **fields})["id"])

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock."""
        self.control("POST", "/clock", {"advance_seconds": seconds})

    def enqueue(self, event: object) -> httpx.Response:
        """POST /v2/enqueue."""
        return self.http.post("/v2/enqueue", json=event)

    def get(self, path: str, **parameters: Any) -> Any:
        """One REST read that must succeed."""
        answer = self.http.get(path, params=parameters, headers=TOKEN)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def incidents(self, **parameters: Any) -> list[dict[str, Any]]:
        """The first page of incidents."""
        return list(self.get("/incidents", **parameters)["incidents"])

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        """What the sandbox saw."""
        return list(self.control("GET", f"/log?since={since}")["entries"])

    def last(self) -> dict[str, Any]:
        """The latest request the sandbox saw."""
        return self.log()[-1]


def write_account(path: Path, account: object) -> str:
    """An account file; the answer is its name for the command line."""
    path.write_text(json.dumps(account))
    return str(path)


def event(
    action: str = "trigger", dedup_key: str | None = "disk/db-1", key: str = KEY, **payload: object
) -> dict[str, Any]:
    """An Events v2 body; payload fields replace the usual ones, and None leaves one out."""
    body: dict[str, Any] = {"routing_key": key, "event_action": action}
    if dedup_key is not None:
        body["dedup_key"] = dedup_key
    if action == "trigger":
        full = {"summary": "disk full", "source": "db-1", "severity": "critical", **payload}
        body["payload"] = {name: value for name, value in full.items() if value is not None}
    return body


def statuses(sandbox: SandboxProcess) -> list[str]:
    """The status of every incident on the first page."""
    return [one["status"] for one in sandbox.incidents()]
