"""What could not be delivered: look, give it another chance, or give it up."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from tasks.notifications.models import DeadLetter, DeadLetterPage
from workers.gateway.api.access import Holder, Wired, allows
from workers.gateway.api.alerts import CURSOR
from workers.gateway.api.errors import described
from workers.gateway.bodies import RefusedError

EventId = Annotated[str, Path(max_length=300, description="The event's id.")]
READS = allows("dead-letters:read")

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])


class Replayed(BaseModel):
    """It is back in the inbox under its own id."""

    replayed: str = Field(description="Its id.")


class Farewell(BaseModel):
    """Why a dead letter is given up."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"comment": "host is gone"}]})

    comment: str = Field(min_length=1, max_length=1000, description="Stands in the ledger, beside the token's subject.")


@router.get(
    "",
    operation_id="listDeadLetters",
    summary="The dead letters there are",
    responses=described(),
    dependencies=[READS],
)
def list_all(
    runtime: Wired,
    *,
    limit: Annotated[int, Query(ge=1, le=500, description="Most on a page.")] = 100,
    cursor: Annotated[str, Query(pattern=CURSOR, description="`next_cursor` of the page before.")] = "",
) -> DeadLetterPage:
    """Newest first, without their content."""
    return runtime.dead_letters.list(limit=limit, cursor=cursor)


@router.get(
    "/{id}", operation_id="getDeadLetter", summary="One dead letter", responses=described(404), dependencies=[READS]
)
def get(id: EventId, runtime: Wired) -> DeadLetter:  # noqa: A002 - its name in the path
    """With the alert itself."""
    return runtime.dead_letters.get(id)


@router.post(
    "/{id}/replay",
    status_code=202,
    operation_id="replayDeadLetter",
    summary="Give a dead letter another chance",
    responses=described(404, 409),
    dependencies=[allows("dead-letters:replay")],
)
def replay(id: EventId, runtime: Wired) -> Replayed:  # noqa: A002
    """Mend first what killed it. A trigger whose resolve came since is not sent any more: 409 says so."""
    runtime.dead_letters.get(id)
    report = runtime.delivery.replay([id])
    if id in report.refused:
        raise RefusedError(409, [f"{id} {report.refused[id]}"])
    return Replayed(replayed=id)


@router.post(
    "/{id}/drop",
    status_code=204,
    operation_id="dropDeadLetter",
    summary="Give a dead letter up for good",
    responses=described(404),
    dependencies=[allows("dead-letters:drop")],
)
def drop(id: EventId, farewell: Farewell, runtime: Wired, holder: Holder) -> None:  # noqa: A002
    """Its story then ends as suppressed by the rule `dropped`, with who and why in the ledger."""
    runtime.dead_letters.drop(id, holder.subject, farewell.comment)
