"""Webhook subscriptions as an account file has them: as the REST API shows them, with their secret."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Header(BaseModel):
    """A header of its own that goes with every webhook."""

    model_config = ConfigDict(extra="forbid")

    name: str
    value: str


class MethodDocument(BaseModel):
    """Where webhooks go, and what they are signed with."""

    model_config = ConfigDict(extra="forbid")

    id: str = "PSANDBX"
    type: Literal["http_delivery_method"] = "http_delivery_method"
    url: str = Field(pattern="^https?://")
    secret: str = Field(min_length=1)
    other_secrets: list[str] = []
    temporarily_disabled: bool = False
    custom_headers: list[Header] = []


class FilterDocument(BaseModel):
    """What a subscription is about."""

    model_config = ConfigDict(extra="forbid")

    type: Literal["account_reference", "service_reference", "team_reference"] = "account_reference"
    id: str | None = None


class SubscriptionDocument(BaseModel):
    """One subscription."""

    model_config = ConfigDict(extra="forbid")

    id: str = ""
    type: Literal["webhook_subscription"] = "webhook_subscription"
    active: bool = True
    description: str = ""
    events: Annotated[list[str], Field(min_length=1)]
    filter: FilterDocument = FilterDocument()
    delivery_method: MethodDocument

    def to_entity(self) -> dict[str, Any]:
        """The subscription as the store keeps it."""
        return self.model_dump(exclude_none=True)
