"""The scenes. Each says what happens and why it matters, then lets it happen; the lines come from who was there."""

import signal
import time
from collections.abc import Callable
from typing import Final

from deploy.local.demo.alert import Alert
from deploy.local.demo.stage import Stage
from deploy.local.demo.words import span
from deploy.local.terminal import Level

OUTAGE_SECONDS: Final = 3
BURST: Final = 50

CHECKOUT_SLOW = Alert("checkout-slow", "checkout", "Checkout takes 4.2 s at p95")
CHECKOUT_ERRORS = Alert("checkout-errors", "checkout", "3 % of payments fail", "error")
REPLICATION = Alert("replication-lag", "database", "db2 is 90 s behind db1", "error")
MEMORY = Alert("HighMemory", "default", "web3 has 2 % of its memory left", "warning")
CERTIFICATE = Alert("CertExpires", "default", "The certificate of www ends in 3 days", "warning")
BACKUP = Alert("backup", "default", "The nightly backup did not finish", "error")


def four_doors(stage: Stage) -> None:
    """Alerts come in through every door and are delivered."""
    stage.scene(
        "Four ways in",
        "Somebody at a shell, a Celery producer, a client of the Events API and Alertmanager raise alerts. "
        "Whichever door is taken, people must be called.",
    )
    stage.send(stage.shell, BACKUP)
    stage.send(stage.celery, CHECKOUT_SLOW, CHECKOUT_ERRORS)
    stage.send(stage.http, REPLICATION)
    stage.send(stage.alertmanager, MEMORY, CERTIFICATE)
    stage.settle()


def burst(stage: Stage) -> None:
    """One alert fifty times over pages once."""
    stage.scene(
        "A burst of duplicates",
        f"A flapping check raises the same alert {BURST} times. People should be called once, and still no event may "
        "disappear: each of the others is merged into the first, and the ledger says so.",
    )
    alert = Alert("disk-full", "database", "The disk of db1 is full")
    stage.send(stage.http, *[alert] * BURST, fates=("delivered", "merged"))
    stage.settle()
    merged = [event for event in stage.ledger.events if event.key == alert.name and event.fate == "merged"]
    stage.say("ledger", f"{alert.name}: {len(merged)} merged into the first as {merged[0].steps[-1].reason}")
    taken = [request for request in stage.sandbox.requests() if request.key == alert.name]
    stage.say("pagerduty", f"requests about {alert.name} in its log: {len(taken)}", Level.GOOD)


def outage(stage: Stage) -> None:
    """PagerDuty fails; alerts are accepted all the same and delivered afterwards."""
    stage.scene(
        "PagerDuty is out",
        f"For {OUTAGE_SECONDS} seconds PagerDuty answers every request with 503. Senders must not notice: their alerts "
        "are accepted, kept as rows in Redis, and tried again until PagerDuty is back.",
    )
    stage.sandbox.fault(kind="outage", status=503, seconds=OUTAGE_SECONDS)
    began = time.monotonic()
    stage.send(stage.celery, Alert("cart-errors", "checkout", "Carts cannot be saved"))
    stage.send(stage.http, Alert("slow-queries", "database", "Queries wait 12 s for a lock", "error"))
    stage.send(stage.alertmanager, Alert("TargetDown", "default", "web7 does not answer"))
    stage.wait_for(stage.sandbox.is_well, "the end of the outage")
    refused = sum(request.fault == "outage" for request in stage.sandbox.requests())
    stage.say("pagerduty", f"is back after {span(time.monotonic() - began)}; {refused} requests had failed")
    stage.settle()


def kill(stage: Stage) -> None:
    """A worker dies with an alert in its hands."""
    stage.scene(
        "kill -9 in mid-delivery",
        "PagerDuty has a request and has not answered when the worker is killed. Nobody knows whether it counted, so "
        "it must be sent again: once the dead worker's lease on it ends. The dedup key keeps that one incident.",
    )
    alert = Alert("payment-queue", "checkout", "12,000 payments wait")
    stage.sandbox.fault(kind="slow", delay_seconds=10, count=1)
    stage.send(stage.celery, alert)
    stage.wait_for(lambda: _is_in_flight(stage, alert.name), f"{alert.name} arrives at PagerDuty")
    stage.say("pagerduty", f"has received {alert.name} and takes its time to answer")
    stage.say("you", f"kill -9 {stage.group.pid('delivery')}   (the delivery worker)", Level.WARNING)
    stage.group.send_signal("delivery", signal.SIGKILL)
    stage.in_flight.append(alert.name)
    stage.send(stage.alertmanager, Alert("QueueGrows", "default", "The mail queue grows", "warning"))
    blip = Alert("blip", "database", "db1 does not answer")
    stage.send(stage.http, blip, fates=("suppressed",))
    stage.send(stage.http, blip.resolve(), fates=("suppressed",))
    stage.settle()
    outcomes = [request.outcome for request in stage.sandbox.requests() if request.key == alert.name]
    made = ", then ".join(outcomes)
    stage.say("pagerduty", f"{alert.name} arrived {len(outcomes)} times; its incident was {made}", Level.GOOD)


def mistake(stage: Stage) -> None:
    """An alert nobody can be called for."""
    stage.scene(
        "A mistake, made on purpose",
        "One alert names a service that does not exist. It must not vanish: it becomes a dead letter that says how to "
        "mend it and can be replayed.",
    )
    stage.send(stage.celery, Alert("typo", "chekout", "Somebody misspelt the service"), fates=("dead",))
    stage.settle()


def all_clear(stage: Stage) -> None:
    """What was raised through each door is resolved through it."""
    stage.scene("All clear", "Each sender reports that its trouble is over. PagerDuty closes the incidents.")
    stage.send(stage.shell, BACKUP.resolve())
    stage.send(stage.celery, CHECKOUT_SLOW.resolve(), CHECKOUT_ERRORS.resolve())
    stage.send(stage.http, REPLICATION.resolve())
    stage.send(stage.alertmanager, MEMORY.resolve())
    stage.settle()


SCENES: Final[tuple[Callable[[Stage], None], ...]] = (four_doors, burst, outage, kill, mistake, all_clear)


def _is_in_flight(stage: Stage, key: str) -> bool:
    return any(request.key == key and not request.is_answered for request in stage.sandbox.requests())
