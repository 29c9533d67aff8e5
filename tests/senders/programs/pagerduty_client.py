"""PagerDuty's own Python client, as its documentation shows it."""

import os
import sys

import pagerduty

action, key = os.environ["ACTION"], os.environ["KEY"]
with pagerduty.EventsApiV2Client(os.environ["ROUTING_KEY"]) as client:
    match action:
        case "trigger":
            key = client.trigger("disk full", "db-1", dedup_key=key, severity="error", custom_details={"free": "1 %"})
        case "acknowledge":
            key = client.acknowledge(key)
        case "resolve":
            key = client.resolve(key)
        case "change":
            client.send_change_event(payload={"summary": f"deployed after {key}", "source": "ci"})
        case "elsewhere":
            client.url = os.environ["GATEWAY"]
            key = client.trigger("no key of its own", "db-2")
sys.stdout.write(key)
