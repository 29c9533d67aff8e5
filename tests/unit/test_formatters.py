from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.utils.formatters import DEEPEST, NOTE, cut_text, is_tame, json_bytes, shrink_details, tame
from tests.searching import searched


def nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = [value]
    return value


@searched(40)
@given(text=st.text(max_size=40), limit=st.integers(1, 40))
def test_a_cut_text_is_never_longer_than_its_limit_and_begins_alike(text: str, limit: int) -> None:
    short = cut_text(text, limit)

    assert len(short) <= limit
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


BRACKETS = st.text('[]{}"\\ ä', max_size=6)
NESTED = st.recursive(BRACKETS, lambda part: st.lists(part, max_size=3) | st.dictionaries(BRACKETS, part, max_size=3))


@searched(40)
@given(value=NESTED, above=st.integers(DEEPEST - 6, DEEPEST))
def test_a_value_is_tame_up_to_the_deepest_level_whatever_its_texts_hold(value: Any, above: int) -> None:
    wrapped = value
    for _ in range(above):
        wrapped = {"x": [wrapped]} if above % 2 else [wrapped]

    assert is_tame(wrapped) == (levels(wrapped) <= DEEPEST)


def levels(value: Any) -> int:
    parts = value.values() if isinstance(value, dict) else value
    return 0 if isinstance(value, str) else 1 + max((levels(part) for part in parts), default=0)


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("-inf"), {1, 2}, nested(DEEPEST + 1), nested(5_000)])
def test_what_json_cannot_carry_is_not_tame_until_it_is_tamed(value: Any) -> None:
    assert not is_tame({"x": value})
    assert is_tame(tame({"x": value}))


def test_many_flat_parts_are_tame() -> None:
    assert is_tame({"rows": [[] for _ in range(1_000)]})


def test_taming_changes_only_what_must_change() -> None:
    value = {"a": [1, 2.5, None, True, "é"], "b": float("inf"), "c": (1, "\udfff"), 4: {}}

    assert tame(value) == {"a": [1, 2.5, None, True, "é"], "b": "inf", "c": [1, "?"], "4": {}}


def test_the_largest_values_are_cut_to_one_level_and_small_ones_stay_whole() -> None:
    short = shrink_details({"a": "x" * 9_000, "b": ["y"] * 5_000, "c": "small", "d": {"e": 1}}, 12_000)

    assert json_bytes(short) <= 12_000
    assert (short["c"], short["d"]) == ("small", {"e": 1})
    assert short["a"] == "x" * (len(short["a"]) - 1) + "…"
    assert short["b"].startswith('["y","y"')
    assert short[NOTE]["bytes_before"] == {"b": 20_001, "a": 9_002}
    assert short[NOTE]["note"].startswith("2 of the details were cut")


def test_of_countless_details_the_first_ones_are_kept() -> None:
    short = shrink_details({f"name{n}": n for n in range(100_000)}, 20_000)

    assert json_bytes(short) <= 20_000
    assert short["name0"] == 0
    assert short[NOTE]["note"].startswith(f"{100_000 - len(short) + 1} of the details")


ODD_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


@searched(40)
@given(
    details=st.dictionaries(ODD_TEXT, ODD_TEXT | st.lists(ODD_TEXT, max_size=30), max_size=60),
    budget=st.integers(4_000, 9_000),
)
def test_shrunk_details_always_fit(details: dict[str, Any], budget: int) -> None:
    assert json_bytes(shrink_details(details, budget)) <= budget
