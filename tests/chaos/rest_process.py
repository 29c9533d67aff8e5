"""One of many processes that call PagerDuty with one key as fast as they may: `… rest_process SANDBOX REDIS`, until its input ends."""

from __future__ import annotations

import select
import sys

from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tasks.utils.rest.errors import ThrottledError
from tests.integration.rest.kit import rest_of


def main(url: str, redis_url: str) -> None:
    """Call, over and over; whoever is told to come back later comes back then, as a row with a due time would."""
    with connect(redis_url) as client, rest_of(client, Keys(), url) as rest:
        print("ready", flush=True)
        wait = 0.0
        while not select.select([sys.stdin], [], [], wait)[0]:
            try:
                rest.caller.get("/services")
                wait = 0.0
            except ThrottledError as error:
                wait = error.retry_after or 1.0


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
