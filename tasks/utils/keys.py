"""Every Redis key there is. Python and Lua take their names from this one table, so that they cannot drift apart."""

from __future__ import annotations

import re
from typing import Final

DEFAULT_PREFIX: Final = "tocsin:"

FIXED: Final[dict[str, str]] = {
    "keystore": "keystore",  # hash: <kind>:<id of the configured value> -> the rotated key as JSON, its values encrypted
    "keystore_version": "keystore:version",  # changed with every change of it, so that processes read it again
    "keys_asked": "keystore:asked",  # when all processes were last asked to read their encryption keys anew (ms)
    "tokens_due": "keystore:due",  # hash: kind of key -> what is past its age, or soon will be, in words
    "rotations_stuck": "keystore:stuck",  # hash: id of a former key whose rotation stands still -> that in words, what to do, a line each
    "oauth_tokens": "keystore:oauth",  # hash: process -> what it says of its access token, as JSON; asked: for fresh ones, when (ms)
    "former_keys": "keystore:former",  # hash: id of a REST key that was replaced -> what is known of it, as JSON; gone with the key
    "keys_seen": "keystore:seen",  # hash: id of a value -> when it was first seen, and <id>:used -> when it was last used (ms)
    "clock": "clock",  # string: milliseconds added to the server's TIME; set by tests only
    "epoch": "epoch",  # string: when this data set began; missing = the server lost everything
    "loss": "loss",  # hash: that the data set before this one is lost; see lua/declare_loss.lua
    "sync": "incidents:sync",  # hash: who compares with PagerDuty (holder), until when (ms); report of the last time as JSON
    "inbox": "inbox",  # hash: event id -> when received (ms), source, alert as JSON, a line each; not yet decided on
    "inbox_due": "inbox:due",  # sorted set: event id -> time it came, ms
    "inbox_turn": "inbox:turn",  # hash: token of the caller whose turn it is, until when (ms)
    "inbox_tries": "inbox:tries",  # hash: event id -> times it was claimed
    "outbox_due": "outbox:due",  # sorted set: lane -> due time or end of lease, ms
    "leases": "outbox:leases",  # hash: lane -> token of the claimant
    "queued": "outbox:queued",  # sorted set: event id -> time it was accepted, ms; left when closed
    "untold": "groups:untold",  # sorted set: event id -> time it was accepted, ms; news of groups that waits to be told
    "groups_due": "groups:due",  # sorted set: lane of a group -> when its next bundle is sealed, ms
    "bundle_number": "groups:bundles",  # counter: makes ids of bundles unique
    "resting": "outbox:resting",  # hash: pause:<key id> -> nothing is sent with it until (ms); stop:<key id> -> it counts as refused until
    "parking": "budget:parking",  # hash: lane that waits for its turn -> key id|team; see lua/lib/budget.lua
    "budgets": "budget:limits",  # hash: key id -> most events in a minute
    "keys_due": "budget:due",  # sorted set: key id -> when the lanes that wait for it are looked at next, ms
    "failing": "outbox:failing",  # hash: <channel>|<key id> -> since when every attempt fails (ms); see lua/lib/failing.lua
    "webhooks": "webhooks",  # hash: id of a webhook that is not worked off yet -> when it came (ms), its document as JSON, a line each
    "webhooks_due": "webhooks:due",  # sorted set: that id -> when it is due, or the end of a worker's lease, ms
    "webhooks_tries": "webhooks:tries",  # hash: that id -> times it was handed to a worker
    "webhooks_known": "webhooks:known",  # sorted set: ids of the webhooks that came -> when, ms; the newest only
    "lookups": "pagerduty:lookups",  # sorted set: id of a parked incident whose dedup keys are asked for -> when, ms
    "lookup_tries": "pagerduty:lookups:tries",  # hash: that id -> how often they were asked for
    "catch_up": "pagerduty:catch_up",  # hash: until: what happened up to then is known, seconds since the epoch
    "subscriptions": "pagerduty:subscriptions",  # hash: looked_at, disabled_at (ms: one of ours was), inactive, missing
    "wired": "pagerduty:wired",  # hash: dedup key as PagerDuty has it -> `<key id> <alert uid>`, a line each; see lua/lib/answer.lua
    "incidents": "pagerduty:incidents",  # hash: incident id -> `<key id> <alert uid>` of each alert it stands for, a line each
    "answers": "pagerduty:answers",  # hash: alert uid -> what PagerDuty says of its incidents, as JSON; see lua/lib/answer.lua
    "homes": "pagerduty:homes",  # hash: key id -> ids of the PagerDuty services it leads to, a space between
    "parked_incidents": "pagerduty:parked",  # sorted set: id of an incident no alert is known for -> when it was parked, ms
    "parked_news": "pagerduty:parked:news",  # hash: incident id -> what is known of it, as JSON
    "parked_keys": "pagerduty:parked:keys",  # hash: dedup key -> ids of parked incidents, a line each
    "answer_counts": "pagerduty:counts",  # hash: what was counted -> how often
    "receipts": "receipts",  # hash: `<key id> <alert uid>` -> what PagerDuty took and does not show yet, as JSON; see lua/lib/receipt.lua
    "receipts_due": "receipts:due",  # sorted set: the same -> when PagerDuty is looked at for it, or the end of a lease, ms
    "receipt_missed": "receipts:missed",  # string: when PagerDuty was last found to have taken an alert without an incident, ms
    "dead": "dead",  # sorted set: event id -> time of death, ms
    "closed": "events:closed",  # list: when an event's story ended (ms) and its id, in order; archived later
    "alerts": "alerts",  # sorted set: alert uid -> time of its last news, ms; archived later
    "labels": "alerts:labels",  # hash: alert uid -> its labels at the last trigger, see kept_labels.py
    "rules": "rules",  # hash: silence id -> the silence as JSON; own maintenance windows are silences too
    "rules_version": "rules:version",  # counter: raised by every change of the rules
    "holds_due": "holds:due",  # sorted set: name of a hold -> when it ends and what it holds is let go, ms
    "ledger": "ledger",  # stream: e event, s step, r reason, d detail, t time (ms)
    "seal": "ledger:seal",  # hash: last sealed entry, its hash, how many
    "known": "ledger:known",  # sorted set: entry id|step of what `record_put` put into a stream lately -> when, ms
    "acts": "acts",  # stream: who did what; e act id, s begun | ok | failed | denied, r action, d the rest as JSON, t time (ms)
    "acts_seal": "acts:seal",  # hash: of the stream `acts` what `seal` is of the ledger
    "acts_known": "acts:known",  # sorted set: of it what `known` is
    "pagerduty_audit": "pagerduty:audit",  # stream: PagerDuty's audit records; e id, s action, r object, d itself as JSON, t time (ms)
    "pagerduty_audit_seal": "pagerduty:audit:seal",  # hash: of it what `seal` is of the ledger; until: read up to, ms
    "pagerduty_audit_known": "pagerduty:audit:known",  # sorted set: of it what `known` is
    "proof": "ledger:proof",  # hash: hour | whole -> what the last scheduled proof found, as JSON
    "hints": "hints",  # hash: queue -> time of the hint on its way, ms
    "hint_number": "hints:number",  # counter: makes hint ids unique
    "errors": "errors",  # stream: c field in error_counts, t time (ms), r report as JSON; one entry a minute and kind of error
    "error_counts": "errors:counts",  # hash: minute|fingerprint -> how often, time of the last (ms); one field for each entry
    "wake": "pump:wake",  # list: tokens that end a pump's sleep early
    "breakers": "breakers",  # sorted set: name of a breaker that is not simply closed -> when it last changed, ms
    "breaker_events": "breakers:events",  # stream: b name, s state, r reason, a author, t time (ms); the last thousand
    "limits": "limits",  # sorted set: name of a limit -> when it was last used, ms
    "pulse": "pulse",  # hash: a beat on its way through the queues: asked, alert, delivery (ms, when it came by there)
    "own_alerts": "own:alerts",  # hash: name of an own alert -> how it stands as JSON; see tasks/health/standing.py
    "watch": "own:watch",  # hash: which sentinel watches for the whole fleet (token), until when (ms)
    "actions_due": "actions:due",  # sorted set: request id -> when it is carried on with, or end of its lease, ms
    "actions_ended": "actions:ended",  # sorted set: request id -> when it came to its end, ms; of the last week, ten thousand at most
    "escalations_due": "escalations:due",  # sorted set: uid of an alert that escalates -> when it goes on, or end of a lease, ms; or inf
    "policies": "escalations:policies",  # hash: digest of a frozen policy -> its times, a line, itself as JSON
    "policy_uses": "escalations:policies:uses",  # hash: that digest -> how many escalations were started by it and are not forgotten
    "escalation_counts": "escalations:counts",  # hash: what was counted -> how often; audited, late_ms, exhausted_at: ms
    "log_holds": "logs:holds",  # hash: id -> a legal hold as JSON, released ones included
    "log_archives": "logs:archives",  # hash: machine -> hash of the newest link of its list of archives
    "log_machines": "logs:machines",  # sorted set: machine -> when it last put an archive on its list, ms
    "flights": "flights",  # hash: what one at a time does -> token, until, since, lease, asked, who, a line each; see lua/flight_take.lua
    "revocations": "tokens:revocations",  # hash: token:<id> | subject:<name> | all -> the revocation as JSON
    "revocations_reach": "tokens:revocations:reach",  # hash: that name -> up to when tokens were issued that it is about, ms
    "revocations_until": "tokens:revocations:until",  # sorted set: that name -> when it is forgotten, ms
    "revocations_version": "tokens:revocations:version",  # string: another one after every change, so that gateways read them again
    "factors": "security:factors",  # hash: person -> their second factor, encrypted; nothing where it was removed
    "guarded": "security:guarded",  # string: this server is a production's; there whatever a shell's own environment says
    "grants": "tokens:grants",  # hash: id of a grant that a task has begun with -> begun | done
    "grants_until": "tokens:grants:until",  # sorted set: that id -> when it is forgotten, ms
    "backups": "backups",  # hash: created | verified | pruned | drilled | restored -> what the last run of it reported, as JSON
    "tails": "health:tails",  # hash: queue -> id of the message that is next there, and since when at least (ms), a blank between
    "health": "health",  # hash: quick | full -> what was found when health was last looked at, as JSON
    "health_runs": "health:runs",  # stream: s status, k quick or full, f names of the lines that failed or warn; the last 20,000
    "presence": "presence",  # hash: name of a process -> what it says of itself, and when it last did, as JSON; see lua/presence_beat.lua
    "watched": "health:watched",  # hash: at: when a sentinel last looked at the fleet, ms
    "signed_begun": "signed:begun",  # sorted set: nonce of a signed task message in work, and nonce|token -> when it was signed, ms
    "signed_finished": "signed:finished",  # sorted set: the same of one that was finished; both are forgotten after security.task_window
}
FAMILIES: Final[dict[str, str]] = {
    "watched_days": "health:watched:",  # hash of one day since the epoch: watched, alive: how long (ms); see lua/health_watched.lua
    "event": "event:",  # hash: one accepted event; see lua/accept.lua, and lua/lib/shrink.lua for what is left once its story has ended
    "alert": "alert:",  # hash: what is known of one dedup key of one service
    "lane": "lane:",  # list: event ids of one dedup key for one destination, in order
    "buffer": "buffer:",  # list of one group: ids of news not told yet, in order; see lua/lib/group.lua
    "members": "members:",  # hash of one group: place (uid of an alert there) -> open | acknowledged
    "sends": "budget:sends:",  # sorted set of one key: one member a send -> when it began, ms; the last minute
    "firsts": "budget:firsts:",  # hash of one key: service -> when an alert of it went out last, ms
    "parked": "budget:parked:",  # sorted set of one key and team: lane -> rank
    "teams": "budget:teams:",  # sorted set of one key: team with lanes that wait -> when one was let go, ms
    "held": "held:",  # sorted set of one hold: alert uid -> since when its newest event is held back, ms
    "inhibitors": "inhibitors:",  # set of one hold: uids of the open alerts that inhibit
    "breaker": "breaker:",  # hash of one endpoint: failures lately, open until when, who probes; see lua/lib/breaker.lua
    "limit": "limit:",  # hash of one limit: how much of it is spent; see lua/lib/limit.lua
    "action": "action:",  # hash: one action on incidents somebody asked for, and what became of it; see lua/action_begin.lua
    "receipt_hours": "receipts:of:",  # hash of one hour since the epoch: what became of receipts -> how many; gone after eight days
    "result": "celery-task-meta-",  # string: what one task answered, as Celery keeps it; gone after a day
    "schedule": "schedules:of:",  # hash of one scheduled task: the slot claimed last, what came of it, pause; see lua/lib/slot.lua
    "schedule_runs": "schedules:runs:",  # list of one scheduled task: its last runs as JSON, newest first
    "escalation": "escalation:",  # hash of one alert: its last escalation; see lua/lib/escalation.lua
    "deliveries": "deliveries:",  # hash of one message that came back: how often, since when; see lua/count_delivery.lua
    "rates": "rates:",  # hash of one minute since the epoch: service -> alerts it got; gone after five minutes
    "factor": "security:factor:",  # hash of one person: how codes of their second factor fared; see lua/factor_try.lua
    "cached": "cache:of:",  # hash: one cached value and who computes it; see lua/cache_look.lua
    "cache_done": "cache:done:",  # list: one element once a computation has ended; wakes those who wait for it
    "cache_tag": "cache:tag:",  # string: when a tag was last invalidated, ms
}


LEDGER: Final = FIXED["ledger"]


class Keys:
    """Full key names under one prefix: `keys.inbox`, `keys.event(id)`."""

    def __init__(self, prefix: str = DEFAULT_PREFIX, stream: str = LEDGER) -> None:
        self.prefix = prefix
        self.stream = stream

    def of(self, stream: str) -> Keys:
        """The same, only that what is said of the ledger (`ledger`, `seal`, `known`) is said of another sealed stream."""
        return Keys(self.prefix, stream)

    def __getattr__(self, name: str) -> str:
        """The key called `name` in `FIXED`."""
        try:
            return self.prefix + key_of(name, self.stream)
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

    def sends(self, key_id: str) -> str:
        """The sorted set of one key's sends in the last minute."""
        return f"{self.prefix}{FAMILIES['sends']}{key_id}"

    def teams(self, key_id: str) -> str:
        """The sorted set of teams that wait for one key."""
        return f"{self.prefix}{FAMILIES['teams']}{key_id}"

    def parked(self, place: str) -> str:
        """The sorted set of lanes that wait for one key and team, `KEY ID|TEAM`."""
        return f"{self.prefix}{FAMILIES['parked']}{place}"

    def buffer(self, group: str) -> str:
        """The list of what a group has not told yet."""
        return f"{self.prefix}{FAMILIES['buffer']}{group}"

    def members(self, group: str) -> str:
        """The hash of the alerts of a group that are not resolved."""
        return f"{self.prefix}{FAMILIES['members']}{group}"

    def held(self, hold: str) -> str:
        """The sorted set of the alerts one hold holds back."""
        return f"{self.prefix}{FAMILIES['held']}{hold}"

    def inhibitors(self, hold: str) -> str:
        """The set of the open alerts that feed one hold."""
        return f"{self.prefix}{FAMILIES['inhibitors']}{hold}"

    def watched_days(self, day: int) -> str:
        """The hash of how long the fleet was watched, and alive, on one day since the epoch."""
        return f"{self.prefix}{FAMILIES['watched_days']}{day}"

    def rates(self, minute: int) -> str:
        """The hash of how many alerts each service got in one minute since the epoch."""
        return f"{self.prefix}{FAMILIES['rates']}{minute}"

    def receipt_hours(self, hour: int) -> str:
        """The hash of what became of receipts in one hour since the epoch."""
        return f"{self.prefix}{FAMILIES['receipt_hours']}{hour}"

    def deliveries(self, message_id: str) -> str:
        """The counter of one message's deliveries to workers."""
        return f"{self.prefix}{FAMILIES['deliveries']}{message_id}"

    def action(self, request_id: str) -> str:
        """The hash of one action on incidents."""
        return f"{self.prefix}{FAMILIES['action']}{request_id}"

    def escalation(self, uid: str) -> str:
        """The hash of one alert's escalation."""
        return f"{self.prefix}{FAMILIES['escalation']}{uid}"

    def factor(self, person: str) -> str:
        """The hash of how codes of one person's second factor fared."""
        return f"{self.prefix}{FAMILIES['factor']}{person}"

    def result(self, task_id: str) -> str:
        """The string of one task's answer."""
        return f"{self.prefix}{FAMILIES['result']}{task_id}"

    def schedule(self, entry: str) -> str:
        """The hash of one scheduled task."""
        return f"{self.prefix}{FAMILIES['schedule']}{entry}"

    def schedule_runs(self, entry: str) -> str:
        """The list of one scheduled task's last runs."""
        return f"{self.prefix}{FAMILIES['schedule_runs']}{entry}"

    def breaker(self, name: str) -> str:
        """The hash of one endpoint's breaker."""
        return f"{self.prefix}{FAMILIES['breaker']}{name}"

    def limit(self, name: str) -> str:
        """The hash of one limit."""
        return f"{self.prefix}{FAMILIES['limit']}{name}"

    def cache_done(self, name: str) -> str:
        """The list that tells the end of one computation."""
        return f"{self.prefix}{FAMILIES['cache_done']}{name}"

    def queue(self, name: str) -> str:
        """The list Celery keeps a queue's messages in."""
        return self.prefix + name


def key_of(name: str, stream: str = LEDGER) -> str:
    """The key called `name` in `FIXED`, without the prefix, where `stream` takes the ledger's place. KeyError if there is none."""
    key = FIXED[name]
    return stream + key.removeprefix(LEDGER) if name in ("ledger", "seal", "known") else key


def with_key_names(lua: str, prefix: str, stream: str = LEDGER) -> str:
    """A script with its key names written out: `K.inbox` and `K.event(id)` become text, so that a call pays nothing for them."""
    for name, key in FAMILIES.items():
        lua = lua.replace(f"K.{name}(", f'("{prefix}{key}" .. ')
    return re.sub(r"\bK\.(\w+)", lambda found: f'"{prefix}{key_of(found[1], stream)}"', lua)
