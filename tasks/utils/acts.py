"""Acts: who did what to which object from where, and what came of it; pure. Names of fields and ids go in, contents never."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from tasks.utils.redaction import MASK, SECRET_NAMES, redacted

if TYPE_CHECKING:
    from tasks.utils.actor import Actor

Outcome = Literal["ok", "failed", "denied"]
BEGUN: Final = "begun"
LONGEST_TEXT: Final = 300
MOST_LISTED: Final = 20
SHOWN: Final = 16
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])")
_encode: Final = json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=str).encode


@dataclass(frozen=True)
class Act:
    """One act. Actor and correlation id may be left out where the act goes on within another one: they are that one's.

    `action` is `<capability>.<verb>`, `object` `<kind>/<id>`. `detail` holds names of fields, ids and counts.
    """

    action: str
    object: str = ""
    actor: Actor | None = None
    outcome: Outcome = "ok"
    correlation: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


class ActEntry(NamedTuple):
    """One entry of the record, as it is written: an act that begins, or that has come to its end. `at`: ms, 0 for now."""

    id: str
    step: str
    action: str
    rest: str
    at: int = 0


def new_act_id(now_ms: int) -> str:
    """An id no other act has; ids of later acts are greater."""
    return f"{now_ms:012x}{secrets.token_hex(8)}"


def begun_at(act_id: str) -> int:
    """When the act of this id began (ms, by the clock of the machine it was done on); 0 when that is no act's id."""
    try:
        return int(act_id[:12], 16) if len(act_id) == 28 else 0
    except ValueError:
        return 0


def entry_of(act_id: str, step: str, act: Act, actor: Actor) -> ActEntry:
    """The entry for one step of an act, with whatever looks like a secret masked."""
    rest: dict[str, Any] = {"o": _text(act.object), "k": actor.kind, "n": _text(actor.name), "f": _text(actor.origin)}
    if act.correlation:
        rest["c"] = act.correlation if _HEX.fullmatch(act.correlation) else _text(act.correlation)
    if act.detail:
        rest["d"] = _tidy(dict(act.detail))
    return ActEntry(act_id, step, _text(act.action), _encode(rest))


def _tidy(value: Any, name: str = "") -> Any:
    """The same, bounded in size and without secrets."""
    if SECRET_NAMES.search(name):
        return MASK
    if isinstance(value, Mapping):
        return {_text(str(key)): _tidy(each, str(key)) for key, each in list(value.items())[:MOST_LISTED]}
    if isinstance(value, list | tuple | set | frozenset):
        listed = sorted(map(str, value)) if isinstance(value, set | frozenset) else list(value)
        more = [f"… and {len(listed) - MOST_LISTED} more"] if len(listed) > MOST_LISTED else []
        return [_tidy(each) for each in listed[:MOST_LISTED]] + more
    return value if value is None or isinstance(value, bool | int | float) else _text(str(value))


def _text(text: str) -> str:
    # The short name of an alert has the shape of a key. Its beginning names it well enough, and would give no key away.
    text = redacted(_HEX.sub(lambda found: f"{found[0][:SHOWN]}…", text))
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
