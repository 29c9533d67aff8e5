"""ElastAlert2's alerter, v2 and v1, as its rules would run it."""

import os
import sys

from elastalert.alerters.pagerduty import PagerDutyAlerter

key = os.environ["KEY"]
rule = {
    "name": "disk full",
    "type": object(),
    "alert_text": "disk full on db-1",
    "alert_text_type": "alert_text_only",
    "timestamp_field": "@timestamp",
    "pagerduty_service_key": os.environ["ROUTING_KEY"],
    "pagerduty_event_type": os.environ["ACTION"],
    "pagerduty_client_name": "ElastAlert",
    "pagerduty_v2_payload_severity": "error",
    "pagerduty_v2_payload_source": "db-1",
}
match = {"@timestamp": "2026-01-02T03:04:05Z", "host": "db-1"}
for version, incident_key in (("v2", key), ("v1", f"{key}/v1")):
    told = {"pagerduty_api_version": version, "pagerduty_incident_key": incident_key}
    PagerDutyAlerter({**rule, **told}).alert([match])
sys.stdout.write(key)
