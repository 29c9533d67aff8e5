"""Matchers and the labels they ask for."""

import time

import pytest

from config.errors import UnfitError
from config.matchers import Matcher, all_match
from tasks.alerts.labels import labels_of


@pytest.mark.parametrize(
    ("text", "labels", "holds"),
    [
        ("team=db", {"team": "db"}, True),
        ("team=db", {"team": "web"}, False),
        ("team!=db", {}, True),
        ("team=", {}, True),
        ('severity=~"critical|error"', {"severity": "error"}, True),
        ("severity=~err", {"severity": "error"}, False),
        ("host!~web.*", {"host": "web1"}, False),
        ("host!~web.*", {"host": "db1"}, True),
        ("summary=~a.*b", {"summary": "a\nb"}, True),
        (" team = 'db' ", {"team": "db"}, True),
        ("url=http://x/?a=b", {"url": "http://x/?a=b"}, True),
    ],
)
def test_a_matcher_holds_as_in_alertmanager(text: str, labels: dict[str, str], holds: bool) -> None:  # noqa: FBT001
    assert Matcher.parse(text).matches(labels) is holds


@pytest.mark.parametrize("text", ["", "team", "=db", "a=~(", "a=~[", 5, None, "a=" + "x" * 2000])
def test_what_is_no_matcher_is_refused_with_the_mend(text: object) -> None:
    with pytest.raises(UnfitError) as refused:
        Matcher.parse(text)

    assert "LABEL=VALUE" in refused.value.mend


def test_no_expression_takes_more_than_linear_time() -> None:
    matcher = Matcher.parse("a=~(x+x+)+y")
    started = time.perf_counter()

    assert not matcher.matches({"a": "x" * 20_000})

    assert time.perf_counter() - started < 1


def test_a_matcher_gives_its_text_back() -> None:
    assert [str(Matcher.parse(text)) for text in ("a = b", 'a=~"b|c"')] == ["a=b", "a=~b|c"]
    assert Matcher.parse("a=b") == Matcher.parse(" a =b")
    assert all_match((Matcher.parse("a=1"), Matcher.parse("b=2")), {"a": "1", "b": "2"})


def test_labels_come_from_the_fields_then_the_senders_labels_then_the_details() -> None:
    alert = {
        "service": "shop",
        "event_action": "trigger",
        "dedup_key": "k",
        "payload": {
            "summary": "s",
            "source": "web1",
            "severity": "error",
            "class": "Disk",
            "custom_details": {
                "team": "db",
                "load": 1.5,
                "ok": True,
                "list": [1],
                "source": "liar",
                "labels": {"team": "web", "severity": "page"},
            },
        },
    }

    assert labels_of(alert) == {
        "team": "web",
        "load": "1.5",
        "ok": "true",
        "source": "web1",
        "severity": "error",
        "summary": "s",
        "class": "Disk",
        "service": "shop",
        "dedup_key": "k",
        "action": "trigger",
    }


def test_an_alert_without_payload_has_labels_too() -> None:
    assert labels_of({"event_action": "resolve", "dedup_key": "k", "service": "shop"}) == {
        "service": "shop",
        "dedup_key": "k",
        "action": "resolve",
    }
