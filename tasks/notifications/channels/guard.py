"""Keeps messages to addresses that anybody may write into a file from reaching what only this network can reach."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any, Final

from tasks.utils.error_handler import PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PROVIDERS: Final = (
    ipaddress.ip_network("168.63.129.16/32"),
    ipaddress.ip_network("192.0.0.0/24"),
)  # Azure's own, Oracle's
NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
UNICAST: Final = ipaddress.ip_network("2000::/3")  # all of IPv6 that is given to anybody


class PrivateAddressError(PermanentError):
    """The host is, or its name leads to, an address of this machine or this network."""


class Guard:
    """Resolves host names to public addresses only. `resolve` is `socket.getaddrinfo` or something like it."""

    def __init__(self, resolve: Callable[..., list[Any]] = socket.getaddrinfo) -> None:
        self._resolve = resolve

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, each checked; whoever connects must not resolve the name once more.

        PrivateAddressError where one of them is not public, OSError where the name is not known, UnicodeError where it cannot be one.
        """
        found = self._resolve(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(address[0]) for *_, address in found))
        if not all(is_public(address) for address in addresses):
            raise PrivateAddressError("the address is not public; `allow_private: true` in the channel allows it")
        return addresses


def is_public(text: str) -> bool:
    """Whether an IP address can be reached from everywhere and belongs to this machine or this network nowhere."""
    address = _innermost(ipaddress.ip_address(text))
    if isinstance(address, ipaddress.IPv6Address):
        return address in UNICAST and address.is_global
    return address.is_global and not address.is_multicast and not any(address in network for network in PROVIDERS)


def _innermost(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
