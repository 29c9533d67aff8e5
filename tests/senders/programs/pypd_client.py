"""An older Python client: Events v1 and v2, each with a slash behind the address."""

import os
import sys

import pypd

action, key, routing_key = os.environ["ACTION"], os.environ["KEY"], os.environ["ROUTING_KEY"]
payload = {"summary": "disk full", "source": "db-1", "severity": "error"}
new = {"routing_key": routing_key, "event_action": action, "dedup_key": key, "payload": payload}
old = {"service_key": routing_key, "event_type": action, "incident_key": f"{key}/v1", "details": {"free": "1 %"}}
answer = pypd.EventV2.create(data=new)
assert pypd.Event.create(data={**old, "description": "disk full"})["incident_key"] == f"{key}/v1"
sys.stdout.write(answer["dedup_key"])
