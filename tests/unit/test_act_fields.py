"""What of arguments goes on record: names and ids, no contents, no secrets."""

from __future__ import annotations

import pytest

from tasks.utils.act_fields import detail_of, object_of
from tasks.utils.actor import Actor
from tasks.utils.acts import Act, begun_at, entry_of, new_act_id

ANNA = Actor("person", "anna")


@pytest.mark.parametrize(
    ("capability", "arguments", "expected"),
    [
        ("silences", {"id": "4f0c"}, "silence/4f0c"),
        ("backups", {"backup_id": "b1", "comment": "c"}, "backup/b1"),
        ("incidents", {"incidents": ["P1", "P2"]}, "incident/P1,P2"),
        ("incidents", {"incidents": ["P1", "P2", "P3", "P4", "P5"]}, "incident/P1,P2,P3,+2"),
        ("tokens", {"subject": "ci", "role": "viewer"}, "subject/ci"),
        ("alerts", {"service": "checkout"}, "service/checkout"),
        ("notifications", {"id": "words with blanks"}, ""),
        ("notifications", {}, ""),
    ],
)
def test_the_object_is_what_the_arguments_name(capability: str, arguments: dict[str, object], expected: str) -> None:
    assert object_of(capability, arguments) == expected


def test_of_contents_only_the_names_of_their_fields_are_told() -> None:
    told = detail_of({"comment": "secret plans", "role": "viewer", "matchers": ["a=b"], "wait": False, "note": ""})

    assert told == {"role": "viewer", "given": ["comment", "matchers", "role"]}


def test_what_looks_like_a_key_is_masked_and_an_alerts_short_name_still_tells_it_apart() -> None:
    entry = entry_of("id", "ok", Act("escalations.cancel", f"escalation/{'4be1' * 8}", detail={"x": "A1" * 16}), ANNA)

    assert "4be1" * 8 not in entry.rest
    assert f"escalation/{'4be1' * 4}" in entry.rest
    assert "A1A1" not in entry.rest


def test_detail_is_bounded() -> None:
    entry = entry_of("id", "ok", Act("x.y", detail={"ids": [f"i{n}" for n in range(500)], "t": "x y " * 500}), ANNA)

    assert len(entry.rest) < 1000
    assert "and 480 more" in entry.rest


def test_an_acts_id_tells_when_it_began_and_sorts_by_it() -> None:
    early, late = new_act_id(1_795_000_000_000), new_act_id(1_795_000_000_001)

    assert begun_at(early) == 1_795_000_000_000
    assert early < late
    assert begun_at("rubbish") == begun_at("z" * 28) == 0
