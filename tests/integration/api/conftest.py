from collections.abc import Iterator

import httpx
import pytest

from tests.integration.api.kit import Api, running_api


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with running_api(tmp_path_factory.mktemp("api")) as api:
        yield api
        assert api.gateway.log.read_text() == "", "no request may leave a traceback"


@pytest.fixture
def api(running: Api) -> Api:
    running.forget()
    return running


@pytest.fixture
def http(api: Api) -> Iterator[httpx.Client]:
    with api.client("admin") as client:
        yield client
