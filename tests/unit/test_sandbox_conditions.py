"""The conditions by which the sandbox's event orchestrations route."""

from __future__ import annotations

import pytest

from deploy.sandbox.pcl import matches

EVENT = {
    "routing_key": "R" * 32,
    "client": "monitor",
    "payload": {
        "summary": "database is down",
        "source": "db-1.example.com",
        "severity": "critical",
        "custom_details": {"team": {"name": "it's ours"}, "free": 3},
    },
}


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("event.summary matches 'database is down'", True),
        ("event.summary matches 'database'", False),
        ("event.summary matches part 'base is'", True),
        ("event.source matches regex '^db-[0-9]+'", True),
        ("event.source matches regex '^web'", False),
        ("event.client matches 'monitor'", True),
        ("event.custom_details.free matches '3'", True),
        ("event.custom_details.team.name matches part 'it\\'s'", True),
        ("event.component exists", False),
        ("not event.component exists", True),
        ("event.severity matches 'critical' and event.source exists", True),
        ("event.severity matches 'info' and event.source exists", False),
        ("event.severity matches 'info' or event.source exists", True),
        ("event.severity matches 'info' or event.severity matches 'error' and event.source exists", False),
        ("event.summary matches 'this and that'", False),
        ("event.summary matches part ' is '", True),
        ("now in Mon,Tue 09:00:00 to 17:00:00", False),
        ("", False),
    ],
)
def test_a_condition_is_met_or_not(expression: str, met: bool) -> None:  # noqa: FBT001 - a table's column
    assert matches([{"expression": expression}], EVENT) is met


def test_any_of_several_conditions_is_enough_and_none_always_matches() -> None:
    assert matches([{"expression": "event.client matches 'x'"}, {"expression": "event.source exists"}], EVENT)
    assert matches([], EVENT)
