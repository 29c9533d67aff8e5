"""The Lua scripts as the server gets them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tasks.utils.lua_pruning import prune
from tasks.utils.scripts import LUA, source

LOCALS = re.compile(r"^local (?:function )?([\w, ]+?)(?: ?=|\()", re.MULTILINE)


@pytest.mark.parametrize("name", sorted(file.stem for file in LUA.glob("*.lua")))
def test_no_two_parts_of_a_script_use_the_same_name(name: str) -> None:
    """Else what is included last takes the place of the other for all that follows."""
    names = [one for line in LOCALS.findall(source(name, "tocsin:")) for one in re.split(r", ?", line)]

    assert [one for one, times in Counter(names).items() if times > 1] == []


SHARED = """local LIMIT = 3
local function base(x) return x + LIMIT end
local function unused(x)
  return base(x)
end
local function deep(x)
  return base(x)
end
local function take_up(x)
  return deep(x)
end
"""


def test_what_a_script_never_calls_is_left_out() -> None:
    code = prune(SHARED, "return base(1)")

    assert "local LIMIT = 3" in code
    assert "local function base" in code
    assert "unused" not in code
    assert "take_up" not in code


def test_what_only_a_rarely_called_function_needs_is_made_when_that_is_called() -> None:
    code = prune(SHARED, "base(1) if false then take_up(1) end")

    assert "\nlocal function deep" not in code
    assert "local function take_up(x)\n  local function deep(x)" in code
    assert code.index("local function base") < code.index("local function deep")
