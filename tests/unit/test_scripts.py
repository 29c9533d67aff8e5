"""The Lua scripts as the server gets them."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tasks.utils.scripts import LUA, source

LOCALS = re.compile(r"^local (?:function )?([\w, ]+?)(?: ?=|\()", re.MULTILINE)


@pytest.mark.parametrize("name", sorted(file.stem for file in LUA.glob("*.lua")))
def test_no_two_parts_of_a_script_use_the_same_name(name: str) -> None:
    """Else what is included last takes the place of the other for all that follows."""
    names = [one for line in LOCALS.findall(source(name, "tocsin:")) for one in re.split(r", ?", line)]

    assert [one for one, times in Counter(names).items() if times > 1] == []
