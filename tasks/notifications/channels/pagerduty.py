"""PagerDuty's Events API v2, change events included: builds the event, sends it, says what the answer means.

Source: PagerDuty's developer documentation.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from tasks.notifications.channels.posting import Pauses
from tasks.notifications.channels.protocol import AsyncChannel
from tasks.notifications.channels.swift import InvalidUrlError, NoAnswerError, SwiftPoster
from tasks.utils.identifiers import wire_key
from tasks.utils.rows import Outcome
from tasks.utils.validators import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from tasks.notifications.channels.posting import Answer
    from tasks.notifications.channels.protocol import Message

MINIMAL_FIELDS: Final = ("summary", "source", "severity")
PATH: Final = "/v2/enqueue"
CHANGE_PATH: Final = "/v2/change/enqueue"


class PagerDutyEvents(AsyncChannel):
    """The Events v2 channel. One for the whole process; its bounds are those of `SwiftPoster`."""

    def __init__(self, *, deadline: timedelta, attempts: int, throttle_pause: timedelta, key_pause: timedelta) -> None:
        self._poster = SwiftPoster(deadline=deadline, attempts=attempts)
        self._pauses = Pauses(throttle_pause, key_pause)

    async def asend(self, message: Message) -> Outcome:
        """Send once (a short retry included) and classify the answer."""
        content = json.dumps(wire_event(message.alert, message.key, minimal=message.minimal)).encode()
        tries: list[bool] = []
        try:
            answer = await self._poster.post(_url(message), content, tries)
        except InvalidUrlError:
            return Outcome("refused", "invalid_url")
        except NoAnswerError as error:
            return Outcome("retry", f"network:{error}", unclear=any(tries))
        outcome = self.classify(answer, minimal=message.minimal)
        return replace(outcome, unclear=True) if outcome.verb != "sent" and any(tries) else outcome

    async def aclose(self) -> None:
        """Close the connections of the running loop."""
        await self._poster.aclose()

    def classify(self, answer: Answer, *, minimal: bool) -> Outcome:
        """What an HTTP answer means for the event it answers."""
        status = answer.status
        if status == 202:
            return Outcome("sent")
        if status == 429:
            return self._pauses.throttled(answer.headers)
        if status in (401, 403) or (status == 400 and _about_the_key(answer.text)):
            return self._pauses.stopped("key_rejected")
        if status in (407, 408) or not 400 <= status < 500:  # 407 and below 400: a proxy's answer, not PagerDuty's
            return Outcome("retry", f"http:{status}")
        if status in (400, 413) and not minimal:
            return Outcome("minimal", "content_rejected")
        return Outcome("refused", f"http:{status}")


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


def _url(message: Message) -> str:
    return message.url.removesuffix(PATH) + CHANGE_PATH if message.alert["event_action"] == "change" else message.url


def _is_whole(payload: Any) -> bool:
    """Whether PagerDuty would take this payload of an acknowledge or resolve, where it is optional (rules may route by it)."""
    return bool(payload) and all(payload.get(f) for f in MINIMAL_FIELDS) and payload["severity"] in SEVERITIES


def _about_the_key(text: str) -> bool:
    lowered = text.lower()
    return "routing_key" in lowered or "routing key" in lowered or "service_key" in lowered
