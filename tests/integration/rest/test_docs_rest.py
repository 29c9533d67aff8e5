"""What docs/rest.md shows runs as it stands and prints what the page says; its tables tell what there is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.rest import errors
from tests.conftest import ROOT
from tests.integration.rest.kit import SENDER, TOKEN, make_user

if TYPE_CHECKING:
    from pathlib import Path

    from deploy.local.embedded import Server
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

PAGE = (ROOT / "docs" / "rest.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```\n```text\n(.*?)```", PAGE, re.DOTALL)
NAMES = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| (.*) \|$", PAGE, re.MULTILINE)


@pytest.fixture
def shop(rest: RestClient, sandbox: Sandbox) -> None:
    """The service of the page, and the user in whose name things are changed."""
    sandbox.control("PUT", "/account", {"services": [{"id": "PSHOP01", "name": "Shop"}]})
    make_user(rest)


@pytest.mark.usefixtures("shop", "client")
@pytest.mark.parametrize(("script", "said"), EXAMPLES, ids=["script", "task"])
def test_an_example_prints_what_the_page_says(
    script: str, said: str, sandbox: Sandbox, server: Server, tmp_path: Path
) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PAGERDUTY_API_URL": sandbox.url,
        "PAGERDUTY_API_KEY": TOKEN,
        "PAGERDUTY_FROM_EMAIL": SENDER,
        "REDIS_URL": server.url,
        "TOCSIN_STATE_DIR": str(tmp_path),
    }

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == (said, "")


def test_every_resource_of_the_page_is_there_with_its_verbs(rest: RestClient) -> None:
    resources = [(name, verbs) for names, verbs in NAMES for name in re.findall(r"\w+", names)]
    resources = [(name, verbs) for name, verbs in resources if not name.endswith("Error")]

    assert {name for name, _ in resources} == {name for name in vars(rest) if not name.startswith("_")}
    for verb in re.findall(r"\w+", resources[0][1]):
        assert callable(getattr(rest.incidents, verb))
    for name, verb in re.findall(r"`(\w+)\.(\w+)`", PAGE):
        owner: Any = getattr(rest, name, None)
        assert owner is None or callable(getattr(owner, verb))


def test_every_error_of_the_page_exists_and_every_error_is_on_the_page() -> None:
    kinds = {name for name in vars(errors) if name.endswith("Error")} - {
        "PermanentError",
        "TransientError",
        "UnknownError",
    }

    assert kinds - {"RefusedError", "UnavailableError"} <= set(re.findall(r"\w+Error", PAGE))
    assert set(re.findall(r"\w+Error", PAGE)) <= kinds | {"PermanentError", "TransientError"}
