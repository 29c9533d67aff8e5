import signal
import sys


def main() -> int:
    """Run `up` or `demo`; the exit code."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is at stake yet: no traceback for a Ctrl-C
    from deploy.local.program import main as program  # noqa: PLC0415

    return program()


if __name__ == "__main__":
    sys.exit(main())
