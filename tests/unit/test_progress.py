"""How far work has come: said by who does it, shown by who asked."""

from __future__ import annotations

from tasks.utils.progress import Progress, Seldom, report, shown


def test_reports_go_to_whoever_looks_and_to_nobody_else() -> None:
    seen: list[Progress] = []
    report(1, 2, "objects")

    with shown(seen.append):
        report(2, 2, "objects")
    report(3, 3, "objects")

    assert seen == [Progress(2, 2, "objects")]


def test_of_many_reports_the_first_and_the_last_are_shown_and_one_a_second_between() -> None:
    seen: list[int] = []
    now = 100.0
    show = Seldom(lambda progress: seen.append(progress.done), lambda: now)

    for done in range(1, 101):
        now += 0.125
        show(Progress(done, 100, "files"))

    assert seen[0] == 1
    assert seen[-1] == 100
    assert len(seen) == 14


def test_something_else_is_shown_at_once() -> None:
    seen: list[str] = []
    show = Seldom(lambda progress: seen.append(progress.what), lambda: 0.0)

    for what in ("files", "files", "objects"):
        show(Progress(1, 9, what))

    assert seen == ["files", "objects"]


def test_progress_reads_as_words() -> None:
    assert str(Progress(3, 9, "files")) == "3 of 9 files"
    assert str(Progress(3, 0, "files")) == "3 files"
