"""How mails are sent."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from config.errors import UnfitError
from config.section import Section
from config.sections import SECOND
from config.values import EmailAddress, Port, PositiveDuration

IMPLICIT_TLS = 465
HERE = ("localhost", "127.0.0.1", "::1")


class Email(Section):
    """The mail server that channels of kind `email` send by."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]+$")] | None = Field(
        None, description="Name of the server (SMTP submission); without it there are no mails."
    )
    port: Port = Field(587, description="Its port.")
    username: str | None = Field(None, description="Name to log in with; without it nobody logs in.")
    password: SecretStr | None = Field(None, description="Password to log in with.")
    sender: EmailAddress | None = Field(None, alias="from", description="Address that mails come from.")
    starttls: Literal["required", "never"] = Field(
        "required", description="Encrypt and check the server's certificate, or send in the clear."
    )
    ca_file: Path | None = Field(
        None, description="PEM file of the authorities to trust in place of the system's, for a server of your own."
    )
    timeout: PositiveDuration = Field(
        10 * SECOND, description="Longest time for one mail, all in all; where `delivery.deadline` is shorter, that."
    )

    @model_validator(mode="after")
    def _is_whole(self) -> "Email":
        if self.host and not self.sender:
            raise UnfitError("names a host but no sender", "set email.from to the address that mails come from")
        if (self.username is None) != (self.password is None):
            raise UnfitError("has one of username and password only", "set both, or neither")
        if self.port == IMPLICIT_TLS and self.starttls == "required":
            raise UnfitError("port 465 speaks TLS from the first byte, which is not STARTTLS", "write port: 587")
        if self.password and self.starttls == "never" and self.host not in HERE:
            raise UnfitError("the password would travel in the clear", "write starttls: required")
        return self
