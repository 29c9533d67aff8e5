"""What the verbs of the control API share: reading a request, and saying why it cannot be met."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from deploy.sandbox.call import Call

Verbs: TypeAlias = Mapping[tuple[str, str], Callable[["Call"], object]]


class ControlError(Exception):
    """The control request cannot be met; the message says what to do instead."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Body(BaseModel):
    """The body of a control request: unknown fields are slips, not extensions."""

    model_config = ConfigDict(extra="forbid")


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], call: Call) -> Model:
    """The body as this model."""
    try:
        return model.model_validate(json.loads(call.body or b"{}"))
    except ValidationError as error:
        raise ControlError(400, explain(error)) from None
    except (ValueError, RecursionError):
        raise ControlError(400, "the body must be JSON") from None


def explain(error: ValidationError) -> str:
    """What is wrong with a document, field by field, without repeating its values."""
    return "; ".join(
        ".".join(str(part) for part in one["loc"]) + (": " if one["loc"] else "") + one["msg"]
        for one in error.errors(include_url=False, include_input=False)
    )


def number(call: Call, name: str, default: int) -> int:
    """A query parameter that is a whole number."""
    raw = call.parameters().get(name, (str(default),))[0]
    if not raw.isdecimal():
        raise ControlError(400, f"{name} must be a whole number")
    return int(raw)


def last(call: Call) -> str:
    """The last part of the path."""
    return call.path.rpartition("/")[2]
