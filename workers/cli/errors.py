"""Every error as a sentence that says how to mend it, and the exit code that goes with it."""

import re
import sys
from collections.abc import Callable
from typing import NamedTuple

from workers.cli.output import CliError, ExitCode

_PASSWORD = re.compile(r"(://[^:@/\s]*:)[^@/\s]+@")


class Report(NamedTuple):
    """What the person reads and the program answers."""

    text: str
    code: ExitCode


def explain(error: BaseException, *, again: str) -> Report:
    """The report for any error; `again` is the command that shows its traceback."""
    for names, report in _KNOWN:
        if isinstance(error, tuple(_loaded(name) for name in names)):
            return report(error)
    if isinstance(error, CliError):
        return Report(str(error), error.code)
    if isinstance(error, OSError) and error.filename is not None:
        return Report(f"{error.filename}: {error.strerror}", ExitCode.FAILED)
    what = mask(f"{type(error).__name__}: {error}".rstrip(": "))
    return Report(f"Unexpected error: {what}\nThe whole story: {again}", ExitCode.FAILED)


def mask(text: str) -> str:
    """`text` with the password of every URL in it replaced by ***."""
    return _PASSWORD.sub(r"\1***@", text)


def mask_address(url: str) -> str:
    """A server's address without its password and without what stands behind the `?`."""
    return mask(url.partition("?")[0])


def redis_url() -> str:
    """The configured Redis URL, fit to be shown."""
    from config.errors import ConfigError
    from workers.cli.connection import current_settings

    try:
        return mask_address(current_settings().redis.url.get_secret_value())
    except ConfigError:
        return "the configured address"


def _loaded(name: str) -> type[BaseException]:
    """The class of that name, or one that matches nothing: an error's class can only be raised once imported."""
    module, _, attribute = name.rpartition(".")
    return getattr(sys.modules.get(module), attribute, _NeverRaised)


class _NeverRaised(BaseException):
    pass


def _plainly(code: ExitCode) -> Callable[[BaseException], Report]:
    return lambda error: Report(mask(str(error)), code)


def _redis_refuses(error: BaseException) -> Report:
    return Report(
        f"Redis at {redis_url()} refuses us: {mask(str(error))}\nMend user and password in REDIS_URL.",
        ExitCode.BAD_CONFIG,
    )


def _redis_loads(error: BaseException) -> Report:
    return Report(f"Redis at {redis_url()} is still starting: {error}\nTry again in a moment.", ExitCode.TRY_LATER)


def _redis_away(error: BaseException) -> Report:
    url = redis_url()
    mend = "Start it, or set REDIS_URL to where it runs. `tocsin up` starts everything, Redis included."
    if url.startswith("rediss:"):  # a server that misses a certificate just hangs up
        mend = f"{mend}\nIt is spoken to by TLS: look at redis.tls_ca_file, redis.tls_cert_file and redis.tls_key_file, too."
    return Report(
        f"Redis at {url} does not answer: {mask(str(error))}\n{mend}",
        ExitCode.UNAVAILABLE,
    )


def _faulty(what: str) -> Callable[[BaseException], Report]:
    def listed(error: BaseException) -> Report:
        problems = "\n".join(f"  {problem}" for problem in getattr(error, "errors", [str(error)]))
        return Report(f"{what}:\n{problems}", ExitCode.USAGE)

    return listed


_KNOWN: tuple[tuple[tuple[str, ...], Callable[[BaseException], Report]], ...] = (
    (("config.errors.ConfigError",), _plainly(ExitCode.BAD_CONFIG)),
    (("tasks.utils.error_handler.InvalidAlertError",), _faulty("This alert cannot be sent")),
    (("tasks.utils.error_handler.InvalidRuleError",), _faulty("This silence cannot be made")),
    (("tasks.incidents.wishes.InvalidActionError",), _faulty("This cannot be asked of PagerDuty")),
    (("tasks.utils.error_handler.TransientError",), _plainly(ExitCode.TRY_LATER)),
    (("tasks.utils.error_handler.TocsinError",), _plainly(ExitCode.FAILED)),
    (("redis.exceptions.AuthenticationError", "redis.exceptions.AuthorizationError"), _redis_refuses),
    (("redis.exceptions.BusyLoadingError",), _redis_loads),
    (
        (
            "redis.exceptions.ConnectionError",
            "redis.exceptions.TimeoutError",
            "kombu.exceptions.OperationalError",
        ),
        _redis_away,
    ),
)
