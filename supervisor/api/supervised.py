"""What handlers ask supervision about nodes, placements and live files, and what they are told without an answer."""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol, runtime_checkable

from supervisor.agent.live_files import read_hls_file
from supervisor.errors import NotFound, Unavailable
from supervisor.live import NodeSeen
from supervisor.loops.supervision import Supervision
from supervisor.settings import Settings
from supervisor.threads import Threads

READ_S: Final = 5.0
UNDRIVEN: Final = NodeSeen("undriven", None, None, None, "this supervisor has no agent for it")


class CandidateSeen(Protocol):
    """A node as a channel's placement sees it: ``supervisor.decisions.view.Candidate``."""

    @property
    def node_id(self) -> str: ...
    @property
    def node_name(self) -> str: ...
    @property
    def why_not(self) -> str: ...
    @property
    def missing(self) -> Mapping[str, str]: ...


@runtime_checkable
class SeesNodes(Protocol):
    def node_seen(self, node_id: str) -> NodeSeen | None:
        """The node as this supervisor sees it; None for one that it does not watch."""
        ...


@runtime_checkable
class Places(Protocol):
    def placement(self, channel_id: str) -> Sequence[CandidateSeen]:
        """Every other node than where the channel is: whether it could be moved there now, and why not."""
        ...


@runtime_checkable
class ServesLive(Protocol):
    async def live_file(self, channel_id: str, path: str) -> bytes:
        """A file of the channel's HLS from the node where its newest epoch is. Raises NotFound, Unavailable."""
        ...


def node_seen(supervision: Supervision, node_id: str) -> NodeSeen:
    """The node as this supervisor sees it; one that it does not drive says so."""
    whole: object = supervision
    if isinstance(whole, SeesNodes):
        return whole.node_seen(node_id) or UNDRIVEN
    age = supervision.node_answer_age_ms(node_id)
    return UNDRIVEN if age is None else NodeSeen("answers", age / 1000, None, None)


def placement(supervision: Supervision, channel_id: str) -> Sequence[CandidateSeen]:
    """Raises Unavailable where supervision has no answer."""
    whole: object = supervision
    if not isinstance(whole, Places):
        raise Unavailable("this supervisor cannot say where a channel could be placed", retry_after=60)
    return whole.placement(channel_id)


async def live_file(
    supervision: Supervision, settings: Settings, threads: Threads, channel_id: str, path: str
) -> bytes:
    """From the node where the channel's newest epoch is, else from this machine. Raises NotFound, Unavailable."""
    whole: object = supervision
    if isinstance(whole, ServesLive):
        return await whole.live_file(channel_id, path)
    try:
        return await threads.run(READ_S, read_hls_file, str(settings.live_root), channel_id, path)
    except FileNotFoundError as error:
        raise NotFound(str(error)) from None
    except TimeoutError:
        raise Unavailable(f"the media disk did not answer within {READ_S:.0f} s") from None
