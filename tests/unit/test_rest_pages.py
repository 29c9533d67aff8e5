"""Lists are read completely, each item once and in order, however they are cut into pages and whatever happens meanwhile."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.utils.rest import pages, spans
from tasks.utils.rest.errors import ServerFaultError
from tasks.utils.rest.pages import OffsetReader, TooLongError, by_token
from tasks.utils.rest.parameters import instant
from tasks.utils.rest.spans import Span, TimeReader
from tests.searching import searched

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=400)
SECOND = timedelta(seconds=1)


class Account:
    """Answers as PagerDuty's lists do: by time, with an end at 10,000, 6 months at once at most."""

    def __init__(self, seconds: list[float], *, newest_first: bool = False, counts: bool = True) -> None:
        self.items = [{"id": f"Q{n}", "created_at": instant(START + s * SECOND)} for n, s in enumerate(sorted(seconds))]
        self.newest_first = newest_first
        self.counts = counts
        self.requests: list[dict[str, Any]] = []
        self.furthest = 10_000

    def read(self, filters: Any) -> dict[str, Any]:
        self.requests.append(dict(filters))
        until = filters.get("until") or NOW
        since = filters.get("since") or until - timedelta(days=30)
        offset = filters.get("offset") or 0
        everything = filters.get("date_range") == "all"
        assert offset + filters["limit"] <= self.furthest
        assert everything or until - since <= timedelta(days=183)
        found = self.items if everything else self.between(instant(since), instant(until))
        if self.newest_first and filters.get("sort_by") is None:
            found = found[::-1]
        page = found[offset : offset + filters["limit"]]
        more = offset + len(page) < len(found)
        total = len(found) if self.counts and filters.get("total") else None
        return {"incidents": page, "more": more, "total": total}

    def between(self, since: str, until: str) -> list[dict[str, Any]]:
        first = bisect_left(self.items, since, key=itemgetter("created_at"))
        return self.items[first : bisect_right(self.items, until, key=itemgetter("created_at"))]

    def by_time(self) -> TimeReader:
        return TimeReader(self.read, "incidents", lambda: NOW, newest_first=self.newest_first)

    def expected(self) -> list[dict[str, Any]]:
        return self.items[::-1] if self.newest_first else self.items


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of 5 and an end at 40, so that small examples meet both."""
    for module in (pages, spans):
        monkeypatch.setattr(module, "FURTHEST", 40)
    monkeypatch.setattr(pages, "PAGE", 5)


@pytest.mark.usefixtures("small")
def test_what_came_before_a_list_turned_out_too_long_does_not_come_again() -> None:
    early = [*map(float, range(30)), 1.5, 2.5, 5.125, 0.015625, 0.03125, 0.0625]
    account = Account([*early, 972_000.0, 1_943_964.25], counts=False)
    account.furthest = 40

    listed = list(account.by_time().items(Span(START, NOW)))

    assert listed == account.expected()


@pytest.mark.usefixtures("small")
@searched(50)
@given(
    seconds=st.lists(st.floats(0, 3_000_000) | st.integers(0, 60).map(float), max_size=300, unique=True),
    newest_first=st.booleans(),
    counts=st.booleans(),
)
def test_a_list_of_any_length_is_complete_in_order_and_without_repeats(
    seconds: list[float],
    *,
    newest_first: bool,
    counts: bool,
) -> None:
    account = Account(seconds, newest_first=newest_first, counts=counts)
    account.furthest = 40

    listed = list(account.by_time().items(Span(START, NOW)))

    assert listed == account.expected()


def test_17500_items_of_one_day_are_read_with_few_requests_more_than_pages() -> None:
    account = Account([n * 86_400 / 17_500 for n in range(17_500)])

    listed = list(account.by_time().items(Span(START, START + timedelta(days=1))))

    assert listed == account.items
    assert len(account.requests) <= 17_500 / 99 + 5


def test_a_span_of_years_is_asked_for_in_parts_of_six_months() -> None:
    account = Account([0.0, 86_400 * 200, 86_400 * 399])

    assert list(account.by_time().items(Span(START))) == account.items
    assert len(account.requests) == 3


def test_everything_is_one_request_where_it_is_little() -> None:
    account = Account([0.0, 86_400 * 200, 86_400 * 399])

    assert list(account.by_time().everything()) == account.items
    assert [request["date_range"] for request in account.requests] == ["all"]


def test_everything_is_read_from_the_oldest_on_where_it_is_much() -> None:
    account = Account([n * 86_400 * 300 / 12_000 for n in range(12_000)], newest_first=True)

    assert list(account.by_time().everything()) == account.expected()


def test_more_than_10000_in_one_second_is_an_error_that_says_so() -> None:
    account = Account([n / 20_000 for n in range(11_000)])

    with pytest.raises(TooLongError, match="in one second"):
        list(account.by_time().items(Span(START, NOW)))


def test_an_empty_page_that_says_there_is_more_is_the_last() -> None:
    assert list(OffsetReader(lambda _: {"users": [], "more": True}, "users").items()) == []


def test_items_without_an_id_are_read_page_by_page() -> None:
    oncalls = [{"escalation_level": level} for level in range(250)]

    def read(filters: Any) -> dict[str, Any]:
        offset = filters["offset"] or 0
        return {"oncalls": oncalls[offset : offset + 100], "more": offset + 100 < 250}

    assert list(OffsetReader(read, "oncalls").items()) == oncalls


def test_a_short_page_is_not_the_last_where_there_is_more() -> None:
    users = [{"id": str(n)} for n in range(7)]

    def read(filters: Any) -> dict[str, Any]:
        offset = filters["offset"] or 0
        return {"users": users[offset : offset + 1], "more": offset + 1 < 7}

    assert list(OffsetReader(read, "users").items()) == users


@pytest.mark.usefixtures("small")
@searched(50)
@given(data=st.data())
def test_what_stays_is_not_skipped_while_others_vanish_between_two_pages(data: st.DataObject) -> None:
    account = Account([float(n) for n in range(30)])
    stays = data.draw(st.sets(st.sampled_from([item["id"] for item in account.items])))

    def read(filters: Any) -> dict[str, Any]:
        answer = account.read({**filters, "since": START, "until": START + timedelta(days=1)})
        going = [item["id"] for item in account.items if item["id"] not in stays]
        gone = data.draw(st.sets(st.sampled_from(going))) if going else set()
        account.items = [item for item in account.items if item["id"] not in gone]
        return answer

    listed = [item["id"] for item in OffsetReader(read, "incidents").items()]

    assert stays <= set(listed)
    assert len(listed) == len(set(listed))


def test_a_list_in_another_order_each_time_is_not_read_for_ever() -> None:
    count = iter(range(10_000_000))

    def read(_: Any) -> dict[str, Any]:
        return {"users": [{"id": str(next(count))} for _ in range(100)], "more": True}

    with pytest.raises(TooLongError):
        list(OffsetReader(read, "users").items())


def test_pages_named_by_tokens_are_followed_to_the_end() -> None:
    following = {None: "b", "b": "c", "c": None}

    def read(filters: Any) -> dict[str, Any]:
        here = filters["cursor"]
        return {"records": [{"id": here or "a"}], "next_cursor": following[here]}

    assert [item["id"] for item in by_token(read, "records")] == ["a", "b", "c"]


def test_a_token_that_names_itself_is_an_error() -> None:
    with pytest.raises(ServerFaultError, match="have no end"):
        list(by_token(lambda _: {"records": [], "next_cursor": "x"}, "records"))


def test_an_answer_without_the_list_is_an_error() -> None:
    with pytest.raises(ServerFaultError, match="no list of users"):
        list(OffsetReader(lambda _: {"more": False}, "users").items())
