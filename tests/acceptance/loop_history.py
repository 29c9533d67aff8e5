"""Random histories of what PagerDuty takes, swallows, groups and shows late, and what must hold of them at the end."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.acceptance.sync_world import PRIMARY, STANDBY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.acceptance.loop_world import Loop

KEYS = [f"k{number}" for number in range(12)]
BOT = "bot@example.com"


class History:
    """One history. PagerDuty groups what the shop sends, if it is to."""

    def __init__(self, loop: Loop, seed: int, *, groups: bool) -> None:
        self._loop = loop
        self._chance = random.Random(seed)
        self._ended: dict[str, list[int]] = {}  # key -> how much had arrived when somebody resolved its incident there
        if groups:
            loop.change_service(alert_grouping_parameters={"type": "intelligent"})

    def play(self, steps: int) -> None:
        """Let it happen, then come to rest."""
        whats = ("news", "wait", "swallow", "heal", "blind", "lag", "answer", "merge", "sync")
        for _ in range(steps):
            getattr(self, f"_{self._chance.choices(whats, (10, 8, 3, 4, 1, 1, 2, 1, 1))[0]}")()
        self._heal()
        self._lag(0)
        self._loop.pass_time(900, step=15)
        self._loop.sync()  # who was answered there meanwhile, and what was lost after that
        self._loop.pass_time(90)

    def check(self) -> None:
        """No false page, nothing lost, all proved."""
        loop = self._loop
        assert list(self._false_pages()) == []
        still = {key for key in KEYS if loop.status(key) in ("open", "acknowledged")}
        assert still <= self._told_there(), (still, self._told_there())
        assert loop.client.exists(loop.keys.receipts, loop.keys.receipts_due) == 0
        assert {loop.receipt(key) for key in still} <= {"seen"}
        assert loop.letters() == []
        assert loop.is_proved()

    def _false_pages(self) -> Iterator[dict[str, Any]]:
        """Triggers at the standby of what PagerDuty had made an alert of."""
        known: set[str] = set()
        for place, entry in enumerate(self._loop.sandbox.log()):
            known -= {key for key, ends in self._ended.items() if place in ends}
            key, action = entry["dedup_key"], entry["event_action"]
            if entry["routing_key"] == STANDBY and action == "trigger" and key in known:
                yield entry
            if entry["routing_key"] == PRIMARY and entry["outcome"] != "swallowed":
                (known.add if action == "trigger" else known.discard if action == "resolve" else id)(key)

    def _told_there(self) -> set[str]:
        rest = self._loop.runtime.rest
        incidents = rest.incidents.list(statuses=["triggered", "acknowledged"], date_range="all")
        return {alert["alert_key"] for one in incidents for alert in rest.incidents.alerts(one["id"])}

    def _news(self) -> None:
        action = self._chance.choices(("trigger", "acknowledge", "resolve"), (6, 1, 3))[0]
        keys = self._chance.sample(KEYS, self._chance.choice((1, 1, 2, 8)))
        more = {"summary": f"number {self._chance.randrange(3)}"} if action == "trigger" else {}
        self._loop.send(action, *keys, **more)

    def _wait(self) -> None:
        self._loop.pass_time(self._chance.choice((5, 20, 70, 130)))

    def _swallow(self) -> None:
        self._loop.swallow(PRIMARY)

    def _heal(self) -> None:
        self._loop.sandbox.heal()

    def _blind(self) -> None:
        self._loop.sandbox.fault(kind="error", status=503, path="/incidents")

    def _lag(self, seconds: int = 15) -> None:
        self._loop.sandbox.control("POST", "/limits", {"read_delay_seconds": seconds})

    def _shown(self) -> list[dict[str, Any]]:
        headers = {"Authorization": "Token token=" + "a" * 20}
        asked = {"date_range": "all", "statuses[]": ["triggered", "acknowledged"]}
        answer = self._loop.sandbox.http.get("/incidents", params=asked, headers=headers)
        return list(answer.json()["incidents"]) if answer.status_code == 200 else []

    def _answer(self) -> None:
        """Somebody acknowledges or resolves an incident there."""
        if shown := self._shown():
            one, status = self._chance.choice(shown), self._chance.choice(("acknowledged", "resolved"))
            if status == "resolved":
                self._note_end(one["id"])
            self._put([{"id": one["id"], "type": "incident_reference", "status": status}])

    def _note_end(self, incident: str) -> None:
        headers = {"Authorization": "Token token=" + "a" * 20}
        shown = self._loop.sandbox.http.get(f"/incidents/{incident}/alerts", headers=headers).json()["alerts"]
        for alert in shown:
            self._ended.setdefault(alert["alert_key"], []).append(len(self._loop.sandbox.log()))

    def _put(self, incidents: list[dict[str, Any]]) -> None:
        headers = {"Authorization": "Token token=" + "a" * 20, "From": BOT}
        self._loop.sandbox.http.put("/incidents", json={"incidents": incidents}, headers=headers)

    def _merge(self) -> None:
        """Somebody merges two incidents there."""
        shown = self._shown()
        if len(shown) >= 2:
            into, other = self._chance.sample(shown, 2)
            headers = {"Authorization": "Token token=" + "a" * 20, "From": BOT}
            body = {"source_incidents": [{"id": other["id"], "type": "incident_reference"}]}
            self._loop.sandbox.http.put(f"/incidents/{into['id']}/merge", json=body, headers=headers)

    def _sync(self) -> None:
        """The comparison that beat starts; PagerDuty may be away."""
        if not any(fault.get("path") for fault in self._loop.sandbox.control("GET", "/faults")["faults"]):
            self._loop.sync()
