"""Alerts on their way to people: wired from a service file as in production, to the sandbox's hooks and a real mail server."""

from __future__ import annotations

from datetime import timedelta
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from config.settings import load
from tasks.runtime import Runtime
from tasks.webhooks.models import Observation
from tests.acceptance.routed import follow, send, trigger
from tests.integration.channels.mail_kit import SENDER, Postbox, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from deploy.local.embedded import Server as Redis
    from tasks.utils.clock import MovableClock
    from tests.conftest import Sandbox

    Wire = Callable[..., Runtime]

SECOND = timedelta(seconds=1)
KEY = "sandboxpeople".ljust(32, "0")
CHAT = "{{name: chat, kind: slack, webhook_url: '{hooks}/chat', allow_private: true}}"
CARDS = "{{name: cards, kind: teams, webhook_url: '{hooks}/cards', allow_private: true, locale: fr}}"
HOOK = "{{name: hook, kind: webhook, url: '{hooks}/hook', secret: 0123456789abcdef, allow_private: true}}"
MAIL = "{{name: mail, kind: email, to: [ops@a.example]}}"
PAGE = f"{{{{name: page, routing_key: {KEY}}}}}"


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, int]]:
    box = Postbox()
    server = Server(box)
    server.start()
    yield box, server.port
    server.stop()


@pytest.fixture
def wire(client: Any, server: Redis, sandbox: Sandbox, tmp_path: Path, postbox: tuple[Postbox, int]) -> Iterator[Wire]:
    """Wires service `shop` with these channels and routes."""
    sandbox.register(KEY, "people")
    environ = {
        "HOME": str(tmp_path),
        "REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path / "state"),
        "TOCSIN_PAGERDUTY__EVENTS_URL": sandbox.url,
        "TOCSIN_PAGERDUTY__RETRY_ATTEMPTS": "1",
        "TOCSIN_EMAIL__HOST": "127.0.0.1",
        "TOCSIN_EMAIL__PORT": str(postbox[1]),
        "TOCSIN_EMAIL__FROM": SENDER,
        "TOCSIN_EMAIL__STARTTLS": "never",
        "TOCSIN_DEFAULT_SERVICE": "shop",
    }
    made: list[Runtime] = []

    def wire(*channels: str, routes: str = "") -> Runtime:
        lines = "".join(f"  - {channel.format(hooks=f'{sandbox.url}/hooks')}\n" for channel in channels)
        file = tmp_path / "services" / "shop.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"channels:\n{lines}" + (f"routes:\n{dedent(routes)}" if routes else ""))
        made.append(Runtime(load(environ=environ, config_dir=tmp_path)))
        return made[-1]

    yield wire
    for runtime in made:
        runtime.delivery.close()
        runtime.errors.flush()  # else a thread writes them into another test's server
        runtime.client.close()


def posted(sandbox: Sandbox, hook: str = "") -> list[dict[str, Any]]:
    """What came to the hooks."""
    return [entry for entry in sandbox.log() if entry["path"].startswith(f"/hooks/{hook}")]


def told(runtime: Runtime, *alerts: dict[str, Any]) -> list[str]:
    """Submit, seal what is due and deliver it; the event ids."""
    ids = send(runtime, *alerts)
    runtime.delivery.digest()
    runtime.delivery.drain()
    return ids


ALL_AT_ONCE = """
  - {name: chat, channels: [chat], continue: true}
  - {name: cards, channels: [cards], continue: true}
  - {name: hook, channels: [hook], continue: true}
  - {name: mail, channels: [mail]}
"""


def test_an_alert_reaches_people_by_every_kind_of_channel_each_in_its_words(
    wire: Wire, sandbox: Sandbox, postbox: tuple[Postbox, int]
) -> None:
    runtime = wire(PAGE, CHAT, CARDS, HOOK, MAIL, routes=ALL_AT_ONCE)

    told(runtime, trigger("disk"))

    chat, cards, hook = (posted(sandbox, name)[0]["body"] for name in ("chat", "cards", "hook"))
    (mail,) = postbox[0].mails
    assert "disk is in trouble" in chat["text"]
    assert "disk is in trouble" in cards["summary"]
    assert "disk is in trouble" in hook["members"][0]["summary"]
    assert "disk is in trouble" in mail["Subject"]
    assert mail.get_body(("html",)) is not None
    assert mail["To"] == "ops@a.example"


def test_what_pagerduty_does_not_take_in_time_is_told_in_the_chat(
    wire: Wire, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = wire(PAGE, CHAT)
    sandbox.fault(kind="error", path="/v2")
    told(runtime, trigger("disk"))

    clock.advance(61 * SECOND)
    runtime.delivery.drain()
    runtime.delivery.digest()
    runtime.delivery.drain()

    (entry,) = posted(sandbox, "chat")
    assert (entry["outcome"], "disk is in trouble" in entry["summary"]) == ("posted", True)


def test_while_pagerduty_is_down_the_chat_is_told_so(wire: Wire, sandbox: Sandbox, clock: MovableClock) -> None:
    runtime = wire(PAGE, CHAT.replace("{hooks}", sandbox.url.replace("127.0.0.1", "localhost") + "/hooks"))
    sandbox.fault(kind="error", path="/v2")
    told(runtime, *(trigger(f"disk{n}") for n in range(8)))

    for seconds in (2, 61):
        clock.advance(seconds * SECOND)
        told(runtime)

    texts = [entry["body"]["text"] for entry in posted(sandbox, "chat")]
    assert "PagerDuty has not answered since " in texts[0]
    assert all(f"disk{n} is in trouble" in "".join(texts) for n in range(8))


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_hook_that_is_gone_stops_and_the_next_channel_takes_over(
    wire: Wire, sandbox: Sandbox, postbox: tuple[Postbox, int], status: int
) -> None:
    runtime = wire(CHAT, MAIL)
    sandbox.fault(kind="reject", path="/hooks/chat", status=status)

    told(runtime, trigger("disk"))
    runtime.delivery.digest()
    runtime.delivery.drain()

    assert [entry["status"] for entry in posted(sandbox)] == [status]
    assert "disk is in trouble" in postbox[0].mails[0]["Subject"]
    assert client_stops(runtime) == [runtime.routes["shop"].addresses[0].current_key_id]


def client_stops(runtime: Runtime) -> list[str]:
    """The ids of the keys that are stopped."""
    names = runtime.client.hkeys(runtime.keys.resting)
    return [name.removeprefix("stop:") for name in names if name.startswith("stop:")]


def test_a_throttled_hook_rests_as_long_as_it_asks_and_then_gets_the_same_message(
    wire: Wire, sandbox: Sandbox, clock: MovableClock
) -> None:
    runtime = wire(HOOK)
    sandbox.fault(kind="throttle", path="/hooks/hook", count=1)
    told(runtime, trigger("disk"))
    clock.advance(29 * SECOND)
    runtime.delivery.drain()
    early = len(posted(sandbox))
    clock.advance(2 * SECOND)
    runtime.delivery.drain()

    first, again = posted(sandbox, "hook")
    assert early == 1
    assert (first["status"], again["status"]) == (429, 200)
    assert first["body"] == again["body"]


def test_a_group_that_is_resolved_says_so_in_the_same_mail_thread(
    wire: Wire, postbox: tuple[Postbox, int], clock: MovableClock
) -> None:
    runtime = wire(MAIL)
    told(runtime, trigger("disk"))
    told(runtime, follow("resolve"))
    clock.advance(31 * SECOND)
    runtime.delivery.digest()
    runtime.delivery.drain()

    fired, resolved = postbox[0].mails
    assert fired["References"] == resolved["References"]
    assert fired["Message-ID"] != resolved["Message-ID"]
    assert "RESOLVED" in resolved["Subject"].upper()


def test_no_url_of_a_hook_is_in_redis(wire: Wire, sandbox: Sandbox) -> None:
    runtime = wire(CHAT, HOOK)
    sandbox.fault(kind="reject", path="/hooks", status=410)
    told(runtime, trigger("disk"))
    runtime.errors.flush()

    kept = [_dump(runtime.client, name) for name in runtime.client.scan_iter("*")]
    assert len(kept) > 5
    assert not any("/hooks/" in text or "0123456789abcdef" in text for text in kept)


def _dump(client: Any, name: str) -> str:
    reads = {
        "string": lambda: client.get(name),
        "hash": lambda: client.hgetall(name),
        "list": lambda: client.lrange(name, 0, -1),
        "zset": lambda: client.zrange(name, 0, -1),
        "set": lambda: client.smembers(name),
        "stream": lambda: client.xrange(name),
    }
    return repr(reads[client.type(name)]())


def test_people_hear_who_acknowledged_and_resolved_an_alert_in_pagerduty(
    wire: Wire, sandbox: Sandbox, clock: MovableClock
) -> None:
    routes = """
      - {name: chat, channels: [chat], continue: true}
      - {name: page, channels: [page, chat]}
    """
    runtime = wire(PAGE, CHAT, routes=routes)
    told(runtime, trigger("disk"))

    for status in ("acknowledged", "resolved"):
        clock.advance(61 * SECOND)
        at = clock.now_ms()
        url = "https://acme.pagerduty.com/incidents/PINC7"
        runtime.answers.observe(
            Observation(incident_id="PINC7", keys=("disk",), status=status, at=at, number=7, html_url=url, who="Ann")  # type: ignore[arg-type]
        )
        runtime.alerts.drain_inbox()
        runtime.delivery.digest()
        runtime.delivery.drain()

    texts = [str(entry["body"]) for entry in posted(sandbox, "chat")]
    assert ["disk is in trouble" in text for text in texts] == [True, True, True]
    assert "Acknowledged by Ann in PagerDuty" in texts[1]
    assert "Resolved by Ann in PagerDuty" in texts[2]
    assert url in texts[2]
    assert [entry["event_action"] for entry in sandbox.log() if entry["path"].startswith("/v2")] == ["trigger"]
