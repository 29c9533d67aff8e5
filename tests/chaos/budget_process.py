"""One of many processes that send with one key, until its standard input ends: `… budget_process SANDBOX REDIS LIMIT`."""

from __future__ import annotations

import select
import sys
from dataclasses import replace

from tasks.notifications.service import DeliveryService, Route
from tasks.notifications.telling import Teller
from tasks.utils.connect import connect
from tasks.utils.keys import Keys
from tasks.utils.metrics_collector import Metrics
from tests.pipeline import DEADLINES, Pipeline


def main(url: str, redis_url: str, limit: int) -> None:
    """Drain, over and over."""
    with connect(redis_url) as client:
        pipeline = Pipeline(client, Keys(), url)
        address = replace(pipeline.routes()["shop"].addresses[0], limit=limit)
        old = pipeline.delivery
        delivery = DeliveryService(
            client, pipeline.keys, {"shop": Route([address], DEADLINES)}, old._dispatch, old._rules, Teller(Metrics())
        )
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], 0.05)[0]:
            delivery.digest()
            delivery.drain()
        delivery.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
