"""The section of the one server, and how its certificates get into the URL that every library is handed."""

from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import Field, SecretStr, model_validator

from config.errors import UnfitError
from config.section import Section
from config.values import PositiveDuration, ReadableFile, RedisUrl

DEFAULT_REDIS: Final = SecretStr("redis://127.0.0.1:6379/0")
TLS: Final = "rediss://"


def is_tls(url: SecretStr) -> bool:
    """Whether the server at this address is spoken to by TLS."""
    return url.get_secret_value().startswith(TLS)


class Redis(Section):
    """The one server that holds queues, state and results."""

    url: RedisUrl = Field(
        DEFAULT_REDIS,
        description="Address of the Redis (6.2 or later) or Valkey (7.2 or later) server, one database for everything.",
    )
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.{}-]+:$")] = Field(
        "tocsin:",
        description="What every key begins with, ending in a colon; lets several installations share a server.",
    )
    socket_timeout: PositiveDuration = Field(
        timedelta(seconds=5), description="Longest wait for an answer of the server."
    )
    connect_timeout: PositiveDuration = Field(
        timedelta(seconds=2), description="Longest wait for a connection to the server."
    )

    tls_ca_file: ReadableFile | None = Field(
        None, description="Certificates that the server's must rest on, in one PEM file. Default: those of the system."
    )
    tls_cert_file: ReadableFile | None = Field(
        None, description="Certificate shown to a server that asks for one, and those it rests on, in one PEM file."
    )
    tls_key_file: ReadableFile | None = Field(
        None, description="That certificate's private key: PEM, without a password."
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Redis":
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            missing = "tls_cert_file" if self.tls_cert_file is None else "tls_key_file"
            raise UnfitError(
                f"a certificate and its key go together, but redis.{missing} is not set",
                f"set redis.{missing}, or neither",
            )
        if (self.tls_ca_file or self.tls_cert_file) and not is_tls(self.url):
            raise UnfitError("certificates are set, but redis.url does not speak TLS", "write rediss://… in redis.url")
        return self

    @property
    def is_given(self) -> bool:
        """Whether somebody named a server, so that none needs to be started."""
        return "url" in self.model_fields_set


def with_tls(url: SecretStr, redis: Redis) -> SecretStr:
    """The address with what TLS needs, as redis-py, Celery and kombu all read it; what it says itself stays.

    The server's certificate is always checked: only somebody who writes another `ssl_cert_reqs` there gets less.
    """
    if not is_tls(url):
        return url
    parts = urlsplit(url.get_secret_value())
    files = {"ssl_ca_certs": redis.tls_ca_file, "ssl_certfile": redis.tls_cert_file, "ssl_keyfile": redis.tls_key_file}
    named = {name: str(file) for name, file in files.items() if file is not None}
    query = {"ssl_cert_reqs": "required", **named, **dict(parse_qsl(parts.query, keep_blank_values=True))}
    return SecretStr(urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/"))))
