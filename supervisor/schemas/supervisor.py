"""The supervisor itself: its health and its end."""

from supervisor.schemas.base import Schema


class ShutdownIn(Schema):
    """``off_air`` false: the supervisor ends and playout goes on. True: every channel is stopped first, for good."""

    off_air: bool = False


class ShutdownDone(Schema):
    """``stopped``: channels that were taken off air, each confirmed, before the supervisor ended."""

    stopped: int


class Health(Schema):
    """``ok`` is true whenever this is answered; what is missing is in the problem document of a 503."""

    ok: bool = True
