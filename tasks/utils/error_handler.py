"""Every error raised on purpose, sorted by whether trying again may help."""


class TocsinError(Exception):
    """Base of every error raised on purpose; its text is meant for a person."""


class TransientError(TocsinError):
    """May pass by itself. `retry_after` is the other side's own wish, in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PermanentError(TocsinError):
    """Trying again cannot help: a bad request, an unknown id, a rejected token."""


class InvalidAlertError(PermanentError):
    """An alert that cannot be delivered as it stands; `errors` names every field at fault."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors
