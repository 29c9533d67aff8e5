import textwrap
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final, Self

import httpx

from deploy.local.demo.alert import Accepted, Alert, Fate, StoryError
from deploy.local.demo.ledger import Ledger
from deploy.local.demo.sandbox import Sandbox
from deploy.local.demo.senders import Alertmanager, CeleryProducer, EventsClient, Sender, Shell
from deploy.local.demo.words import told
from deploy.local.terminal import Level
from deploy.local.up import Running

PATIENCE_SECONDS: Final = 25.0
LOOK_EVERY: Final = 0.02
TEXT_WIDTH: Final = 96


class Stage:
    """What the scenes play on: the senders, the witnesses, the processes; it keeps the senders' list."""

    def __init__(self, running: Running) -> None:
        self.settings = running.settings
        self.group = running.group
        self.accepted: list[Accepted] = []
        self.in_flight: list[str] = []
        self._terminal = running.terminal
        self._open = ExitStack()
        self._scenes = 0
        self._connect(running)

    def _connect(self, running: Running) -> None:
        plan, settings = running.plan, running.settings
        if plan.sandbox_url is None:
            raise StoryError("the demo is told on the sandbox only")
        keys = {name: one.ingest_keys[0].get_secret_value() for name, one in settings.services.items()}
        gateway = self._open.enter_context(httpx.Client(base_url=plan.gateway_url, timeout=10))
        pagerduty = self._open.enter_context(httpx.Client(base_url=plan.sandbox_url, timeout=10))
        self.celery = CeleryProducer(plan.redis_url, settings.redis.prefix)
        self._open.callback(self.celery.close)
        self.http = EventsClient(gateway, keys)
        self.alertmanager = Alertmanager(gateway, keys)
        self.shell = Shell(plan.environment)
        self.sandbox = Sandbox(pagerduty)
        self.ledger = Ledger(plan.redis_url, settings.redis.prefix)
        self._open.callback(self.ledger.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def scene(self, title: str, text: str) -> None:
        """Begin a scene: what happens now, and why it matters."""
        self._scenes += 1
        self.tell(f"{self._scenes}  {title}", text)

    def tell(self, title: str, text: str) -> None:
        """A heading and a few plain sentences."""
        self._terminal.show()
        self._terminal.show(self._terminal.bold(f"  {title}"))
        self._terminal.show(textwrap.fill(text, TEXT_WIDTH, initial_indent="  ", subsequent_indent="  "))
        self._terminal.show()

    def say(self, who: str, what: str, level: Level = Level.PLAIN) -> None:
        """One line about something that has happened."""
        self._terminal.say(who, what, level)

    def send(self, sender: Sender, *alerts: Alert, fates: Sequence[Fate] = ("delivered",)) -> None:
        """Hand alerts over and note what must become of them: `fates`, the last one of all further alerts."""
        receipt = sender.send(alerts)
        self.say(sender.who, receipt.words)
        for number, (alert, key) in enumerate(zip(alerts, receipt.keys, strict=True)):
            fate = fates[min(number, len(fates) - 1)]
            self.accepted.append(Accepted(alert, key, sender.name, fate))

    def settle(self) -> None:
        """Follow the ledger until every alert's story has ended. Raises StoryError when one does not end."""
        names = {one.key: one.alert.name for one in self.accepted}
        for event, step in self.ledger.follow(self._is_settled, PATIENCE_SECONDS):
            for line in told(names.get(event.key, event.key), event, step):
                self.say("ledger", line, Level.GOOD)
        if not self._is_settled():
            left = Counter(one.key for one in self.accepted) - Counter(e.key for e in self.ledger.events if e.end)
            raise StoryError(f"no end after {PATIENCE_SECONDS:g} s: {', '.join(names[key] for key in left)}")

    def wait_for(self, claim: Callable[[], bool], what: str) -> None:
        """Return once the claim is true. Raises StoryError when it never is."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not claim():
            if time.monotonic() > deadline:
                raise StoryError(f"{what}: not after {PATIENCE_SECONDS:g} s")
            time.sleep(LOOK_EVERY)

    def _is_settled(self) -> bool:
        return sum(event.end is not None for event in self.ledger.events) >= len(self.accepted)
