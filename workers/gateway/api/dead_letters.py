"""What could not be delivered: look, give it another chance, or give it up; one by one, or all that a filter fits."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from tasks.notifications.letter_filter import LetterFilter
from tasks.notifications.models import DeadLetter, DeadLetterPage, LetterCount, LetterGroup
from workers.gateway.api.access import Holder, Wired, allows
from workers.gateway.api.alerts import CURSOR
from workers.gateway.api.errors import described
from workers.gateway.bodies import RefusedError

EventId = Annotated[str, Path(max_length=300, description="The event's id.")]
READS = allows("dead-letters:read")
MOST_AT_ONCE: Final = 1000  # a request must not take longer than somebody waits for it

router = APIRouter(prefix="/dead-letters", tags=["dead letters"])


class Replayed(BaseModel):
    """It is back in the inbox under its own id."""

    replayed: str = Field(description="Its id.")


class Farewell(BaseModel):
    """Why a dead letter is given up."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"comment": "host is gone"}]})

    comment: str = Field(min_length=1, max_length=1000, description="Stands in the ledger, beside the token's subject.")


Asked = Annotated[LetterFilter, Depends()]


class Groups(BaseModel):
    """Dead letters by destination and reason."""

    count: int = Field(description="All of them.")
    groups: list[LetterGroup]


class ReplayWish(BaseModel):
    """Which dead letters to replay."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"where": {"reason": "key_rejected"}, "dry_run": True}]}
    )

    where: LetterFilter = Field(description="All that fit; `{}` means every dead letter.")
    dry_run: bool = Field(default=False, description="Count only.")


class PurgeWish(ReplayWish):
    """Which dead letters to give up, and why."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"where": {}, "older_than_seconds": 2592000, "comment": "a month old"}]},
    )

    older_than_seconds: float = Field(ge=0, le=1e9, description="Only those that died so long ago.")
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
    where: Asked,
    *,
    limit: Annotated[int, Query(ge=1, le=500, description="Most on a page.")] = 100,
    cursor: Annotated[str, Query(pattern=CURSOR, description="`next_cursor` of the page before.")] = "",
) -> DeadLetterPage:
    """Newest first, without their content."""
    return runtime.dead_letters.list(limit=limit, cursor=cursor, where=where)


@router.get(
    "/groups",
    operation_id="groupDeadLetters",
    summary="How many died of what, and where",
    responses=described(),
    dependencies=[READS],
)
def groups(runtime: Wired, where: Asked) -> Groups:
    """The largest group first; those whose alert was resolved or overtaken meanwhile are counted apart."""
    found = list(runtime.dead_letters.groups(where))
    return Groups(count=sum(group.count for group in found), groups=found)


@router.post(
    "/replay",
    operation_id="replayDeadLetters",
    summary="Give dead letters another chance",
    responses=described(),
    dependencies=[allows("dead-letters:replay")],
)
def replay_all(wish: ReplayWish, runtime: Wired) -> LetterCount:
    """Oldest first, 1,000 in a request; `more` says that there are others: ask again. Mend first what killed them."""
    return runtime.letter_care.replay_all(wish.where, dry_run=wish.dry_run, most=_most(wish))


@router.post(
    "/purge",
    operation_id="purgeDeadLetters",
    summary="Give up old dead letters for good",
    responses=described(),
    dependencies=[allows("dead-letters:drop")],
)
def purge(wish: PurgeWish, runtime: Wired, holder: Holder) -> LetterCount:
    """Oldest first, 1,000 in a request. Their stories end as suppressed by the rule `dropped`, with who and why in the ledger."""
    words, span = (holder.subject, wish.comment), timedelta(seconds=wish.older_than_seconds)
    return runtime.letter_care.purge(wish.where, span, words, dry_run=wish.dry_run, most=_most(wish))


def _most(wish: ReplayWish) -> int | None:
    """A count goes through all of them: it is quick."""
    return None if wish.dry_run else MOST_AT_ONCE


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
    report = runtime.letter_care.replay([id])
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
