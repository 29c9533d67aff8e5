"""Whether a server that speaks TLS is there, as a probe asks: without a certificate of its own, and trusting nobody."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from tests.tls import Authority
from workers.probe import answers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def server(folder: Path, *, wants_certificate: bool, says: bytes = b"+PONG\r\n") -> Iterator[str]:
    """A server on a certificate that nobody trusts; its address as a heartbeat has it."""
    authority = Authority(folder)
    issued = authority.issue("127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.cert, issued.key)
    if wants_certificate:
        context.load_verify_locations(authority.file)
        context.verify_mode = ssl.CERT_REQUIRED

    def serve(listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as link:
            link.recv(64)
            link.sendall(says)
            link.recv(64)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"tls 127.0.0.1 {listener.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("wants_certificate", [False, True])
def test_it_is_there_also_where_it_wants_to_see_a_certificate_first(tmp_path: Path, *, wants_certificate: bool) -> None:
    with server(tmp_path, wants_certificate=wants_certificate) as address:
        assert answers(address)


def test_one_that_still_reads_its_file_is_not_there_yet(tmp_path: Path) -> None:
    with server(
        tmp_path, wants_certificate=False, says=b"-LOADING Redis is loading the dataset in memory\r\n"
    ) as address:
        assert not answers(address)


def test_nobody_is_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"tls 127.0.0.1 {listener.getsockname()[1]}"

    assert not answers(address)
