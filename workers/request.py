"""A request that shows no payload: argument texts reach events, Flower, `inspect` and logs."""

from __future__ import annotations

from typing import Any, Final

from celery.worker.request import Request

HIDDEN: Final = "(not shown)"


class QuietRequest(Request):
    """Celery's request for tasks whose arguments are alerts."""

    def __init__(self, message: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(message, *args, **kwargs)
        self._argsrepr = self._kwargsrepr = HIDDEN
        self._request_dict.update(argsrepr=HIDDEN, kwargsrepr=HIDDEN)

    def info(self, safe: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - Celery's signature
        """What `inspect` shows; never the arguments themselves."""
        return {**super().info(safe=safe), "args": HIDDEN, "kwargs": HIDDEN}
