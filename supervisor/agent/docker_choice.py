"""What ``mcr agent --launcher docker`` was told of its engine, and the launcher that follows from it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from supervisor.clock import Clock

if TYPE_CHECKING:
    from supervisor.agent.docker_launcher import DockerLauncher

LOCAL_ENGINE: Final = "unix:///var/run/docker.sock"
PROGRAM: Final = ("python", "-P", "-m", "sidecar")
"""What the image runs for a channel."""
_CARDS: Final = Path("/dev/blackmagic")


@dataclass(frozen=True, slots=True)
class DockerChoice:
    """As ``EngineAddress`` and ``DockerOptions``."""

    image: str = ""
    url: str = LOCAL_ENGINE
    certificates: Path | None = None
    network: str = "host"
    door_host: str = "127.0.0.1"
    media: tuple[str, ...] = ()

    def launcher(self, owner: str, clock: Clock) -> "DockerLauncher":
        """``async with`` it. Containers run as this user. Raises Invalid."""
        # The engine's SDK is slow to load, and most agents have none.
        from supervisor.agent.docker_container import DockerOptions
        from supervisor.agent.docker_engine import Engine, EngineAddress
        from supervisor.agent.docker_launcher import DockerLauncher

        address = EngineAddress(self.url, self.certificates)
        options = DockerOptions(
            owner=owner,
            image=self.image,
            user=f"{os.getuid()}:{os.getgid()}",
            media=self.media,
            network=self.network,
            door_host=self.door_host,
            card_groups=_card_groups() if address.is_local else (),
        )
        return DockerLauncher(Engine(address), options, clock)


def _card_groups() -> tuple[str, ...]:
    """The groups that own the cards' devices on this machine, which may be the engine's."""
    try:
        return tuple(sorted({str(device.stat().st_gid) for device in _CARDS.iterdir()}))
    except OSError:
        return ()
