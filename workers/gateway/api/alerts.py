"""Alerts over the API: raise many at once, see which there are, ask what would become of one."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from tasks.alerts.explanation import Explanation
from tasks.alerts.models import AlertView, Page, Status
from tasks.utils.error_handler import InvalidAlertError
from tasks.utils.validators import ACTIONS, SEVERITIES, CheckedAlert, check_alert
from workers.gateway.api.access import Wired, allows
from workers.gateway.api.errors import described
from workers.gateway.bodies import RefusedError, parse_json
from workers.gateway.ingest import Ingest, named, success

MOST_ALERTS: Final = 500
MOST_EXPLAINED: Final = 50
LISTED_SERVICES: Final = 20
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
CURSOR: Final = r"^(|[0-9]{1,15}\..{1,300})$"

EXAMPLE: Final[dict[str, Any]] = {
    "service": "checkout",
    "event_action": "trigger",
    "dedup_key": "db-1/disk",
    "payload": {"summary": "disk full", "source": "db-1", "severity": "critical"},
}
TEXT: Final = {"type": "string"}
PAYLOAD: Final = {
    "type": "object",
    "description": "What is wrong; a trigger needs one.",
    "required": ["summary"],
    "properties": {
        "summary": {**TEXT, "minLength": 1, "description": "In one line; cut at 1,024 characters."},
        "source": {**TEXT, "description": "What it is wrong with."},
        "severity": {**TEXT, "enum": list(SEVERITIES), "description": "Any other word becomes critical."},
        "custom_details": {"type": "object", "description": "Anything else."},
    },
}
ALERT: Final = {
    "type": "object",
    "description": "An Events v2 body with `service` in place of `routing_key`. Unknown fields are kept.",
    "required": ["event_action"],
    "properties": {
        "service": {**TEXT, "description": "A configured service; the default one if left out."},
        "event_action": {**TEXT, "enum": list(ACTIONS)},
        "dedup_key": {**TEXT, "description": "What makes two alerts the same one; made up if left out."},
        "payload": PAYLOAD,
    },
    "examples": [EXAMPLE],
}
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["alerts"],
                    "properties": {"alerts": {"type": "array", "minItems": 1, "maxItems": MOST_ALERTS, "items": ALERT}},
                    "examples": [{"alerts": [EXAMPLE]}],
                }
            }
        },
    }
}


READS = allows("alerts:read")
router = APIRouter(prefix="/alerts", tags=["alerts"])


class Accepted(BaseModel):
    """An alert that is written down: it will be delivered, merged, suppressed by a named rule, or dead-lettered."""

    status: Literal["success"]
    message: str = Field(description="Says also what was mended.", examples=["Event processed"])
    id: str = Field(description="The event's id; GET /trails/{id} tells its story.")
    dedup_key: str


class Invalid(BaseModel):
    """An alert that was not taken."""

    status: Literal["invalid event"]
    errors: list[str] = Field(description="Everything that is wrong with it.")


class SubmitAnswer(BaseModel):
    """One result for each alert, in order; one at least was accepted."""

    status: Literal["success"]
    message: str = Field(examples=["1 of 1 alerts accepted"])
    results: list[Accepted | Invalid]


class Question(BaseModel):
    """Alerts as they would be raised, and the moment to ask for."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"alerts": [EXAMPLE]}]})

    alerts: Annotated[list[Annotated[Any, WithJsonSchema(ALERT)]], Field(min_length=1, max_length=MOST_EXPLAINED)]
    at: Annotated[AwareDatetime | None, Field(ge=EARLIEST, le=LATEST, description="Left out: now.")] = None
    routes: Annotated[list[str], Field(max_length=20, description="Routes to be told of why they are not taken.")] = []


class ExplainAnswer(BaseModel):
    """One explanation for each alert, in order."""

    alerts: list[Explanation]


Checked = CheckedAlert | InvalidAlertError


class AlertDoor:
    """Takes alerts of any service in; they go the same way as those from every other door."""

    def __init__(self, ingest: Ingest, services: Collection[str], default: str) -> None:
        self._ingest = ingest
        self._default = default
        self._services = frozenset(services)

    async def submit(self, request: Request) -> dict[str, Any]:
        """Write what is good, say what is wrong with the rest."""
        outcomes = await self._ingest.read(request, self._check)
        good = [each for each in outcomes if isinstance(each, CheckedAlert)]
        ids = iter(await self._ingest.accept(good, "api", invalid=len(outcomes) - len(good)))
        if not good:
            raise RefusedError(400, [f"alert {number}: {outcome}" for number, outcome in enumerate(outcomes, 1)])
        results = [_result(each, ids) for each in outcomes]
        return {"status": "success", "message": f"{len(good)} of {len(outcomes)} alerts accepted", "results": results}

    def _check(self, body: bytes) -> list[Checked]:
        return [self._check_one(alert) for alert in alerts_in(body)]

    def _check_one(self, raw: object) -> Checked:
        try:
            checked = check_alert(raw)
        except InvalidAlertError as error:
            return error
        service = checked.alert.get("service", self._default)
        if service not in self._services:
            return InvalidAlertError([_unknown(service, self._services)])
        return named(checked)


def alerts_in(body: bytes) -> list[object]:
    """The entries of `alerts` in a body; RefusedError if there are none, or too many."""
    document = parse_json(body)
    alerts = document.get("alerts") if isinstance(document, dict) else None
    if not isinstance(alerts, list) or not 0 < len(alerts) <= MOST_ALERTS:
        raise RefusedError(400, [f"'alerts' must be a list of 1 to {MOST_ALERTS} alerts: {{\"alerts\": [{{…}}]}}"])
    return alerts


def _unknown(service: str, services: Collection[str]) -> str:
    known = ", ".join(sorted(services)[:LISTED_SERVICES]) + ", …" * (len(services) > LISTED_SERVICES)
    return f"there is no service {service!r} (known: {known}); correct the name, or add it to the configuration"


def _result(outcome: Checked, ids: Any) -> dict[str, Any]:
    if isinstance(outcome, InvalidAlertError):
        return {"status": "invalid event", "errors": outcome.errors}
    return dict(success(outcome, id=next(ids), dedup_key=outcome.alert.get("dedup_key", "")))


@router.post(
    "",
    status_code=202,
    operation_id="submitAlerts",
    summary="Raise, acknowledge and resolve up to 500 alerts",
    response_model=SubmitAnswer,
    responses=described(),
    openapi_extra=BODY,
    dependencies=[allows("alerts:write")],
)
async def submit(request: Request) -> Any:
    """Each alert is answered for itself: 202 if one at least was accepted, 400 if none was.

    To send one again is harmless: within the dedup window of its service it is merged into the first.
    """
    door: AlertDoor = request.app.state.door
    return await door.submit(request)


@router.post(
    "/explain",
    operation_id="explainAlerts",
    summary="What would become of alerts, and why",
    responses=described(404),
    dependencies=[READS],
)
def explain(question: Question, runtime: Wired) -> ExplainAnswer:
    """Service, rules, routes, channels and key ids (never keys) of each; nothing is sent or written."""
    explained = runtime.explainer.explain(question.alerts, at=question.at, routes=question.routes)
    return ExplainAnswer(alerts=explained)


@router.get("", operation_id="listAlerts", summary="The alerts there are", responses=described(), dependencies=[READS])
def list_all(
    runtime: Wired,
    *,
    status: Annotated[Status | None, Query(description="Only those.")] = None,
    service: Annotated[str | None, Query(max_length=200, description="Only of this one.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Most alerts on a page.")] = 100,
    cursor: Annotated[str, Query(pattern=CURSOR, description="`next_cursor` of the page before.")] = "",
) -> Page:
    """Newest news first. Alerts that have been resolved for two days are forgotten."""
    return runtime.current.list(status=status, service=service, limit=limit, cursor=cursor)


@router.get("/{uid}", operation_id="getAlert", summary="One alert", responses=described(404), dependencies=[READS])
def get(uid: Annotated[str, Path(max_length=100, description="Its `uid`.")], runtime: Wired) -> AlertView:
    """As it stands now."""
    return runtime.current.get(uid)
