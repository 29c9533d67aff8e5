"""Random sequences of everything that can happen to a few alerts."""

from __future__ import annotations

import random
from typing import Any, Final

Step = tuple[Any, ...]
CHANNELS: Final = {
    "shop": ("primary", "standby"),
    "shop/desk": ("desk",),
    "shop/night": ("night", "spare"),
    "solo": ("solo",),
}
KEYS: Final = {name: f"sandbox{name}".ljust(32, "0") for names in CHANNELS.values() for name in names}
ALERTS: Final = (("shop", "a"), ("shop", "b"), ("shop", "c"), ("solo", "d"))
MATCHERS: Final = ("source=web1", "severity=warning", "class!=HostDown", "service=shop", "group=pay")
FAULTS: Final = (
    {"kind": "error"},
    {"kind": "throttle"},
    {"kind": "reject", "status": 403},
    {"kind": "reject"},
    {"kind": "reset"},
    {"kind": "reset", "ingest": True},
    {"kind": "truncated"},
)


def steps(seed: int, count: int) -> list[Step]:
    """A sequence with all its choices made."""
    chance = random.Random(seed)
    kinds = ["submit"] * 14 + ["receive"] * 5 + ["drain"] * 5 + ["deliver"] * 8 + ["advance"] * 5
    kinds += ["silence"] * 2 + ["expire"] * 2 + ["fault"] * 2 + ["heal"] * 2
    kinds += ["again", "die", "die_at_inbox", "replay", "release", "replay", "race", "race"]
    return [_step(chance, chance.choice(kinds), number) for number in range(count)]


def _step(chance: random.Random, kind: str, number: int) -> Step:
    pick = chance.random
    match kind:
        case "submit" | "receive":
            return (kind, int(pick() * 2), _alerts(chance, number, chance.choice((1, 1, 1, 2, 3))))
        case "race":
            return (kind, pick(), _alerts(chance, number, 2))
        case "advance":
            return (kind, chance.choice((1, 5, 31, 61, 200, 310, 700, 4000, 30_000)))
        case "silence":
            kinds = ("silence", "maintenance")
            return (
                kind,
                chance.choice(MATCHERS),
                chance.choice(kinds),
                chance.choice((1, 6, 60)),
                chance.choice((0, 0, 2)),
            )
        case "fault":
            key, count = chance.choice([*KEYS.values()]), chance.choice((1, 2, 9))
            return (kind, {**chance.choice(FAULTS), "key": key, "count": count})
        case _:
            return (kind, pick(), chance.choice((0, 1, 2)))


def _alerts(chance: random.Random, number: int, count: int) -> tuple[dict[str, Any], ...]:
    return tuple(_alert(chance, f"{number}.{n}") for n in range(count))


def _alert(chance: random.Random, number: str) -> dict[str, Any]:
    service, key = chance.choice(ALERTS)
    action = chance.choice(("trigger", "trigger", "trigger", "resolve", "resolve", "acknowledge", "change"))
    if action == "change" and chance.random() < 0.7:
        action = "trigger"
    body: dict[str, Any] = {"service": service, "event_action": action}
    if action == "change":
        return body | {"payload": {"summary": f"deployed #{number}", "source": "web1"}}
    body["dedup_key"] = key
    if action == "trigger":
        same = chance.random() < 0.3
        body["payload"] = {
            "summary": f"{key} #" + ("same" if same else number),
            "source": chance.choice(("web1", "web2")),
            "severity": "critical" if same else chance.choice(("critical", "warning")),
            "class": chance.choice(("Disk", "Disk", "HostDown", "Net")),
            "group": chance.choice(("", "", "pay")),
            "component": chance.choice(("", "", "test")),
        }
    return body
