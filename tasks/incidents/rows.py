"""Actions on incidents as rows: what was asked, and step by step what became of it. A message may come twice, a worker may die."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from tasks.incidents.models import ActionReport, ActionView, Answer, State, Wish
from tasks.utils.clock import Clock
from tasks.utils.error_handler import TransientError
from tasks.utils.rows import milliseconds
from tasks.utils.scripts import Scripts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tasks.utils.keys import Keys

A_CALL: Final = 200  # incidents told of in one call of a script
LEASE: Final = timedelta(minutes=1)  # far longer than one call of PagerDuty with all its tries may take

StepState = Literal[
    "found", "tried", "done", "already", "failed", "same"
]  # same: as another name, `why`, of the same incident
ENDS: Final = frozenset({"done", "already", "failed", "same"})


class LeaseLostError(TransientError):
    """Somebody else carries the action on by now; what was done so far is written down."""


@dataclass
class Step:
    """One thing to do to one incident. `tried`: it was begun, and may have worked although nobody heard the answer."""

    state: StepState = "found"
    id: str = ""
    number: int | None = None
    html_url: str = ""
    why: str = ""
    at: int = 0  # when it was begun, ms

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ENDS


@dataclass
class Row:
    """One action in the hands of this process."""

    id: str
    wish: Wish
    asked: int
    ends: int
    state: State = "open"
    is_durable: bool = False
    tries: int = 0
    why: str = ""
    token: str = ""
    ended: int = 0
    until: int = 0  # end of the lease, ms
    steps: dict[str, Step] = field(default_factory=dict)  # `<what>:<target>` -> step

    def step(self, what: str, target: str) -> Step:
        """What is known of one step; a new one where nothing is."""
        return self.steps.get(f"{what}:{target}") or Step()

    def answer(self, target: str) -> Answer:
        """What became of one incident."""
        main = self.step("main", target)
        if main.state == "same":
            return self.answer(main.why).model_copy(update={"target": target})
        told = Answer(
            target=target,
            outcome=self._standing(main),
            id=main.id,
            number=main.number,
            html_url=main.html_url,
            why=main.why or ("" if main.is_over else self.why),
        )
        if told.outcome != "failed":
            self._tell_more(told, target)
        return told

    def _tell_more(self, told: Answer, target: str) -> None:
        """What became of a note and a status update."""
        wish = self.wish
        wanted = {"note": wish.note if wish.verb not in ("note", "create") else "", "status_update": wish.status_update}
        for what, text in wanted.items():
            if text:
                step = self.step(what, target)
                setattr(told, what, self._standing(step))
                told.why = told.why or step.why or ("" if step.is_over else self.why)

    def _standing(self, step: Step) -> str:
        return step.state if step.is_over else "waiting" if self.state == "open" else "failed"

    def answers(self) -> list[Answer]:
        """What became of every incident."""
        return [self.answer(target) for target in self.wish.targets or ("",)]

    def report(self, due: datetime | None = None) -> ActionReport:
        """What the task answers."""
        state, why = self.state, self.why if self.state == "open" else ""
        return ActionReport(
            request_id=self.id, verb=self.wish.verb, state=state, answers=self.answers(), why=why, due=due
        )


class ActionRows:
    """Reads and writes them."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client, keys)
        self._clock = Clock(client, keys)

    def begin(self, request_id: str, wish: Wish, give_up_after: timedelta, *, durable: bool) -> Row:
        """The row of a request, new or known; its `token` is empty where this caller has nothing to do about it."""
        token = uuid.uuid4().hex
        kept = wish.model_dump_json(exclude_defaults=True)
        bounds = (milliseconds(LEASE), kept, "1" if durable else "", milliseconds(give_up_after))
        is_mine = self._scripts.run("action_begin", request_id, token, *bounds)
        return self._read(request_id, token if is_mine else "")

    def claim(self) -> Row | None:
        """The action that is due longest; None where none is."""
        token = uuid.uuid4().hex
        request_id = self._scripts.run("action_claim", token, milliseconds(LEASE))
        return self._read(request_id, token) if request_id else None

    def keep(self, row: Row, what: str, steps: dict[str, Step]) -> None:
        """Write down how these steps (target -> step) stand. LeaseLostError where somebody else has taken over."""
        row.steps |= {f"{what}:{target}": step for target, step in steps.items()}
        told = [part for target, step in steps.items() for part in (f"{what}:{target}", _packed(step))]
        if told and not self._scripts.run("action_note", row.id, row.token, milliseconds(LEASE), *told):
            raise LeaseLostError(f"action {row.id} is in other hands")

    def end(self, row: Row, state: State, why: str = "", wait: timedelta = timedelta(0)) -> None:
        """Let go of it: for good, or for so long."""
        row.state, row.why = state, why
        self._scripts.run("action_end", row.id, row.token, state, why, milliseconds(wait))

    def told(self, row: Row) -> None:
        """Let the stories of our alerts tell what was done to their incidents."""
        done = [
            step.id for name, step in row.steps.items() if name.startswith("main:") and step.state == "done" and step.id
        ]
        for start in range(0, len(done), A_CALL):
            self._scripts.run("action_told", row.wish.verb, row.wish.author, *done[start : start + A_CALL])

    def list(self, *, limit: int = 100, failed_only: bool = False) -> Iterator[ActionView]:
        """What is under way, the next due first, then what has ended, the newest first."""
        for request_id in (
            *self._client.zrange(self._keys.actions_due, 0, limit - 1),
            *self._client.zrevrange(self._keys.actions_ended, 0, limit - 1),
        ):
            view = self.view(request_id)
            if view is not None and (not failed_only or view.state == "failed"):
                yield view

    def view(self, request_id: str) -> ActionView | None:
        """One action of the record; None where nothing is known of it."""
        if not self._client.hexists(self._keys.action(request_id), "wish"):
            return None
        row = self._read(request_id, "")
        if row.state == "open" and not row.is_durable and row.until < self._clock.now_ms():
            row.state, row.why = "failed", "broken off: whoever asked for it has gone"
        return ActionView(
            request_id=row.id,
            verb=row.wish.verb,
            state=row.state,
            author=row.wish.author,
            asked_at=_moment(row.asked),
            ended_at=_moment(row.ended) if row.ended else None,
            tries=row.tries,
            why=row.why,
            answers=row.answers(),
        )

    def _read(self, request_id: str, token: str) -> Row:
        kept = self._client.hgetall(self._keys.action(request_id))
        steps = {name: Step(**json.loads(text)) for name, text in kept.items() if ":" in name}
        return Row(
            id=request_id,
            wish=Wish.model_validate_json(kept["wish"]),
            asked=int(kept["asked"]),
            ends=int(kept["ends"]),
            state=kept["state"],
            is_durable=kept["durable"] == "1",
            tries=int(kept["tries"]),
            why=kept.get("why", ""),
            token=token,
            ended=int(kept.get("ended", 0)),
            until=int(kept.get("until", 0)),
            steps=steps,
        )


def _packed(step: Step) -> str:
    return json.dumps(
        {name: value for name, value in vars(step).items() if value not in ("", None, 0)} | {"state": step.state}
    )


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
