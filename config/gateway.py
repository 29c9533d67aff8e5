"""The section of the HTTP entrance."""

from pathlib import Path

from pydantic import Field, model_validator

from config.errors import UnfitError
from config.section import Section
from config.sections import SECOND
from config.values import Port, PositiveDuration


class Gateway(Section):
    """The HTTP entrance."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: Port = Field(8080, description="Port to listen on; 0 takes a free one.")
    tls_cert_file: Path | None = Field(
        None,
        description="Certificate and those it rests on, in one PEM file: the gateway then speaks https only. "
        "A renewed file is taken up by itself.",
    )
    tls_key_file: Path | None = Field(None, description="The certificate's private key: PEM, without a password.")
    read_timeout: PositiveDuration = Field(
        10 * SECOND, description="Longest time a request's headers may take to arrive, and its body as long again."
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> "Gateway":
        given = {"tls_cert_file": self.tls_cert_file, "tls_key_file": self.tls_key_file}
        missing = [name for name, file in given.items() if file is None]
        if len(missing) == 1:
            raise UnfitError(
                f"a certificate and its key go together, but gateway.{missing[0]} is not set",
                f"set gateway.{missing[0]}, or neither",
            )
        return self
