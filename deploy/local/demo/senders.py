"""The four ways alerts come in. Each speaks as its users do and knows nothing of the others."""

import hashlib
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import httpx
from celery import Celery

from deploy.local.demo.alert import Alert, StoryError

SHELL_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender was told: the words, and the dedup key each alert goes by."""

    words: str
    keys: tuple[str, ...]


class Sender(Protocol):
    """One way in. `name` is for tables, `who` for lines."""

    name: str
    who: str

    def send(self, alerts: Sequence[Alert]) -> Receipt:
        """Hand alerts over. Raises StoryError when they are not accepted."""


class CeleryProducer:
    """Any Celery program: it knows the broker, the name of the task and of the queue; nothing of ours is imported."""

    name = "Celery"
    who = "celery"

    def __init__(self, redis_url: str, prefix: str) -> None:
        self._app = Celery("shop", broker=redis_url, set_as_current=False)
        self._app.conf.broker_transport_options = {"global_keyprefix": prefix}

    def send(self, alerts: Sequence[Alert]) -> Receipt:
        """One message with all of them."""
        wire = [{"service": alert.service, **alert.event()} for alert in alerts]
        message = self._app.send_task("alerts.submit", kwargs={"alerts": wire}, queue="alert", ignore_result=True)
        words = f"send_task alerts.submit: {_many(alerts)} -> {message.id[:8]}"
        return Receipt(words, tuple(alert.name for alert in alerts))

    def close(self) -> None:
        """Let go of the broker."""
        self._app.close()


class EventsClient:
    """A client of PagerDuty's Events API v2 that was pointed at the gateway; the key of the service is its own."""

    name = "HTTP"
    who = "http"

    def __init__(self, http: httpx.Client, ingest_keys: Mapping[str, str]) -> None:
        self._http = http
        self._keys = ingest_keys

    def send(self, alerts: Sequence[Alert]) -> Receipt:
        """One request each."""
        began = time.monotonic()
        answers = [self._post(alert) for alert in alerts]
        took = time.monotonic() - began
        times = f"{len(answers)} x " if len(answers) > 1 else ""
        said = f"in {took:.2f} s" if times else answers[0]["message"]
        words = f"{times}POST /v2/enqueue: {alerts[0].action} {alerts[0].name} -> {times}202 {said}"
        return Receipt(words, tuple(answer["dedup_key"] for answer in answers))

    def _post(self, alert: Alert) -> dict[str, Any]:
        body = {"routing_key": self._keys[alert.service], **alert.event()}
        return accepted(self._http.post("/v2/enqueue", json=body))


class Alertmanager:
    """Alertmanager's webhook, version 4, as it posts to a receiver; the service's key is the Bearer token."""

    name = "Alertmanager"
    who = "alertmgr"

    def __init__(self, http: httpx.Client, ingest_keys: Mapping[str, str]) -> None:
        self._http = http
        self._keys = ingest_keys

    def send(self, alerts: Sequence[Alert]) -> Receipt:
        """One webhook with all of them; they are of one service."""
        body = {"version": "4", "groupKey": "{}:{}", "receiver": "tocsin", "alerts": [_entry(one) for one in alerts]}
        headers = {"Authorization": f"Bearer {self._keys[alerts[0].service]}"}
        answer = accepted(self._http.post("/webhooks/alertmanager", json=body, headers=headers))
        words = f"POST /webhooks/alertmanager: {_many(alerts)} -> 202"
        return Receipt(words, tuple(result["dedup_key"] for result in answer["results"]))


class Shell:
    """A person or a script at a prompt; a process of its own for every command."""

    name = "shell"
    who = "shell"

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = {**os.environ, **environment}

    def send(self, alerts: Sequence[Alert]) -> Receipt:
        """One command each."""
        said = [self._submit(alert) for alert in alerts]
        return Receipt("; ".join(said), tuple(alert.name for alert in alerts))

    def _submit(self, alert: Alert) -> str:
        news = ["--action", alert.action]
        if alert.action == "trigger":  # the default
            news = ["--summary", alert.summary, "--severity", alert.severity]
        about = ["--service", alert.service, "--dedup-key", alert.name, *news]
        done = tocsin(self.environment, "alerts", "submit", *about)
        if done.returncode:
            raise StoryError(f"tocsin alerts submit did not work: {done.stderr.strip()}")
        shown = shlex.join(["tocsin", "alerts", "submit", *about[:4]])
        return f"$ {shown} … -> {done.stdout.strip()[:8]}"


def tocsin(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """What the command says; the environment is all it is told of where things are."""
    command = [sys.executable, "-P", "-m", "workers.cli", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SHELL_SECONDS, check=False)


def accepted(answer: httpx.Response) -> dict[str, Any]:
    """The body of a 202. Raises StoryError for any other answer."""
    if answer.status_code != 202:
        raise StoryError(f"{answer.request.url.path} answered {answer.status_code}: {answer.text[:300]}")
    body: dict[str, Any] = answer.json()
    return body


def _entry(alert: Alert) -> dict[str, Any]:
    return {
        "status": "resolved" if alert.action == "resolve" else "firing",
        "labels": {"alertname": alert.name, "severity": alert.severity, "instance": "web3:9100"},
        "annotations": {"summary": alert.summary} if alert.summary else {},
        "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "fingerprint": hashlib.sha256(alert.name.encode()).hexdigest()[:16],
    }


def _many(alerts: Sequence[Alert]) -> str:
    names = ", ".join(alert.name for alert in alerts)
    return f"{alerts[0].action} {names}"
