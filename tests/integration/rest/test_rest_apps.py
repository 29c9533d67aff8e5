"""An OAuth app in place of the key, on the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tasks.utils.error_handler import PermanentError
from tasks.utils.rest.errors import ForbiddenError, TokenRefusedError
from tests.integration.rest.kit import rest_of, rest_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tasks.utils.keys import Keys
    from tasks.utils.rest.client import RestClient
    from tests.conftest import Sandbox

SECRET = "s3cr3t-of-the-app"
ASKED = ("POST", "/oauth/token", 200)
LISTED = ("GET", "/services", 200)
Made = Any


@pytest.fixture
def app(client: Any, keys: Keys, sandbox: Sandbox) -> Iterator[Callable[..., RestClient]]:
    """Clients of an app that may read services; each as one process has it."""
    allowed = {"client_id": "app-1", "client_secret": SECRET, "scopes": ["services.read", "users.read"]}
    sandbox.control("PUT", "/account", {"oauth_clients": [allowed]})
    made = []

    def make(**changes: str) -> RestClient:
        oauth = {
            "client_id": "app-1",
            "client_secret": SECRET,
            "scopes": "services.read users.read",
            "subdomain": "acme",
            "token_url": f"{sandbox.url}/oauth/token",
            **changes,
        }
        rest = rest_of(client, keys, sandbox.url, {f"pagerduty.oauth.{name}": value for name, value in oauth.items()})
        made.append(rest)
        return rest

    yield make
    for rest in made:
        rest.close()


def test_one_token_serves_many_calls(app: Made, sandbox: Sandbox) -> None:
    rest = app()

    for _ in range(3):
        list(rest.services.list())

    assert rest_requests(sandbox) == [ASKED, LISTED, LISTED, LISTED]


def test_a_token_that_was_revoked_is_replaced_at_once(app: Made, sandbox: Sandbox) -> None:
    rest = app()
    list(rest.services.list())
    sandbox.control("POST", "/tokens/revoke")

    list(rest.services.list())

    assert rest_requests(sandbox) == [ASKED, LISTED, ("GET", "/services", 401), ASKED, LISTED]


def test_a_secret_that_is_wrong_is_an_error_that_names_the_settings(app: Made) -> None:
    with pytest.raises(TokenRefusedError, match=r"invalid_client.*pagerduty\.oauth") as caught:
        list(app(client_secret="another").services.list())

    assert "another" not in f"{caught.value!r}"


def test_an_account_of_the_other_region_is_an_error(app: Made) -> None:
    with pytest.raises(TokenRefusedError):
        list(app(region="eu").services.list())


def test_an_app_without_any_of_the_scopes_is_an_error_before_the_first_call(app: Made, sandbox: Sandbox) -> None:
    with pytest.raises(PermanentError, match="none of the scopes asked for"):
        list(app(scopes="incidents.read incidents.write").services.list())

    assert rest_requests(sandbox) == [ASKED]


def test_a_scope_that_is_missing_is_named_when_it_is_needed(app: Made) -> None:
    with pytest.raises(ForbiddenError, match=r"needs the scope incidents\.read"):
        list(app().incidents.list())
