"""Every example of docs/tools.md runs as it stands and prints what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from deploy.local.embedded import Server

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "tools.md").read_text("utf-8")
EXAMPLES = re.findall(r"^## (\w+).*?```python\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)


def test_every_tool_of_the_page_has_an_example() -> None:
    assert [name for name, _, _ in EXAMPLES] == re.findall(r"^## (\w+)", PAGE, re.MULTILINE)
    assert all((ROOT / "tasks" / "utils" / f"{name}.py").is_file() for name, _, _ in EXAMPLES)


@pytest.mark.parametrize(("script", "said"), [pytest.param(*parts, id=name) for name, *parts in EXAMPLES])
def test_an_example_prints_what_the_page_says(
    script: str, said: str, server: Server, client: Any, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path),
        "PYTHONIOENCODING": "utf-8",
    }

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout == said
