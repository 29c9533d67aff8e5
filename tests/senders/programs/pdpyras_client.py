"""The Python client before PagerDuty's own; Alerta's plugin sends with it."""

import os
import sys

import pdpyras

key = os.environ["KEY"]
session = pdpyras.EventsAPISession(os.environ["ROUTING_KEY"])
match os.environ["ACTION"]:
    case "trigger":
        key = session.trigger("disk full", "db-1", dedup_key=key, severity="error", custom_details={"free": "1 %"})
    case "acknowledge":
        key = session.acknowledge(key)
    case "resolve":
        key = session.resolve(key)
sys.stdout.write(key)
