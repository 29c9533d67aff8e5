"""Silences and Tocsin's own maintenance windows: one thing under two names, with a scope for each."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from tasks.alerts.models import Preview, Silence, SilenceDraft
from tasks.utils.error_handler import UnknownError
from workers.gateway.api.access import Holder, Wired, allows
from workers.gateway.api.errors import described

Endpoint = Callable[..., Any]
Kind = Literal["silence", "maintenance"]
SilenceId = Annotated[str, Path(max_length=100, description="Its id.", examples=["4f0c1d2e3b4a"])]
Text = Annotated[str, Field(max_length=2000)]
MATCHERS: Final = "Label matchers as in Alertmanager (=, !=, =~, !~); all of them must hold."


class NewSilence(BaseModel):
    """What to hold back, how long, and why. Its author is the subject of the token."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"matchers": ["severity=~warning|info"], "duration_seconds": 3600, "comment": "disk swap"}]
        },
    )

    matchers: list[Text] = Field(default_factory=list, max_length=100, description=MATCHERS)
    services: list[Text] = Field(default_factory=list, max_length=100, description="Only of these; empty means all.")
    starts_at: AwareDatetime | None = Field(None, description="Left out: now.")
    ends_at: AwareDatetime | None = Field(None, description="This or `duration_seconds`.")
    duration_seconds: float | None = Field(None, gt=0, allow_inf_nan=False, description="From its start on.")
    comment: Text = Field("", description="Why; whoever is on call next reads it. Required, but not for a preview.")

    def draft(self, kind: Kind, author: str) -> SilenceDraft:
        """The same as the service takes it."""
        return SilenceDraft(kind=kind, author=author, **self.model_dump())


class SilenceList(BaseModel):
    """The silences, or the maintenance windows, soonest to end first."""

    silences: list[Silence]


class SilenceDoor:
    """The operations on one kind, served below `path`."""

    def __init__(self, kind: Kind, path: str) -> None:
        self._kind = kind
        self._path = path

    def list_all(
        self,
        runtime: Wired,
        *,
        ended: Annotated[bool, Query(description="Also those of the last days that are over.")] = False,
    ) -> SilenceList:
        """Soonest to end first."""
        found = runtime.silences.list(include_ended=ended)
        return SilenceList(silences=[each for each in found if each.kind == self._kind])

    def create(self, new: NewSilence, runtime: Wired, holder: Holder) -> Silence:
        """From its start on, triggers that match are held back; the ledger names it for each."""
        return runtime.silences.create(new.draft(self._kind, holder.subject))

    def preview(self, new: NewSilence, runtime: Wired, holder: Holder) -> Preview:
        """The same as creating it, only that nothing is changed."""
        return runtime.silences.preview(new.draft(self._kind, holder.subject))

    def get(self, id: SilenceId, runtime: Wired) -> Silence:  # noqa: A002 - its name in the path
        """Also one that has ended, for some days."""
        found = runtime.silences.get(id)
        if found.kind != self._kind:  # a token for one kind must not reach the other
            raise UnknownError(f"there is nothing by the id {id!r} here; GET {self._path} lists what there is")
        return found

    def expire(self, id: SilenceId, runtime: Wired, holder: Holder) -> Silence:  # noqa: A002
        """What it held back and still fires is delivered. One that has ended stays as it is."""
        return runtime.silences.expire(self.get(id, runtime).id, holder.subject)


def router(kind: Kind, path: str, scope: str, noun: str) -> APIRouter:
    """The operations on one kind; `noun` is what the document calls it."""
    router = APIRouter(prefix=path, tags=[path.strip("/")])
    door = SilenceDoor(kind, path)
    word = noun.title().replace(" ", "")

    def add(method: str, below: str, endpoint: Endpoint, verb: str, summary: str, right: str) -> None:
        router.add_api_route(
            below,
            endpoint,
            methods=[method],
            status_code=201 if verb == "create" else 200,
            operation_id=f"{verb}{word}{'s' * (verb == 'list')}",
            summary=summary,
            responses=described(*([404] if "{id}" in below else [])),
            dependencies=[allows(f"{scope}:{right}")],
        )

    add("GET", "", door.list_all, "list", f"The {noun}s there are", "read")
    add("POST", "", door.create, "create", f"Make a {noun}", "write")
    add("POST", "/preview", door.preview, "preview", f"Which open alerts a {noun} would hold back", "read")
    add("GET", "/{id}", door.get, "get", f"One {noun}", "read")
    add("DELETE", "/{id}", door.expire, "expire", f"End a {noun} now", "write")
    return router
