"""The authorities that TLS connections trust, read once in a process: it takes longer than a hundred requests."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import ssl


def authorities() -> ssl.SSLContext:
    """The public authorities, or those that SSL_CERT_FILE or SSL_CERT_DIR name. Shared by all clients: nobody may change it."""
    return _read(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@functools.cache
def _read(file: str, folder: str) -> ssl.SSLContext:  # noqa: ARG001 - httpx reads the variables; they tell which authorities these are
    return httpx.create_ssl_context()
