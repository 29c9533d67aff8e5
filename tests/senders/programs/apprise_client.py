"""Apprise, which knows PagerDuty's host only; with `action=map` a success resolves."""

import os
import sys

import apprise

key, routing_key = os.environ["KEY"], os.environ["ROUTING_KEY"]
kind = apprise.NotifyType.FAILURE if os.environ["ACTION"] == "trigger" else apprise.NotifyType.SUCCESS
sender = apprise.Apprise()
assert sender.add(f"pagerduty://{routing_key}@{'x' * 20}/db-1/?action=map&dedup={key}&image=no")
assert sender.notify(body="disk full", notify_type=kind)
sys.stdout.write(key)
