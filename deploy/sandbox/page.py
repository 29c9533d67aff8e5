from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from deploy.sandbox.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deploy.sandbox.hooks import Posted
    from deploy.sandbox.incidents import Incident
    from deploy.sandbox.world import World

MOST_SHOWN = 200
MOST_NAMED = 20

HELP = """\
PagerDuty sandbox: a stand-in for PagerDuty's Events and REST APIs. Nothing sent here pages anybody.

Imitated
  POST /v2/enqueue                                 alerts (Events v2)
  POST /v2/change/enqueue                          change events
  POST /generic/2010-04-15/create_event.json       alerts (Events v1)
  POST /hooks/{any name}                           messages for people, as to an incoming webhook of Slack
  the REST API: incidents, services, users and the rest, with Authorization: Token token=<any 20 characters>

Control (JSON)
  GET    /_sandbox/state                           what is set, what was counted
  POST   /_sandbox/keys      {"key": 32 letters and digits, "service": name}      DELETE /_sandbox/keys/{key}
  GET    /_sandbox/account                         PUT the same form back to replace it; `tocsin sandbox generate` makes one up
  POST   /_sandbox/faults    {"kind": throttle|error|slow|reset|truncated|outage|swallow|reject, "key"?, "path"?,
                              "exact"?, "method"?, "count"?, "seconds"?, "status"?, "delay_seconds"?, "headers"?, "ingest"?, "body"?}
  GET    /_sandbox/faults                          DELETE /_sandbox/faults[/{id}]
  POST   /_sandbox/clock     {"advance_seconds"}   GET /_sandbox/clock
  POST   /_sandbox/incidents {"count", "service", "since"?, "until"?, "status"?, "title"?, "dedup_key"?}   plant many
  POST   /_sandbox/suppressions {"service"?, "summary"?, "severity"?}   GET and DELETE /_sandbox/suppressions
  GET    /_sandbox/log?since=N[&limit=N][&body=0]  DELETE /_sandbox/log
  GET    /_sandbox/exchanges?since=N[&limit=N][&of=events]   the latest requests with their answers
  GET    /_sandbox/webhooks?since=N[&limit=N]      what was sent to whom; DELETE forgets what has ended
  POST   /_sandbox/webhooks/faults {"kind": drop|duplicate|reorder|delay|forge|unknown|truncated|oversize, "count"?,
                              "subscription"?, "event_type"?, "seconds"?, "copies"?}             GET, DELETE
  POST   /_sandbox/webhooks/secrets {"subscription", "secret"}    /_sandbox/webhooks/settings {"timeout_seconds"}
  POST   /_sandbox/happenings {"event_type", "data", "resource_id"?, "service_id"?, "team_ids"?, "agent"?, "client"?}
  POST   /_sandbox/sink      {"on": true|false}    take every event at once, keep no incidents
  POST   /_sandbox/limits    {"events_per_minute"?: 120|null, "rest_per_minute"?: 960|null, "read_delay_seconds"?: 0}
  POST   /_sandbox/tokens/revoke                   end every token that POST /oauth/token gave out
  POST   /_sandbox/reset     {"keep_account"?: true|false}   back to how it was started

Set now
"""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .8rem .3rem 0 }
td, th { border-bottom: 1px solid #ddd; vertical-align: top } code { font-size: 90% }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: inherit }
.triggered { color: #b00020; font-weight: 600 } .acknowledged { color: #8a6100 }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd } td, th { border-color: #444 } }
"""


def help_text(world: World) -> str:
    """What the sandbox offers and what is set, for a terminal."""
    return HELP + "".join(f"  {line}\n" for line in _settings(world))


def page(world: World) -> str:
    """What the sandbox is and the open incidents, for a browser."""
    incidents = list(world.incidents.open())
    shown = incidents[-MOST_SHOWN:][::-1]
    services = {one["id"]: one["name"] for one in world.account.services}
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<title>PagerDuty sandbox: {len(incidents)} open</title><style>{STYLE}</style></head><body>
<h1>PagerDuty sandbox</h1>
<p>A stand-in for PagerDuty: it takes events as PagerDuty does and pages nobody.
How to steer it: <a href="/_sandbox"><code>/_sandbox</code></a>.</p>
<ul>{"".join(f"<li>{escape(line)}</li>" for line in _settings(world))}</ul>
<h2>{len(incidents)} open incident{"" if len(incidents) == 1 else "s"}</h2>
{_table(shown, services) if shown else "<p>Nothing is wrong.</p>"}
{f"<p>The newest {MOST_SHOWN} are shown.</p>" if len(incidents) > MOST_SHOWN else ""}
{_messages(world.messages.newest())}
</body></html>
"""


def _settings(world: World) -> list[str]:
    world.faults.expire(world.clock.now())
    limits = [
        f"{name}: {limit}/min" if limit is not None else f"{name}: unlimited"
        for name, limit in (("events per key", world.events_window.limit), ("REST per token", world.rest_window.limit))
    ]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in world.log.counts.most_common()) or "none"
    return [
        f"requests: {counts}",
        f"services: {_services([one['name'] for one in world.account.services])}",
        f"limits: {', '.join(limits)}",
        f"clock: {timestamp(world.clock.now())}, {world.clock.offset:g} s ahead of real time",
        f"faults: {', '.join(f'{fault.id} {fault.spec.kind.value}' for fault in world.faults) or 'none'}",
        f"sink: {'on' if world.sink else 'off'}",
    ]


def _services(names: list[str]) -> str:
    if not names:
        return "none; every key is refused"
    rest = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _messages(posted: list[Posted]) -> str:
    if not posted:
        return ""
    rows = "".join(
        f"<tr><td><code>{escape(one.hook)}</code></td><td><pre>{escape(one.text)}</pre></td><td>{timestamp(one.at)}</td></tr>"
        for one in posted
    )
    return f"<h2>Messages, newest first</h2>\n<table><tr><th>Hook</th><th>Text</th><th>At</th></tr>{rows}</table>"


def _table(incidents: list[Incident], services: Mapping[str, str]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("#", "Status", "Title", "Service", "Severity", "Key", "Since"))
    return f"<table><tr>{head}</tr>{''.join(_row(one, services) for one in incidents)}</table>"


def _row(incident: Incident, services: Mapping[str, str]) -> str:
    cells = (
        f'<td id="{incident.id}">{incident.number}</td>',
        f'<td class="{incident.status}">{incident.status}</td>',
        f"<td>{escape(incident.title)}</td>",
        f"<td>{escape(services.get(incident.service_id, incident.service_id))}</td>",
        f"<td>{escape(incident.severity)}</td>",
        f"<td><code>{escape(incident.dedup_key)}</code></td>",
        f"<td>{timestamp(incident.created_at)}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"
