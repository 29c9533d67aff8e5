"""PagerDuty's Events API v2, change events included: builds the event, sends it, says what the answer means.

Source: PagerDuty's developer documentation.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import httpx
import tenacity

from tasks.notifications.channels.deadline import Deadline, DeadlineTransport
from tasks.utils.rows import Outcome
from tasks.utils.validators import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from tasks.notifications.channels.protocol import Message

MAX_KEY_CHARACTERS: Final = 255
MAX_ANSWER_BYTES: Final = 65_536
MOST_RETRY_SECONDS: Final = 5.0
MINIMAL_FIELDS: Final = ("summary", "source", "severity")
PATH: Final = "/v2/enqueue"
CHANGE_PATH: Final = "/v2/change/enqueue"


class PagerDutyEvents:
    """The Events v2 channel. One client for the whole process; safe to use from several threads.

    `deadline` bounds one send in all, retries and reading included; `attempts` is how often network errors and 5xx are tried within it.
    """

    def __init__(self, *, deadline: timedelta, attempts: int, throttle_pause: timedelta, key_pause: timedelta) -> None:
        self._deadline = Deadline()
        self._seconds = deadline.total_seconds()
        self._attempts = attempts
        self._throttle_pause_ms = round(throttle_pause.total_seconds() * 1000)
        self._key_pause_ms = round(key_pause.total_seconds() * 1000)
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32, keepalive_expiry=30)
        self._client = httpx.Client(
            transport=DeadlineTransport(self._deadline, limits=limits),
            timeout=httpx.Timeout(self._seconds, connect=3.0),
            headers={"Content-Type": "application/json", "User-Agent": "tocsin"},
        )

    def send(self, message: Message) -> Outcome:
        """Send once (a short retry included) and classify the answer."""
        content = json.dumps(wire_event(message.alert, message.key, minimal=message.minimal)).encode()
        tries: list[bool] = []  # of each failed try: may it have arrived all the same?
        try:
            with self._deadline.within(self._seconds):
                status, headers, text = self._retrying()(self._try, _url(message), content, tries)
        except httpx.HTTPError as error:
            return Outcome("retry", f"network:{type(error).__name__}", unclear=any(tries))
        outcome = self.classify(status, headers, text, minimal=message.minimal)
        return replace(outcome, unclear=outcome.verb != "sent" and any(tries))

    def classify(self, status: int, headers: Mapping[str, str], text: str, *, minimal: bool) -> Outcome:
        """What an HTTP answer means for the event it answers."""
        if status == 202:
            return Outcome("sent")
        if status == 429:
            return Outcome("pause", "throttled", delay_ms=self._pause_ms(headers))
        if status in (401, 403) or (status == 400 and _about_the_key(text)):
            return Outcome("refused", "key_rejected", delay_ms=self._key_pause_ms)
        if status in (407, 408) or not 400 <= status < 500:  # 407 and below 400: a proxy's answer, not PagerDuty's
            return Outcome("retry", f"http:{status}")
        if status in (400, 413) and not minimal:
            return Outcome("minimal", "content_rejected")
        return Outcome("refused", f"http:{status}")

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._attempts) | tenacity.stop_before_delay(MOST_RETRY_SECONDS),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=1.0),
            retry=tenacity.retry_if_exception_type(httpx.TransportError)
            | tenacity.retry_if_result(lambda answer: answer[0] >= 500),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def _try(self, url: str, content: bytes, tries: list[bool]) -> tuple[int, Mapping[str, str], str]:
        try:
            answer = self._post(url, content)
        except httpx.HTTPError as error:
            tries.append(_may_have_arrived(error))
            raise
        tries.append(answer[0] == 408 or answer[0] >= 500)
        return answer

    def _post(self, url: str, content: bytes) -> tuple[int, Mapping[str, str], str]:
        with self._client.stream("POST", url, content=content) as answer:
            text = b""
            for chunk in answer.iter_bytes():
                text += chunk
                if len(text) > MAX_ANSWER_BYTES:
                    break
            return answer.status_code, answer.headers, text.decode("utf-8", "replace")

    def _pause_ms(self, headers: Mapping[str, str]) -> int:
        for name in ("retry-after", "ratelimit-reset"):
            try:
                return max(1000, min(round(float(headers[name]) * 1000), 600_000))
            except (KeyError, ValueError, OverflowError):
                continue
        return self._throttle_pause_ms


def wire_event(alert: Mapping[str, Any], key: str, *, minimal: bool = False) -> dict[str, Any]:
    """The Events v2 body of an alert: the key in place of its service, a digest where its dedup key is too long.

    That of a change event has neither action nor dedup key.
    """
    if alert["event_action"] == "change":
        return _wire_change(alert, key, minimal=minimal)
    payload = alert.get("payload")
    if minimal:
        event: dict[str, Any] = {"event_action": alert["event_action"]}
        if payload:
            event["payload"] = {field: payload[field] for field in MINIMAL_FIELDS if field in payload}
    else:
        event = {field: value for field, value in alert.items() if field != "service"}
    if alert["event_action"] != "trigger" and not _is_whole(payload):
        event.pop("payload", None)
    return {**event, "routing_key": key, "dedup_key": wire_key(alert["dedup_key"])}


def _wire_change(alert: Mapping[str, Any], key: str, *, minimal: bool) -> dict[str, Any]:
    if minimal:
        payload = alert["payload"]
        return {
            "routing_key": key,
            "payload": {field: payload[field] for field in ("summary", "source") if field in payload},
        }
    event = {field: value for field, value in alert.items() if field not in ("service", "event_action", "dedup_key")}
    return {**event, "routing_key": key}


def wire_key(dedup_key: str) -> str:
    """The dedup key as PagerDuty gets it: whole up to 255 characters, else its SHA-256."""
    if len(dedup_key) <= MAX_KEY_CHARACTERS:
        return dedup_key
    return "sha256:" + hashlib.sha256(dedup_key.encode("utf-8", "surrogatepass")).hexdigest()


def _url(message: Message) -> str:
    return message.url.removesuffix(PATH) + CHANGE_PATH if message.alert["event_action"] == "change" else message.url


def _is_whole(payload: Any) -> bool:
    """Whether PagerDuty would take this payload of an acknowledge or resolve, where it is optional (rules may route by it)."""
    return bool(payload) and all(payload.get(f) for f in MINIMAL_FIELDS) and payload["severity"] in SEVERITIES


def _about_the_key(text: str) -> bool:
    lowered = text.lower()
    return "routing_key" in lowered or "routing key" in lowered or "service_key" in lowered


def _may_have_arrived(error: httpx.HTTPError) -> bool:
    return not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
