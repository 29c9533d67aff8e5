"""Senders as their users run them, each from its own package, through a whole fleet to the sandbox."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.senders import cache
from tests.senders.conftest import PAGERDUTY

if TYPE_CHECKING:
    import httpx

    from tests.senders.conftest import Tocsin

PROGRAMS = Path(__file__).parent / "programs"
OUTCOMES = {"trigger": "opened", "acknowledge": "acknowledged", "resolve": "resolved"}


def program(sender: str) -> tuple[Path | str, Path]:
    """How to run a sender; skips the test where it is not installed."""
    if sender == "pdjs":
        node, folder = shutil.which("node"), cache.node_modules()
        if node is None or folder is None:
            pytest.skip(f"@pagerduty/pdjs is not installed: {cache.HOW}, where Node and npm are")
        copy = folder / "pdjs_client.js"  # Node looks for packages beside the program
        shutil.copy(PROGRAMS / copy.name, copy)
        return node, copy
    python = cache.python(sender)
    if python is None:
        pytest.skip(f"{sender} is not installed: {cache.HOW}")
    return python, PROGRAMS / f"{sender}_client.py"


def live(tocsin: Tocsin, sender: str, *keys: str, actions: tuple[str, ...] = tuple(OUTCOMES)) -> list[Any]:
    """Have a sender trigger, acknowledge and resolve, each once what came before has arrived; returns what it opened each key with."""
    for number, action in enumerate(actions, 1):
        assert tocsin.send(*program(sender), action=action, key=keys[0]) == keys[0]
        for key in keys:
            story = tocsin.story(key, length=number)
            assert [entry["outcome"] for entry in story] == [OUTCOMES[action] for action in actions[:number]]
    return [tocsin.story(key, length=1)[0]["body"] for key in keys]


def test_pagerdutys_own_python_client(tocsin: Tocsin) -> None:
    [opened] = live(tocsin, "pagerduty", "pagerduty/диск\t1")

    payload = {"summary": "disk full", "source": "db-1", "severity": "error", "custom_details": {"free": "1 %"}}
    assert opened["payload"] == payload
    assert f"{PAGERDUTY}:443" in tocsin.proxy.asked


def test_pagerdutys_own_python_client_sends_changes_and_takes_another_address(tocsin: Tocsin) -> None:
    tocsin.send(*program("pagerduty"), action="change", key="7")
    given = tocsin.send(*program("pagerduty"), action="elsewhere", key="")

    assert tocsin.has_change("deployed after 7")
    assert len(tocsin.story(given, length=1)) == 1


def test_pagerdutys_own_node_client(tocsin: Tocsin) -> None:
    [opened] = live(tocsin, "pdjs", "pdjs/1")
    tocsin.send(*program("pdjs"), action="change", key="pdjs/1")

    assert opened["payload"] == {"summary": "disk full", "source": "db-1", "severity": "error"}
    assert tocsin.has_change("deployed after pdjs/1")


def test_pdpyras(tocsin: Tocsin) -> None:
    [opened] = live(tocsin, "pdpyras", "pdpyras/1")

    assert opened["payload"]["custom_details"] == {"free": "1 %"}


def test_pypd_in_both_versions(tocsin: Tocsin) -> None:
    new, old = live(tocsin, "pypd", "pypd/1", "pypd/1/v1")

    assert new["payload"] == {"summary": "disk full", "source": "db-1", "severity": "error"}
    assert (old["payload"]["summary"], old["payload"]["severity"]) == ("disk full", "critical")
    assert old["payload"]["custom_details"] == {"free": "1 %"}


def test_pygerduty(tocsin: Tocsin) -> None:
    [opened] = live(tocsin, "pygerduty", "pygerduty/1")

    assert (opened["payload"]["source"], opened["payload"]["severity"]) == ("probe", "error")
    assert opened["links"] == [{"href": "http://graph.example", "text": "Graph"}]
    assert opened["client_url"] == "http://probe.example"


def test_apprise_which_cannot_acknowledge(tocsin: Tocsin) -> None:
    [opened] = live(tocsin, "apprise", "apprise-1", actions=("trigger", "resolve"))

    assert (opened["payload"]["severity"], opened["payload"]["source"]) == ("critical", "db-1")
    assert "disk full" in opened["payload"]["summary"]
    assert "x" * 20 not in tocsin.fleet.last_lines(), "its stray Authorization header is not for the log"


def test_elastalert2_in_both_versions(tocsin: Tocsin) -> None:
    new, old = live(tocsin, "elastalert2", "elastalert/1", "elastalert/1/v1")

    assert (new["payload"]["source"], new["payload"]["severity"]) == ("db-1", "error")
    assert (old["payload"]["source"], old["payload"]["severity"]) == ("ElastAlert", "critical")
    assert "disk full on db-1" in old["payload"]["custom_details"]["information"]


def alert(via: str, *, over: bool) -> dict[str, Any]:
    labels = {"alertname": f"Down by {via}", "via": via, "severity": "warning", "instance": "db-1"}
    ends = {"endsAt": (datetime.now(UTC) - timedelta(seconds=1)).isoformat()} if over else {}
    return {"labels": labels, "annotations": {"summary": "db-1 is down"}, **ends}


@pytest.mark.parametrize(("via", "severity"), [("v2", "warning"), ("v1", "critical"), ("webhook", "warning")])
def test_alertmanager_triggers_and_resolves(
    tocsin: Tocsin, alertmanager: httpx.Client, via: str, severity: str
) -> None:
    def story() -> list[dict[str, Any]]:
        log = tocsin.fleet.sandbox.log()
        key = next((e["dedup_key"] for e in log if f"by {via}" in str(e.get("body"))), None)
        return [e for e in log if e["dedup_key"] == key]

    alertmanager.post("/api/v2/alerts", json=[alert(via, over=False)]).raise_for_status()
    tocsin.fleet.wait(lambda: [e["outcome"] for e in story()] == ["opened"], 30, "the alert did not arrive")
    alertmanager.post("/api/v2/alerts", json=[alert(via, over=True)]).raise_for_status()
    tocsin.fleet.wait(lambda: len(story()) == 2, 30, "the resolve did not arrive")

    assert [e["outcome"] for e in story()] == ["opened", "resolved"]
    assert story()[0]["body"]["payload"]["severity"] == severity
    assert "db-1" in str(story()[0]["body"])


def test_every_event_of_every_sender_is_accounted_for(tocsin: Tocsin) -> None:
    assert tocsin.proves(), tocsin.fleet.last_lines()
