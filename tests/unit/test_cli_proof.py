from datetime import UTC, datetime, timedelta, timezone

import pytest
import typer

from tasks.audit.models import Broken, Pending, ProofReport
from workers.cli.alert_trail import span
from workers.cli.proof import _show
from workers.cli.spans import span_since

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def test_a_proof_that_holds_shows_every_verdict_and_its_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    pending = Pending(count=2, soonest_due=NOON, latest_due=NOON + timedelta(seconds=30))
    _show(
        ProofReport(
            holds=True,
            checked_at=NOON,
            events=17,
            delivered=10,
            merged=1,
            suppressed={"maintenance": 3},
            dead={"unknown_service": 1},
            pending=pending,
            notes=["no key is set, so the anchors are not signed"],
        )
    )

    out, err = capsys.readouterr()
    assert [line.split() for line in out.splitlines()] == [
        ["VERDICT", "EVENTS", "WHY"],
        ["delivered", "10"],
        ["merged", "1"],
        ["suppressed", "3", "maintenance"],
        ["dead", "1", "unknown_service"],
        ["pending", "2", *["next", "due", "2026-01-02", "12:00:00", "UTC,", "last", "2026-01-02", "12:00:30", "UTC"]],
        ["broken", "0"],
        ["The", "promise", "holds:", "17", "events", "ever", "accepted,", "judged", "2026-01-02", "12:00:00", "UTC."],
    ]
    assert "Note: no key is set, so the anchors are not signed" in err


def test_a_broken_promise_names_the_events(capsys: pytest.CaptureFixture[str]) -> None:
    late = Broken(event_id="e1", service="shop", dedup_key="disk", fault="overdue", wrong="it was due 5 minutes ago")
    broken = [late, Broken(wrong="the chain is cut")]
    by = {"overdue": 4, "evidence": 1}
    _show(ProofReport(holds=False, checked_at=NOON, since=NOON, events=3, broken=broken, broken_count=5, broken_by=by))

    out = capsys.readouterr().out
    assert "  e1 (shop disk)  it was due 5 minutes ago\n  (evidence)  the chain is cut\n  … and 3 more\n" in out
    assert [line.split() for line in out.splitlines() if line.startswith("broken")] == [
        ["broken", "4", "overdue"],
        ["broken", "1", "evidence"],
    ]
    assert "The promise is BROKEN: 3 events accepted since 2026-01-02 12:00:00 UTC" in out


@pytest.mark.parametrize(
    ("text", "span"),
    [
        (None, None),
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
    ],
)
def test_so_long_ago_is_that_span(text: str | None, span: timedelta | None) -> None:
    assert span_since(text) == span


@pytest.mark.parametrize("zone", [UTC, None], ids=["with a zone", "local"])
def test_a_time_is_as_long_ago_as_it_is(zone: timezone | None) -> None:
    an_hour_ago = datetime.now(zone) - timedelta(hours=1)

    span = span_since(an_hour_ago.isoformat())

    assert span is not None
    assert abs(span - timedelta(hours=1)) < timedelta(seconds=5)


def test_what_is_no_time_is_refused_with_examples() -> None:
    with pytest.raises(typer.BadParameter, match="2h or 7d"):
        span_since("yesterday")


def test_a_time_to_come_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="still to come"):
        span_since("2999-01-01")


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (7, "7 ms"),
        (999, "999 ms"),
        (3200, "3.2 s"),
        (60_000, "1 min"),
        (729_000, "12 min 9 s"),
        (3_600_000, "1 h"),
        (86_400_000 * 2 + 3_600_000 * 3, "2 d 3 h"),
        (-5, "-5 ms"),
        (-61_000, "-1 min 1 s"),
    ],
)
def test_a_gap_is_told_in_its_two_largest_units(milliseconds: int, words: str) -> None:
    assert span(milliseconds) == words
