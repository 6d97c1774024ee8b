"""Who listens, from outside: what of a channel arrives where, whoever sent it."""

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from tests.simulation.outputs import SimOutput

if TYPE_CHECKING:
    from tests.simulation.sidecar import SimSidecar
    from tests.simulation.world import World

SESSION_S: Final = 8.0
"""How long a receiver keeps a session on which nothing comes."""
Wins = Literal["first", "last"]


@dataclass(eq=False, slots=True)
class Session:
    """``heard_at``: when something last came."""

    output: SimOutput
    heard_at: float


class Receivers:
    """UDP hears everyone. RTMP has one session an address, and keeps the first or takes the last. A card has one owner.
    The public HLS is what the node that the API names serves under its link."""

    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._sessions: dict[str, Session] = {}
        self._wins: dict[str, Wins] = {}

    def policy(self, url: str) -> Wins:
        return self._wins.setdefault(url, self._chance.choice(("first", "last")))

    def accepts(self, sidecar: "SimSidecar", output: SimOutput) -> bool:
        """A new session or a card is opened."""
        if output.kind == "decklink":
            others = [
                it
                for it in self._outputs("decklink")
                if it is not output and it.connected and self._same_card(it, output)
            ]
            return not others
        if not sidecar.node.media_up:
            return False
        url = output.output.url
        held = self._sessions.get(url)
        if held is not None and held.output is not output and held.output.connected:
            if self.policy(url) == "first":
                self._world.log.count("refused session")
                return False
            held.output.connected = False
            self._world.log.count("taken session")
        self._sessions[url] = Session(output, self._world.loop.now)
        return True

    def watch(self) -> None:
        """To be called often: sessions on which nothing comes are closed."""
        now = self._world.loop.now
        for url, session in tuple(self._sessions.items()):
            node = session.output.sidecar.node
            if session.output.sidecar.exited and node.powered and node.media_up:
                del self._sessions[url]
            elif session.output.sends() and node.media_up:
                session.heard_at = now
            elif now - session.heard_at > SESSION_S:
                session.output.connected = False
                del self._sessions[url]

    def heard(self, output: SimOutput) -> bool:
        """Whether what this output sends now arrives where people see it."""
        sidecar = output.sidecar
        if not output.sends():
            return False
        if output.kind == "decklink":
            return True
        if not sidecar.node.media_up:
            return False
        if output.kind == "hls":
            public = self._world.public_epoch(sidecar.channel_id)
            return public is not None and public == (sidecar.node.name, sidecar.epoch)
        if output.kind == "rtmp":
            session = self._sessions.get(output.output.url)
            return session is not None and session.output is output
        return True

    def places(self) -> dict[str, list["SimSidecar"]]:
        """By receiver, whose frames arrive now."""
        found: dict[str, list[SimSidecar]] = {}
        for node in self._world.nodes:
            for sidecar in node.sidecars.values():
                if sidecar.exited or sidecar.armed_at is None:
                    continue
                for output in sidecar.outputs:
                    if self.heard(output):
                        place = output.output.url or f"hls of {sidecar.document.name}"
                        if output.kind == "decklink":
                            place = f"{node.name} {place}"
                        found.setdefault(place, []).append(sidecar)
        return found

    def _outputs(self, kind: str) -> list[SimOutput]:
        return [
            output
            for node in self._world.nodes
            for sidecar in node.living()
            for output in sidecar.outputs
            if output.kind == kind
        ]

    @staticmethod
    def _same_card(one: SimOutput, other: SimOutput) -> bool:
        return one.sidecar.node is other.sidecar.node and one.output.url == other.output.url
