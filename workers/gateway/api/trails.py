"""What became of an event or of an alert, step by step."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from tasks.audit.models import AlertTrail, Step
from tasks.utils.error_handler import UnknownError
from workers.gateway.api.access import Wired, allows
from workers.gateway.api.errors import described

EventId = Annotated[str, Path(max_length=300, description="The id that was answered when the event was taken in.")]

router = APIRouter(prefix="/trails", tags=["trails"])


class Trail(BaseModel):
    """The story of one event."""

    id: str
    steps: list[Step] = Field(description="Oldest first.")


class Trails(BaseModel):
    """The stories of the alerts of one dedup key."""

    trails: list[AlertTrail] = Field(description="One for each service that has an alert of that key.")


@router.get(
    "",
    operation_id="findTrails",
    summary="The story of one alert, from the ledger",
    responses=described(404),
    dependencies=[allows("trails:read")],
)
def find(
    runtime: Wired,
    dedup_key: Annotated[str, Query(min_length=1, max_length=10_000)],
    service: Annotated[str, Query(max_length=200, description="Only of this one; else of every configured one.")] = "",
) -> Trails:
    """All events of a dedup key on one time line: copies and bundles included, for as long as the archive goes back."""
    found = runtime.audit.trails(dedup_key, [service] if service else runtime.settings.services)
    if not found:
        raise UnknownError(f"the ledger knows no alert of dedup key {dedup_key!r}; GET /alerts lists those there are")
    return Trails(trails=found)


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
