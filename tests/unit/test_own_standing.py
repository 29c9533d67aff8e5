"""When an own alert is told, and when its end is; no clock, no server."""

from __future__ import annotations

from tasks.health.models import Finding
from tasks.health.standing import Patience, Standing, step

SECOND = 1000
AMISS = Finding("redis_away", "critical", "Redis does not answer", "start it")
PATIENCE = Patience(raise_after=10 * SECOND, resolve_after=60 * SECOND, gap=45 * SECOND)


class Watch:
    """Looks every ten seconds and tells at once."""

    def __init__(self) -> None:
        self.now = 0
        self.standing: Standing | None = None
        self.said: list[tuple[int, str]] = []

    def look(self, finding: Finding | None, times: int = 1, every: int = 10) -> None:
        for _ in range(times):
            self.now += every * SECOND
            self.standing, verb = step(self.standing, finding, self.now, PATIENCE)
            if verb:
                self.said.append((self.now // SECOND, verb))
            if verb == "trigger":
                self.standing = Standing(**{**vars(self.standing), "told": self.now})
            elif verb:
                self.standing = None


def test_one_bad_look_is_not_told() -> None:
    watch = Watch()

    watch.look(AMISS)
    watch.look(None, 20)

    assert watch.said == []
    assert watch.standing is None


def test_what_stays_amiss_is_told_once_and_its_end_once() -> None:
    watch = Watch()

    watch.look(AMISS, 30)
    watch.look(None, 30)

    assert watch.said == [(20, "trigger"), (370, "resolve")]


def test_what_is_well_for_a_moment_only_is_not_told_again() -> None:
    watch = Watch()

    for _ in range(20):
        watch.look(AMISS, 3)
        watch.look(None, 3)

    assert watch.said == [(20, "trigger")]


def test_what_is_amiss_for_a_moment_only_is_never_told() -> None:
    watch = Watch()

    for _ in range(20):
        watch.look(AMISS)
        watch.look(None)

    assert watch.said == []


def test_looks_that_lie_far_apart_do_not_add_up() -> None:
    watch = Watch()

    watch.look(AMISS)
    watch.look(AMISS, 5, every=600)  # a machine that sleeps nearly all the time

    assert watch.said == []


def test_a_clock_that_is_set_back_begins_the_count_anew() -> None:
    watch = Watch()
    watch.look(AMISS)

    watch.now -= 3600 * SECOND
    watch.look(AMISS, 2)

    assert watch.said == [(-3580 + 10, "trigger")]


def test_what_nobody_took_is_tried_again_but_not_at_every_look() -> None:
    standing, said = None, []
    for now in range(0, 100 * SECOND, 10 * SECOND):
        standing, verb = step(standing, AMISS, now, PATIENCE)
        if verb:
            said.append(now // SECOND)
            standing = Standing(**{**vars(standing), "tried": now})

    assert said == [10, 40, 70]


def test_a_place_that_may_have_got_it_is_told_the_end_although_nobody_took_it_for_sure() -> None:
    standing = Standing(AMISS, 0, 0, is_bad=True, places=("chat|abc",))

    said = []
    for now in range(10 * SECOND, 100 * SECOND, 10 * SECOND):
        standing, verb = step(standing, None, now, PATIENCE)
        said += [verb] if verb else []

    assert set(said) == {"resolve"}


def test_a_standing_is_kept_as_it_was() -> None:
    standing = Standing(AMISS, 5, 3, is_bad=True, told=4, places=("chat|abc", "page|def"), tried=2)

    assert Standing.from_json(standing.to_json()) == standing
