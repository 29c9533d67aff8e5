"""An older Python client: Events v1, with nulls for what it was not told."""

import os
import sys

from pygerduty.events import Events

key = os.environ["KEY"]
events = Events(os.environ["ROUTING_KEY"])
match os.environ["ACTION"]:
    case "trigger":
        key = events.trigger_incident(
            "disk full",
            incident_key=key,
            details={"free": "1 %", "severity": "error"},
            client="probe",
            client_url="http://probe.example",
            contexts=[{"type": "link", "href": "http://graph.example", "text": "Graph"}],
        )
    case "acknowledge":
        key = events.acknowledge_incident(key)
    case "resolve":
        key = events.resolve_incident(key)
sys.stdout.write(key)
