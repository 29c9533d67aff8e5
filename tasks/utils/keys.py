"""Every Redis key there is. Python and Lua take their names from this one table, so that they cannot drift apart."""

from __future__ import annotations

import re
from typing import Final

DEFAULT_PREFIX: Final = "tocsin:"

FIXED: Final[dict[str, str]] = {
    "clock": "clock",  # string: milliseconds added to the server's TIME; set by tests only
    "epoch": "epoch",  # string: when this data set began; missing = the server lost everything
    "inbox": "inbox",  # hash: event id -> when received (ms), source, alert as JSON, a line each; not yet decided on
    "inbox_due": "inbox:due",  # sorted set: event id -> time it came, ms
    "inbox_turn": "inbox:turn",  # hash: token of the caller whose turn it is, until when (ms)
    "inbox_tries": "inbox:tries",  # hash: event id -> times it was claimed
    "outbox_due": "outbox:due",  # sorted set: lane -> due time or end of lease, ms
    "leases": "outbox:leases",  # hash: lane -> token of the claimant
    "queued": "outbox:queued",  # sorted set: event id -> time it was accepted, ms; left when closed
    "resting": "outbox:resting",  # hash: pause:<key id> -> nothing is sent with it until (ms); stop:<key id> -> it counts as refused until
    "dead": "dead",  # sorted set: event id -> time of death, ms
    "closed": "closed",  # sorted set: event id -> time its story ended, ms; archived later
    "alerts": "alerts",  # sorted set: alert uid -> time of its last news, ms; archived later
    "ledger": "ledger",  # stream: e event, s step, r reason, d detail, t time (ms)
    "seal": "ledger:seal",  # hash: last sealed entry, its hash, how many
    "hints": "hints",  # hash: queue -> time of the hint on its way, ms
    "hint_number": "hints:number",  # counter: makes hint ids unique
    "wake": "pump:wake",  # list: tokens that end a pump's sleep early
    "slots": "schedules:slots",  # hash: entry@due -> task id that claimed it
    "slot_times": "schedules:slots:at",  # sorted set: entry@due -> time of the claim, ms
}
FAMILIES: Final[dict[str, str]] = {
    "event": "event:",  # hash: one accepted event; see lua/accept.lua
    "alert": "alert:",  # hash: what is known of one dedup key of one service
    "lane": "lane:",  # list: event ids of one dedup key for one destination, in order
    "deliveries": "deliveries:",  # counter: how often one message was handed to a worker
}


class Keys:
    """Full key names under one prefix: `keys.inbox`, `keys.event(id)`."""

    def __init__(self, prefix: str = DEFAULT_PREFIX) -> None:
        self.prefix = prefix

    def __getattr__(self, name: str) -> str:
        """The key called `name` in `FIXED`."""
        try:
            return self.prefix + FIXED[name]
        except KeyError:
            raise AttributeError(name) from None

    def event(self, event_id: str) -> str:
        """The hash of one event."""
        return f"{self.prefix}{FAMILIES['event']}{event_id}"

    def alert(self, uid: str) -> str:
        """The hash of one alert."""
        return f"{self.prefix}{FAMILIES['alert']}{uid}"

    def lane(self, lane: str) -> str:
        """The list of one lane."""
        return f"{self.prefix}{FAMILIES['lane']}{lane}"

    def deliveries(self, message_id: str) -> str:
        """The counter of one message's deliveries to workers."""
        return f"{self.prefix}{FAMILIES['deliveries']}{message_id}"

    def queue(self, name: str) -> str:
        """The list Celery keeps a queue's messages in."""
        return self.prefix + name


def with_key_names(lua: str, prefix: str) -> str:
    """A script with its key names written out: `K.inbox` and `K.event(id)` become text, so that a call pays nothing for them."""
    for name, key in FAMILIES.items():
        lua = lua.replace(f"K.{name}(", f'("{prefix}{key}" .. ')
    return re.sub(r"\bK\.(\w+)", lambda found: f'"{prefix}{FIXED[found[1]]}"', lua)
