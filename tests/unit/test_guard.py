"""Which addresses messages may go to."""

from __future__ import annotations

import socket
from typing import Any

import httpcore
import pytest

from tasks.notifications.channels.guard import Guard, PrivateAddressError, is_public
from tasks.utils.deadline import Deadline, _Backend

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",  # carriers' own; Alibaba's metadata live there
    "169.254.169.254",  # metadata of most clouds
    "168.63.129.16",  # Azure's
    "192.0.0.192",  # Oracle's
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo for 127.0.0.1
]
PUBLIC = ["8.8.8.8", "93.184.215.14", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]


def resolving(*addresses: str) -> tuple[Guard, list[str]]:
    """A guard to whom every name leads to these addresses, and the names it was asked for."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return Guard(resolve), asked


@pytest.mark.parametrize("address", PRIVATE)
def test_what_only_this_machine_or_network_can_reach_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_everybody_can_reach_is_public(address: str) -> None:
    assert is_public(address)


def test_a_name_with_one_private_address_among_others_is_refused_without_being_named() -> None:
    guard, _ = resolving("8.8.8.8", "10.0.0.1")

    with pytest.raises(PrivateAddressError) as caught:
        guard.addresses("hooks.example", 443)

    assert "allow_private" in str(caught.value)
    assert "hooks.example" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "::1", "0"])
def test_every_spelling_of_this_machine_is_seen_through(host: str) -> None:
    with pytest.raises(PrivateAddressError):
        Guard().addresses(host, 443)


class Dialled(httpcore.SyncBackend):
    """Notes what it is asked to connect to, and connects to nothing."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    def connect_tcp(self, host: str, *_: Any, **__: Any) -> httpcore.NetworkStream:
        self.hosts.append(host)
        raise httpcore.ConnectError("nobody there")


def test_the_address_that_was_checked_is_the_one_that_is_dialled_and_the_name_is_asked_for_once() -> None:
    guard, asked = resolving("8.8.8.8", "2606:4700:4700::1111")
    inner = Dialled()

    with pytest.raises(httpcore.ConnectError):
        _Backend(Deadline(), guard, inner).connect_tcp("rebinding.example", 443)

    assert asked == ["rebinding.example"]
    assert inner.hosts == ["8.8.8.8", "2606:4700:4700::1111"]


def test_a_name_that_nobody_knows_is_a_network_error() -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(httpcore.ConnectError):
        _Backend(Deadline(), Guard(resolve), Dialled()).connect_tcp("nowhere.example", 443)
