"""Who did what, over the API; looking at it is on record by the log-in of whoever looks."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, Field

from tasks.audit.act_filter import filter_of
from tasks.audit.act_models import ActView
from workers.gateway.api.access import Wired, allows
from workers.gateway.api.alerts import EARLIEST, LATEST
from workers.gateway.api.errors import described

MOST: Final = 1000
Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]
Pattern = Annotated[str, Query(max_length=200)]

router = APIRouter(prefix="/acts", tags=["acts"])


class Acts(BaseModel):
    """The newest acts that fit."""

    acts: list[ActView] = Field(description="Oldest first.")


@router.get(
    "",
    operation_id="listActs",
    summary="Who did what to which object from where, and what came of it",
    responses=described(),
    dependencies=[allows("audit:read")],
)
def list_all(  # noqa: PLR0913 - one for each filter
    runtime: Wired,
    *,
    since: Annotated[Moment | None, Query(description="Over since then; else the whole record is read.")] = None,
    until: Annotated[Moment | None, Query(description="Over by then.")] = None,
    actor: Annotated[Pattern, Query(description="A pattern such as anna or token/*.")] = "",
    action: Annotated[Pattern, Query(description="A pattern such as silences.*.")] = "",
    object: Annotated[Pattern, Query(description="A pattern such as silence/*.")] = "",  # noqa: A002 - its name in the query
    outcome: Annotated[Literal["ok", "failed", "denied", "begun"] | None, Query()] = None,
    with_pagerduty: Annotated[bool, Query(description="PagerDuty's own audit records as well.")] = False,
    limit: Annotated[int, Query(ge=1, le=MOST, description="The newest so many.")] = 100,
) -> Acts:
    """As far as this gateway's machine has the archive, and what is not archived yet. All of it: `tocsin audit export`."""
    wanted = filter_of(since, until, outcome or "", actor=actor, action=action, object=object)
    return Acts(acts=runtime.act_archive.last(limit, wanted, with_pagerduty=with_pagerduty))
