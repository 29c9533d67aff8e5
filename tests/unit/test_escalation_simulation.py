"""What a policy would do to an alert that nobody answers, in turns and on charts."""

import re
from datetime import timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tasks.escalations.chart import chart_of
from tasks.escalations.chart_svg import chart_svg
from tasks.escalations.chart_text import chart_text
from tasks.escalations.policy import HAND_OVER, Hours, Policy, Step, Target
from tasks.escalations.simulation import simulate
from tasks.escalations.words import span_text, target_text
from tests.searching import searched
from tests.unit.escalation_kit import MINUTE, SEVERITIES, a_step, hours, moments, policies, utc

PARIS = hours("Europe/Paris")
ZONE = ZoneInfo("Europe/Paris")
OVER = Step(HAND_OVER, 10 * MINUTE, (Target("pagerduty_policy", "PPOLICY"),))
EVENING = utc("2026-11-27T16:50")  # Friday 17:50 in Paris
POLICY = Policy(
    "mixed",
    (
        a_step("first"),
        a_step("skips", 15, at=Hours(PARIS, inside=True, waits=False)),
        a_step("waits", 5, at=Hours(PARIS, inside=True, waits=True)),
        a_step("grave", 5, severities=("critical",)),
    ),
    repeats=1,
    hand_over=OVER,
)


def test_every_turn_says_who_is_reached_and_why_then() -> None:
    found = simulate(POLICY, EVENING, "warning")

    assert [(turn.step.name, turn.round, f"{turn.at:%a %H:%M}", turn.outcome) for turn in found.turns] == [
        ("first", 1, "Fri 16:50", "reached"),
        ("skips", 1, "Fri 17:05", "left out"),
        ("waits", 1, "Mon 08:00", "reached"),
        ("first", 2, "Mon 08:15", "reached"),
        ("skips", 2, "Mon 08:30", "reached"),
        ("waits", 2, "Mon 08:35", "reached"),
        (HAND_OVER, 2, "Mon 08:45", "reached"),
    ]
    assert found.turns[1].why == "office closed (Fri 18:05)"
    assert found.turns[2].waited == timedelta(days=2, hours=14, minutes=50)
    assert found.turns[2].why.endswith("there it is Mon 09:00")
    assert found.turns[3].waited == timedelta()
    assert [step.name for step in found.absent] == ["grave"]


def test_nothing_comes_once_the_alert_has_resolved_by_itself() -> None:
    policy = Policy("p", (a_step("a", 5), a_step("b", 10)), repeats=5, auto_resolve=45 * MINUTE)

    found = simulate(policy, EVENING, "info")

    assert [(turn.at - EVENING) // MINUTE for turn in found.turns] == [5, 15, 30, 40]
    assert found.end == found.resolved_at == EVENING + 45 * MINUTE


def test_the_chart_has_a_lane_for_each_step_and_turns_in_order() -> None:
    chart = chart_of(simulate(POLICY, EVENING, "warning"))

    assert [lane.step.name for lane in chart.lanes] == ["first", "skips", "waits", HAND_OVER]
    assert [len(lane.marks) for lane in chart.lanes] == [2, 2, 2, 1]
    assert [tick.x for tick in chart.ticks] == sorted(tick.x for tick in chart.ticks)
    office = chart.lanes[1].bands
    assert len(office) == 2
    assert office[0].start == 0
    assert office[0].end < office[1].start < office[1].end == 1


def test_the_text_chart_marks_turns_above_their_times() -> None:
    lines = chart_text(chart_of(simulate(POLICY, EVENING, "warning")), ZONE, 100).splitlines()

    column = lines[2].index("●")
    assert lines[5][column:].startswith("09:00")
    assert lines[6][column:].startswith("Mon 30 Nov")
    assert "○" in lines[1]
    assert max(map(len, lines[:7])) <= 100


def test_turns_that_share_a_place_are_counted() -> None:
    policy = Policy("p", (a_step("a", 1),), repeats=40, repeat_after=MINUTE)

    assert re.search(r"a  .*[2-9]", chart_text(chart_of(simulate(policy, EVENING, "info")), None, 40))


def test_the_picture_is_well_formed_and_hostile_names_stay_text() -> None:
    policy = Policy(
        "<script>", (Step("a&b", MINUTE, (Target("channel", "<x onload='y'>"),)),), auto_resolve=60 * MINUTE
    )

    root = ET.fromstring(chart_svg(chart_of(simulate(policy, EVENING, "info")), ZONE))

    texts = [text for element in root.iter() if (text := (element.text or "").strip())]
    assert "<script>: info, nobody answers" in texts
    assert "a&b" in texts
    assert "channel <x onload='y'>" in texts
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_the_picture_knows_light_and_dark() -> None:
    picture = chart_svg(chart_of(simulate(POLICY, EVENING, "critical")), ZONE)

    light, dark = picture.split("prefers-color-scheme: dark")
    for kind in ("ground", "open", "reached", "left-out", "line"):
        assert f".{kind}" in light
        assert f".{kind}" in dark
    assert picture.count('<circle class="reached"') == 8 + 1  # and one in the key
    assert picture.count('<circle class="left-out"') == 1 + 1


@searched(25)
@given(policies(), moments, st.sampled_from(SEVERITIES))
def test_any_policy_can_be_drawn(policy: Policy, at: object, severity: str) -> None:
    chart = chart_of(simulate(policy, at, severity))  # type: ignore[arg-type]

    for lane in chart.lanes:
        assert all(0 <= mark.x <= 1 for mark in lane.marks)
        assert all(0 <= band.start <= band.end <= 1 for band in lane.bands)
    assert chart_text(chart, ZONE, 80)
    assert chart_svg(chart, ZONE)


def test_lengths_of_time_are_read_at_a_glance() -> None:
    spans = [
        timedelta(),
        15 * MINUTE,
        timedelta(hours=1, minutes=5),
        timedelta(days=3, hours=14, minutes=50),
        timedelta(seconds=90),
    ]

    assert [span_text(span) for span in spans] == ["+0", "+15m", "+1h 5m", "+3d 14h", "+1m 30s"]


def test_targets_are_named_by_what_they_are() -> None:
    assert target_text(Target("pagerduty_schedule", "PSCHED1")) == "schedule PSCHED1"
    assert target_text(Target("channel", "chat"), {"chat": "slack"}) == "channel chat (slack)"
