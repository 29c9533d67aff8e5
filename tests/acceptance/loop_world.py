"""The closed loop at work on both clocks: what PagerDuty took, what it shows, and what is said again elsewhere."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tasks.utils.identifiers import key_id
from tests.acceptance.sync_world import World

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.incidents.receipt_models import ReceiptReport
    from tests.conftest import Sandbox


PEOPLED = "sandboxlooppeopled".ljust(32, "0")


class Loop(World):
    """A `World` in which time passes with workers at work. Service `peopled` falls back on a chat."""

    def __init__(self, folder: Path, redis_url: str, sandbox: Sandbox, **environ: str) -> None:
        channels = f"channels:\n  - {{name: page, routing_key: {PEOPLED}}}\n"
        chat = f"  - {{name: chat, kind: slack, webhook_url: '{sandbox.url}/hooks/chat', allow_private: true}}\n"
        (folder / "services").mkdir()
        (folder / "services" / "peopled.yaml").write_text(channels + chat)
        super().__init__(folder, redis_url, sandbox, **environ)
        sandbox.register(PEOPLED, "peopled")

    def read_in_chat(self) -> list[str]:
        """What people got to read."""
        return [entry["summary"] for entry in self.sandbox.log() if entry["outcome"] == "posted"]

    def pass_time(self, seconds: int, step: int = 5) -> list[ReceiptReport]:
        """Let time pass; what each look came to."""
        looks = []
        for _ in range(seconds // step):
            self.advance(step)
            report = self.runtime.receipts.verify()
            looks += [report] if report.rows else []
            self.work()
        return looks

    def service(self, name: str = "shop") -> dict[str, Any]:
        """A service as PagerDuty has it."""
        [found] = [one for one in self.runtime.rest.services.list() if one["name"] == name]
        return found

    def change_service(self, **fields: Any) -> None:
        """Change the shop in PagerDuty, which wants type and policy said again."""
        shop = self.service()
        whole = {"type": "service", "escalation_policy": shop["escalation_policy"], **fields}
        self.runtime.rest.services.update(shop["id"], whole)

    def swallow(self, key: str, **more: Any) -> str:
        """PagerDuty takes what comes with this key from now on, and makes nothing of it."""
        return self.sandbox.fault(kind="swallow", key=key, **more)

    def arrived(self, key: str, action: str = "trigger") -> Counter[str]:
        """Dedup keys of what was taken with this routing key, and how often."""
        taken = [e for e in self.sandbox.log() if e.get("routing_key") == key and e["event_action"] == action]
        return Counter(entry["dedup_key"] for entry in taken)

    def receipt(self, key: str, service: str = "shop") -> str:
        """What the API says of an alert."""
        return self.runtime.current.get(self.uid(key, service)).receipt

    def is_proved(self) -> bool:
        """Whether every accepted event has its verdict, none of them lost."""
        proof = self.runtime.audit.prove()
        assert proof.holds, proof
        return True

    def letters(self) -> list[Any]:
        """The dead letters."""
        return list(self.runtime.dead_letters.list().dead_letters)

    def home(self, key: str) -> str:
        """PagerDuty's id of the service a routing key leads to."""
        return str(self.client.hget(self.keys.homes, key_id(key)) or "")
