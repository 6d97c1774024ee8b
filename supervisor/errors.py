"""Every error a person may see: a stable code, a title, what happened to what, and what to do."""

from typing import ClassVar


class McrError(Exception):
    """Root of all. The API turns it into a problem document, the console into a title and a hint."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Something failed here"

    def __init__(self, detail: str, *, hint: str = "", **extra: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint
        self.extra = extra


class NotFound(McrError):
    status, code, title = 404, "not_found", "No such thing"


class Forbidden(McrError):
    status, code, title = 403, "forbidden", "Not allowed"


class Unauthenticated(McrError):
    status, code, title = 401, "unauthenticated", "Who are you?"


class TooMany(McrError):
    """Too many calls of nobody from one address. ``retry_after`` in whole seconds."""

    status, code, title = 429, "too_many", "Too many wrong tokens"

    def __init__(self, detail: str, *, retry_after: int, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after


class Conflict(McrError):
    """State or port; always names what it conflicts with. ``code`` may be a more exact one."""

    status, code, title = 409, "conflict", "Conflicts with what is"

    def __init__(self, detail: str, *, conflict: str = "conflict", hint: str = "", **extra: object) -> None:
        super().__init__(detail, hint=hint, **extra)
        self.conflict = conflict


class Invalid(McrError):
    status, code, title = 422, "invalid", "Cannot be used"


class RevRequired(McrError):
    """A change that does not name the rev it saw could undo somebody else's."""

    status, code, title = 428, "rev_required", "Which rev did you see?"


class PlayoutFailed(McrError):
    """The sidecar or its engine said no or broke: never the caller's conflict."""

    status, code, title = 502, "playout_failed", "The playout failed"


class PlayoutSilent(McrError):
    status, code, title = 504, "playout_silent", "The playout did not answer"


class Unavailable(McrError):
    """No leader, no database, or too much at once. ``retry_after`` in whole seconds."""

    status, code, title = 503, "unavailable", "Not now"

    def __init__(self, detail: str, *, retry_after: int = 2, hint: str = "", **extra: object) -> None:
        super().__init__(detail, hint=hint, **extra)
        self.retry_after = retry_after


class Follows(Unavailable):
    """Another supervisor leads, and commands are its to take; ``leader`` is its address, empty where nobody knows."""

    code, title = "follows", "This supervisor follows"

    def __init__(self, leader: str) -> None:
        super().__init__(
            f"the leader is at {leader}" if leader else "no supervisor is known to lead now",
            hint=f"Ask the leader: {leader}." if leader else "What is on air plays on. Try again.",
            leader=leader,
        )
        self.leader = leader
