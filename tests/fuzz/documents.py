"""Bodies nobody should send: any JSON at all, documents that are nearly right, and bytes that are no JSON."""

import gzip
import json
from typing import Any

from hypothesis import strategies as st

from tests.integration.gateway_kit import KEY, TRIGGER

# Any JSON there is: lone surrogates, NaN, huge numbers, names that mean something here.
WORDS = [
    "event_action",
    "dedup_key",
    "payload",
    "summary",
    "source",
    "severity",
    "custom_details",
    "links",
    "images",
    "client",
    "service",
    "routing_key",
    "adaptations",
    "alerts",
    "labels",
    "annotations",
    "status",
    "fingerprint",
    "startsAt",
    "_tocsin",
    "service_key",
    "incident_key",
    "event_type",
    "description",
    "details",
    "contexts",
    "matchers",
    "services",
    "starts_at",
    "ends_at",
    "duration_seconds",
    "comment",
    "author",
    "kind",
    "id",
    "title",
    "text",
    "Type",
    "Message",
    "SubscribeURL",
    "SigningCertURL",
    "data",
    "event",
    "issue",
    "trigger",
    "resolve",
    "acknowledge",
    "change",
    "critical",
]
TEXTS = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(WORDS)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    LEAVES, lambda part: st.lists(part, max_size=3) | st.dictionaries(TEXTS, part, max_size=4), max_leaves=15
)
ODD = [
    b"",
    b"null",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"alerts":[' + b"{}," * 600 + b"{}]}",
    b'{"alerts":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b"1" * 5_000,
    b'{"payload":{"custom_details":' + b"9" * 5_000 + b"}}",
    b"-1e999",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"routing_key":"\\ud800"}',
    b'{"a":"\x01"}',
    b'{"a":1,"a":2}',
    b"a=1&b=%00",
    b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n1\r\n--x--',
    b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
    b"{{7*7}}${7*7}<script>'; DROP TABLE alerts; --",
    b"x" * 200_000,
]
BOMB = gzip.compress(b"0" * 20_000_000)


def _fields(names: str) -> Any:
    """Some of these fields with anything in them; as often none, so that what is right otherwise gets through."""
    return st.just({}) | st.dictionaries(st.sampled_from(names.split()), JSON, max_size=3)


def _near(valid: dict[str, Any], names: str, **parts: Any) -> Any:
    """Documents like this one with some fields made up; `parts` are strategies for single fields."""
    return st.builds(lambda made, inner: {**valid, **inner, **made}, _fields(names), st.fixed_dictionaries(parts))


PAYLOADS = _near(TRIGGER["payload"], "summary source severity custom_details timestamp component class group")
EVENTS = _near(TRIGGER, "event_action dedup_key links images client client_url payload service x", payload=PAYLOADS)
CHANGES = _near(
    {"routing_key": KEY}, "links images payload", payload=_near({"summary": "x"}, "source custom_details timestamp")
)
V1 = _near(
    {"service_key": KEY, "event_type": "trigger", "description": "x"},
    "incident_key description details client contexts",
)
LABELS = _near({"alertname": "x"}, "severity instance job service")
ENTRIES = _near({"status": "firing"}, "annotations status fingerprint startsAt generatorURL labels", labels=LABELS)
WEBHOOKS = _near({}, "alerts externalURL status title text", alerts=st.lists(ENTRIES, max_size=5))
NAMED = _near({**TRIGGER, "service": "web"}, "event_action dedup_key payload service", payload=PAYLOADS).map(
    lambda alert: {name: value for name, value in alert.items() if name != "routing_key"}
)
API = _near({}, "alerts id", alerts=st.lists(NAMED | JSON, max_size=5))
RULES = _near(
    {"matchers": ["severity=info"], "duration_seconds": 0.5, "comment": "x"},
    "matchers services starts_at ends_at duration_seconds comment author kind",
)
ANY_BODY = (EVENTS | CHANGES | V1 | WEBHOOKS | API | RULES | JSON).map(lambda body: json.dumps(body).encode())
BODIES = ANY_BODY | st.sampled_from(ODD) | st.binary(max_size=200)

BODY_OF = {
    "v2": EVENTS,
    "change": CHANGES,
    "v1": V1,
    "alertmanager": WEBHOOKS,
    "mapping": WEBHOOKS | _fields("Type data event"),
}
