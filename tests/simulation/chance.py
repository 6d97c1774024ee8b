"""Where the real code asks for something random or for this machine's time, it is given the seed's."""

import contextlib
import random
import secrets
import time
import uuid
from collections.abc import Callable, Generator
from datetime import datetime
from typing import Any
from unittest.mock import patch

import db.base


class _Time:
    """``time`` as ``db.base`` sees it."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall

    def time_ns(self) -> int:
        return int(self._wall().timestamp() * 1000) * 1_000_000


class _Os:
    """``os`` as ``uuid`` sees it."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def urandom(self, length: int) -> bytes:
        return self._chance.randbytes(length)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"uuid asks for os.{name}, which the simulation does not know")


@contextlib.contextmanager
def seeded(chance: random.Random, wall: Callable[[], datetime]) -> Generator[None]:
    """Ids, nonces and tokens come from ``chance``, the milliseconds in ids from ``wall``, while this lasts.

    Everything else is handed in by the real code's own seams; what is not shows as a log that differs between two runs
    of a seed.
    """
    with contextlib.ExitStack() as patches:
        patches.enter_context(patch.object(uuid, "os", _Os(chance)))
        patches.enter_context(patch.object(secrets, "_sysrand", chance))
        patches.enter_context(patch.object(secrets, "randbits", chance.getrandbits))
        patches.enter_context(patch.object(db.base, "time", _Time(wall)))
        yield


def real_seconds() -> float:
    """This machine's processor time, for what a run costs."""
    return time.process_time()
