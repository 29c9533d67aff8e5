from __future__ import annotations

from deploy.sandbox.call import Answer, Call, Outcome, to_json

METHOD_NOT_ALLOWED = to_json({"error": {"message": "Method Not Allowed", "code": 2000}})
NOT_FOUND = to_json({"error": {"message": "Not Found", "code": 2100}})


class Endpoint:
    """One imitated API: how it answers, and how it looks when it throttles or fails. This one knows no path at all."""

    methods: tuple[str, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")

    def read(self, call: Call) -> None:
        """Fill in what the log and the faults need to know of the body."""

    def answer(self, call: Call) -> Answer:  # noqa: ARG002 - the base knows one answer only
        """What the API answers, with every effect it has."""
        return Answer(404, NOT_FOUND, Outcome.INVALID)

    def throttled(self, *, headers: bool | None) -> Answer:
        """The answer to one request too many, with or without headers; None is as the API itself does it."""
        named = ((b"retry-after", b"30"),) if headers else ()
        return Answer(429, b"", Outcome.THROTTLED, named)

    def rejected(self) -> bytes:
        """The body of a 4xx that faults make up."""
        return NOT_FOUND

    def swallowed(self, call: Call) -> Answer:
        """A success that has no effect; APIs that only read just answer."""
        return self.answer(call)
