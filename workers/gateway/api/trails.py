"""What became of an event, step by step."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from tasks.audit.models import Step
from tasks.utils.error_handler import UnknownError
from workers.gateway.api.access import Wired, allows
from workers.gateway.api.errors import described

EventId = Annotated[str, Path(max_length=300, description="The id that was answered when the event was taken in.")]

router = APIRouter(prefix="/trails", tags=["trails"])


class Trail(BaseModel):
    """The story of one event."""

    id: str
    steps: list[Step] = Field(description="Oldest first.")


@router.get(
    "/{id}",
    operation_id="getTrail",
    summary="The story of one event, from the ledger",
    responses=described(404),
    dependencies=[allows("trails:read")],
)
def get(id: EventId, runtime: Wired) -> Trail:  # noqa: A002 - its name in the path
    """Every step with its time, for as long as the archive goes back."""
    steps = runtime.audit.story(id)
    if not steps:
        raise UnknownError(
            f"the ledger knows no event {id!r}; ids are answered by POST /alerts and listed by `tocsin alerts list`"
        )
    return Trail(id=id, steps=steps)
