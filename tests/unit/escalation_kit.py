"""Policies and hours for tests, and any of them for hypothesis."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import strategies as st

from tasks.escalations.calendar import Calendar, Holiday, Span
from tasks.escalations.policy import HAND_OVER, Hours, Policy, Step, Target

MINUTE = timedelta(minutes=1)
WEEKDAYS = (0, 1, 2, 3, 4)
SEVERITIES = ("critical", "error", "warning", "info")
# Both ways, by half an hour, at midnight, back into the day before; and one that never changes.
ZONES = (
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "America/Havana",
    "Atlantic/Azores",
    "America/Nuuk",
    "Africa/Cairo",
    "Asia/Kolkata",
)
# The weeks of 2026 and 2027 in which these zones change their clocks, and one in which none does.
CHANGES = tuple(
    date.fromisoformat(day)
    for day in (
        *(
            "2026-03-08",
            "2026-03-28",
            "2026-03-29",
            "2026-04-05",
            "2026-04-24",
            "2026-10-04",
            "2026-10-24",
            "2026-10-25",
        ),
        *("2026-10-30", "2026-11-01", "2027-03-14", "2027-03-28", "2027-04-04", "2026-07-15"),
    )
)


def hours(zone: str, *spans: Span, holidays: tuple[Holiday, ...] = (), name: str = "office") -> Calendar:
    return Calendar(name, zone, spans or (Span(WEEKDAYS, 9 * 60, 18 * 60),), holidays)


def a_step(name: str, minutes: float = 0, *, at: Hours | None = None, severities: tuple[str, ...] = ()) -> Step:
    return Step(name, minutes * MINUTE, (Target("channel", name),), severities, at)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


moments = st.builds(
    lambda day, minutes: datetime.combine(day, datetime.min.time(), UTC) + minutes * MINUTE,
    st.sampled_from(CHANGES),
    st.integers(-2 * 24 * 60, 2 * 24 * 60),
)
spans = st.builds(
    Span,
    st.lists(st.integers(0, 6), max_size=5, unique=True).map(lambda days: tuple(sorted(days))),
    st.integers(0, 24 * 60 - 1),
    st.integers(1, 24 * 60),
).filter(lambda span: span.start != span.end)
days_off = st.builds(
    lambda day, near: Holiday(f"{day + timedelta(days=near)}", "off"), st.sampled_from(CHANGES), st.integers(-2, 2)
)
calendars = st.builds(
    Calendar,
    st.just("office"),
    st.sampled_from(ZONES),
    st.lists(spans, min_size=1, max_size=2).map(tuple),
    st.lists(days_off, max_size=3, unique=True).map(lambda found: tuple(sorted(found))),
)
targets = st.builds(
    Target,
    st.sampled_from(["channel", "webhook", "pagerduty_user", "pagerduty_schedule"]),
    st.text(min_size=1, max_size=8),
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    calendar = draw(calendars)
    steps = st.builds(
        Step,
        st.text(min_size=1, max_size=8),
        st.integers(0, 600).map(lambda minutes: minutes * MINUTE),
        st.lists(targets, min_size=1, max_size=3).map(tuple),
        st.lists(st.sampled_from(SEVERITIES), max_size=3, unique=True).map(tuple),
        st.none() | st.builds(Hours, st.just(calendar), st.booleans(), st.booleans()),
    )
    span = st.none() | st.integers(1, 600).map(lambda minutes: minutes * MINUTE)
    return Policy(
        name=draw(st.text(min_size=1, max_size=8)),
        steps=tuple(draw(st.lists(steps, min_size=1, max_size=4))),
        repeats=draw(st.integers(0, 3)),
        repeat_after=draw(st.integers(1, 600)) * MINUTE,
        hand_over=draw(st.none() | st.just(Step(HAND_OVER, 5 * MINUTE, (Target("pagerduty_policy", "PPOLICY"),)))),
        acknowledgement_timeout=draw(span),
        auto_resolve=draw(span),
        escalates_unseen=draw(st.booleans()),
    )
