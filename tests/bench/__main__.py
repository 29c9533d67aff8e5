"""`make bench`, `make bench BENCH=storm`: figures as JSON lines."""

from __future__ import annotations

import sys

from tests.bench import acts, answers, backup, encryption, flood, ingest, latency, prove, routing, storm, timers

BENCHES = {
    "acts": acts.run,
    "answers": answers.run,
    "backup": backup.run,
    "encryption": encryption.run,
    "flood": flood.run,
    "ingest": ingest.run,
    "latency": latency.run,
    "prove": prove.run,
    "routing": routing.run,
    "storm": storm.run,
    "timers": timers.run,
}


LONG = ("answers", "flood", "timers")  # minutes: only when asked for


def main(names: list[str]) -> None:
    """Run the benches named, or all of them."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.exit(f"there is no bench {unknown[0]!r}; there are: {', '.join(BENCHES)}")
    for name in names or [name for name in BENCHES if name not in LONG]:
        BENCHES[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
