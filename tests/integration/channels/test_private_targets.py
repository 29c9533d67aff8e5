"""Channels whose address stands in a service file reach nothing that only this machine or network can reach."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from tasks.notifications.channels.guard import Guard
from tests.integration.channels.http_kit import FOR_PEOPLE, KINDS, PATIENT
from tests.integration.channels.wire_kit import Listener, answer, listening
from tests.tls import Authority, client_trust, serve_tls

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tasks.utils.rows import Outcome
    from tests.integration.channels.http_kit import Kind

    Send = Callable[..., Outcome]

of_people = pytest.mark.parametrize("kind", FOR_PEOPLE, ids=str)


def pointing_to(*addresses: str) -> Callable[..., list[Any]]:
    """A name service by which every name leads to these addresses."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        del host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


@of_people
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "127.1", "2130706433", "0.0.0.0", "0"])
def test_this_machine_is_refused_by_name_however_it_is_written(send: Send, kind: Kind, host: str) -> None:
    listener = Listener(answer(200))
    with listening(listener) as (_, port):
        outcome = send(kind, kind.message(f"http://{host}:{port}", allow_private=False), attempts=3)

    assert (outcome.verb, outcome.reason, outcome.delay_ms, outcome.unclear) == ("refused", "private_address", 0, False)
    assert listener.requests == []


@of_people
@pytest.mark.parametrize(
    "host", ["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1"]
)
def test_private_addresses_are_refused_before_anybody_is_called(send: Send, kind: Kind, host: str) -> None:
    outcome = send(kind, kind.message(f"http://{host}:1", allow_private=False))

    assert (outcome.verb, outcome.reason) == ("refused", "private_address")


@of_people
@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("8.8.8.8", "127.0.0.1"), ("::ffff:127.0.0.1",)])
def test_a_name_that_leads_to_a_private_address_is_refused(send: Send, kind: Kind, addresses: tuple[str, ...]) -> None:
    listener = Listener(answer(200))
    with listening(listener) as (_, port):
        message = kind.message(f"http://hooks.example:{port}", allow_private=False)
        outcome = send(kind, message, guard=Guard(pointing_to(*addresses)))

    assert (outcome.verb, outcome.reason) == ("refused", "private_address")
    assert listener.requests == []


@of_people
def test_a_private_address_that_is_allowed_is_reached(send: Send, kind: Kind) -> None:
    listener = Listener(answer(200))
    with listening(listener) as (_, port):
        outcome = send(kind, kind.message(f"http://localhost:{port}"))

    assert outcome.verb == "sent"
    assert len(listener.requests) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.is_guarded], ids=str)
def test_pagerdutys_address_is_the_operators_and_may_be_private(send: Send, kind: Kind) -> None:
    with listening(Listener(answer(202))) as (host, port):
        assert send(kind, kind.message(f"http://{host}:{port}", allow_private=False)).verb == "sent"


@of_people
@pytest.mark.parametrize("host", ["nobody.invalid", "a..b", "x" * 70, "xn--a", "ü.example"])
def test_a_name_that_leads_nowhere_is_an_outcome_and_no_crash(send: Send, kind: Kind, host: str) -> None:
    for allow_private in (True, False):
        outcome = send(kind, kind.message(f"https://{host}", allow_private=allow_private))

        assert (outcome.verb, outcome.unclear) in (("retry", False), ("refused", False))


class Leading(Guard):
    """Lets everything pass, and leads to this machine, as a public address would lead to its own."""

    def addresses(self, host: str, port: int) -> list[str]:
        del host, port
        return ["127.0.0.1"]


@of_people
def test_the_certificate_is_checked_against_the_name_although_the_address_is_dialled(
    send: Send, kind: Kind, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    listener = Listener(answer(200))
    right, wrong = authority.issue("hooks.example", name="right"), authority.issue("other.example", name="wrong")
    trust, made = client_trust(authority), []
    for issued in (right, wrong):
        with listening(serve_tls(issued, listener)) as (_, port):
            message = kind.message(f"https://hooks.example:{port}", allow_private=False)
            made.append(send(kind, message, guard=Leading(), trust=trust, deadline=PATIENT))

    assert [(outcome.verb, outcome.reason) for outcome in made] == [("sent", ""), ("retry", "network:ConnectError")]
    assert len(listener.requests) == 1
