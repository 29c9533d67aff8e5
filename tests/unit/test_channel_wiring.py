"""What the settings make of a channel: where it leads, the name of its key, and an object only when one is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.channels import KINDS
from config.pagerduty import PagerDuty
from tasks.notifications.channels.makers import makers
from tasks.notifications.channels.protocol import Message
from tasks.notifications.wiring import Lazy, address_of, channels_of, routes_of
from tasks.utils.identifiers import key_id
from tasks.utils.rows import Outcome
from tests.unit.config_kit import KEY, OTHER_KEY, Folder
from tests.unit.test_config_channels import ALL, MAIL, SECRET, SLACK

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.notifications.channels.protocol import Address


def addresses(tmp_path: Path) -> dict[str, Address]:
    """The addresses of a service with channels of every kind, by kind."""
    folder = Folder(tmp_path)
    folder.write("services/shop.yaml", ALL.replace(KEY, OTHER_KEY))  # KEY is that of an event orchestration
    channels = folder.load(MAIL).services["shop"].channels
    return {channel.kind: address_of(channel, PagerDuty()) for channel in channels}


def test_every_kind_has_an_address_with_its_key_under_a_name_that_gives_nothing_away(tmp_path: Path) -> None:
    found = addresses(tmp_path)

    assert found["pagerduty"].url == "https://events.pagerduty.com/v2/enqueue"
    assert found["pagerduty"].keys == {key_id(OTHER_KEY): OTHER_KEY}
    assert found["slack"].keys == {key_id(SLACK): SLACK}
    assert found["webhook"].url == "https://a.example/in"
    assert found["webhook"].keys == {key_id(f"{SECRET}https://a.example/in"): SECRET}
    assert found["email"].current_key_id == key_id("ops@a.example boss@a.example")
    assert found["email"].options["to"] == ("ops@a.example",)
    assert (found["slack"].options["locale"], found["slack"].options["template"]) == ("fr", "short.j2")
    assert (found["slack"].options["allow_private"], found["webhook"].options["allow_private"]) == (False, True)


def test_no_secret_is_in_the_text_of_an_address_or_a_message(tmp_path: Path) -> None:
    for address in addresses(tmp_path).values():
        message = Message({}, address.url, address.key(address.current_key_id), options=address.options)

        assert SECRET not in repr(address) + repr(message)
        assert OTHER_KEY not in repr(address) + repr(message)


def test_only_pagerduty_takes_change_events_and_events_as_they_stand(tmp_path: Path) -> None:
    found = addresses(tmp_path)

    assert [kind for kind, address in found.items() if address.takes_changes] == ["pagerduty"]
    assert [kind for kind, address in found.items() if not address.takes_words] == ["pagerduty", "pagerduty_incident"]


def test_every_kind_that_can_be_configured_can_be_made_and_closed(tmp_path: Path) -> None:
    settings = Folder(tmp_path).load(MAIL)

    assert set(makers()) == set(channels_of(settings)) == set(KINDS)
    for make in makers().values():
        make(settings).close()


def test_every_destination_of_a_service_has_its_way_out(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write(
        "services/shop.yaml", f"team: web\n{ALL}routes:\n  - {{name: b, severity: [info], channels: [chat]}}\n"
    )

    routes = routes_of(folder.load(MAIL), lambda service: service.name)

    assert set(routes) == {"default", "shop", "shop/chat"}
    assert [address.channel for address in routes["shop"].addresses] == [
        "page",
        "incident",
        "chat",
        "cards",
        "post",
        "hook",
    ]
    assert [address.channel for address in routes["shop/chat"].idle] == ["page", "incident", "cards", "post", "hook"]
    assert (routes["shop"].owner, routes["shop"].news, routes["shop"].deadlines_ms["critical"]) == (
        "web",
        "shop",
        60_000,
    )


class Made:
    """Counts what is done with it."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def send(self, message: Message) -> Outcome:
        self.done.append(message.id)
        return Outcome("sent")

    def close(self) -> None:
        self.done.append("closed")


def test_a_channel_is_made_once_when_it_is_first_sent_by() -> None:
    made: list[Made] = []

    def make() -> Made:
        made.append(Made())
        return made[-1]

    Lazy(make).close()
    assert made == []

    lazy = Lazy(make)
    for number in ("1", "2"):
        assert lazy.send(Message({}, "", "", id=number)).verb == "sent"
    lazy.close()

    assert [one.done for one in made] == [["1", "2", "closed"]]
