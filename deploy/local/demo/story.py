import subprocess
from typing import Final

import httpx
import redis
from kombu.exceptions import OperationalError

from deploy.local.demo.alert import StoryError
from deploy.local.demo.ending import end
from deploy.local.demo.scenes import SCENES
from deploy.local.demo.stage import Stage
from deploy.local.terminal import Level
from deploy.local.up import Running

TROUBLE: Final = (StoryError, httpx.HTTPError, redis.RedisError, OperationalError, subprocess.TimeoutExpired)


def tell(running: Running) -> int:
    """Play every scene on the running group, show what became of it and prove it; 1 if anything does not fit."""
    try:
        with Stage(running) as stage:
            is_told = _play(stage)
            return 0 if end(stage) and is_told else 1
    except TROUBLE as trouble:
        running.terminal.say("demo", f"cannot go on: {trouble}", Level.ERROR)
        return 1


def _play(stage: Stage) -> bool:
    """Whether all scenes could be played to their end; what became of the alerts is of interest even if not."""
    delivery = stage.settings.delivery
    lease, deadline = delivery.lease.total_seconds(), delivery.deadline.total_seconds()
    stage.tell(
        "A story in six scenes, with real alerts",
        "A sandbox stands in for PagerDuty, so nobody is called. To spare you waiting, a worker's lease on an "
        f"alert ends after {lease:g} s (30 s by default) and its requests are given up after {deadline:g} s (10 s).",
    )
    try:
        for scene in SCENES:
            scene(stage)
    except StoryError as trouble:
        stage.say("demo", str(trouble), Level.ERROR)
        return False
    return True
