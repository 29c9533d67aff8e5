"""What `tests/program.py` asks: it has imported what most commands need, and each run of `tocsin` is a process forked from it."""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
import time
from typing import Any


def serve(orders: socket.socket) -> None:
    """Returns in each process that is to be the program, and in this one once nobody asks any more."""
    keepers = []
    while True:
        size, fds, *_ = socket.recv_fds(orders, 4, 4)
        if not size:
            for keeper in keepers:
                os.waitpid(keeper, 0)
            sys.exit()
        order = json.loads(orders.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL))
        keepers = [keeper for keeper in keepers if os.waitpid(keeper, os.WNOHANG) == (0, 0)]
        if not (keeper := os.fork()):
            orders.close()
            become(order, *fds)
            return
        keepers.append(keeper)
        for fd in fds:
            os.close(fd)


def become(order: dict[str, Any], stdin: int, stdout: int, stderr: int, reply: int) -> None:
    """Returns in the program's process; the one above tells its id, and how it ended."""
    if program := os.fork():
        os.write(reply, b"%d\n" % program)
        os.write(reply, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(program, 0)[1]))
        os._exit(0)
    os.close(reply)
    for number, fd in enumerate((stdin, stdout, stderr)):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv[1:] = order["words"]


def warm_up() -> None:
    """Import what most commands need; each command's own modules are left for its process to find."""
    import celery.app.base
    import httpx
    import typer._adapters

    import workers.cli.main
    import workers.cli.wiring  # noqa: F401

    del celery, httpx, typer
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    warm_up()
    serve(socket.socket(fileno=int(sys.argv[1])))
    from workers.cli.start import main

    main()
