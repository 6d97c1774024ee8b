"""The machines: how each stands, who has its ports, and what would become of what plays there if it died now."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.strip import Strip

from mcr_console.client import ApiProblem
from mcr_console.drawing.node_rows import NodeView, claims_by_port, node_heads, node_page, render_node, render_port
from mcr_console.drawing.strips import Part, line
from mcr_console.keys import Place, bindings
from mcr_console.palette import Palette
from mcr_console.polled import Polled, Question
from mcr_console.screens.armed import ArmedScreen
from mcr_console.screens.arming import Question as Ask
from mcr_console.session import Session
from mcr_console.subjects import Subject, of_node
from mcr_console.widgets.sheet import Row
from supervisor.schemas.claim import Claim
from supervisor.schemas.node import Device, Node, NodePatch
from supervisor.schemas.what_if import WhatIf

NODES_S = 2.0
CLAIMS_S = 5.0
WHAT_IF_S = 10.0


class NodesScreen(ArmedScreen):
    """A row a node, below it its DeckLink ports; what is armed acts on the row under the cursor."""

    PLACE: ClassVar[Place] = "nodes"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("nodes")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        feed, clock = session.feed, session.clock
        self._machines = Polled(clock, feed.nodes, NODES_S)
        self._looks_after = True
        """The machines are this operator's to look after, as far as the supervisor told."""
        self._claims = Polled(clock, self._ask_claims, CLAIMS_S)
        self._what_if = Polled(clock, self._ask_what_if, WHAT_IF_S)

    def polls(self) -> Sequence[Question]:
        return (self._machines, self._claims, self._what_if)

    async def _ask_claims(self) -> tuple[Claim, ...]:
        """None of them for who may not see them: that is no trouble, and is said where they would be."""
        try:
            claims = await self.session.feed.claims()
        except ApiProblem as problem:
            if problem.code != "forbidden":
                raise
            self._looks_after = False
            return ()
        self._looks_after = True
        return claims

    async def _ask_what_if(self) -> dict[str, WhatIf]:
        """Of each node, one after the other."""
        nodes = self._known() if self._looks_after else ()
        return {node.id: await self.session.feed.what_if(node.id) for node in nodes}

    def title_parts(self) -> Sequence[Part]:
        palette, nodes = self.session.palette, self._known()
        away = sum(node.state != "answers" for node in nodes)
        known = bool(nodes) or self._machines.value is not None
        counted = f"  {len(nodes)} machine{'' if len(nodes) == 1 else 's'}" if known else ""
        parts: list[Part] = [("nodes", palette.dim), (counted, palette.dim)]
        if away and not self.is_stale:
            parts.append((f"  {palette.glyphs.warning} {away} not answering", palette.warning))
        return parts

    def column_heads(self, width: int) -> Sequence[Part]:
        return node_heads(width, self.session.palette)

    def sheet_rows(self) -> Sequence[Row]:
        palette, rows = self.session.palette, list[Row]()
        for node in self._known():
            view = self._view(node)
            rows.append(Row(node.id, partial(_draw_node, view, palette)))
            claims = claims_by_port(self._claims.value or (), node.id)
            for device in node.devices:
                draw = partial(_draw_port, device, claims.get(device.index), self.is_stale, palette)
                rows.append(Row(f"{node.id}/{device.index}", draw))
        if not rows:
            words = " No node is known." if self._machines.value is not None else ""
            rows.append(Row(None, lambda width, ground: line(width, ground, [(words, palette.dim)])))
        return rows

    def detail_lines(self, width: int) -> Sequence[Sequence[Part]]:
        node = self.node
        if node is None:
            return ()
        return node_page(self._view(node), width, self.session.clock, self.session.palette)

    @property
    def node(self) -> Node | None:
        """The one under the cursor, or whose port is."""
        wanted = (self.selected or "").partition("/")[0]
        return next((node for node in self._known() if node.id == wanted), None)

    @property
    def port(self) -> tuple[Node, Device, Claim | None] | None:
        """The port under the cursor, with who claims it."""
        node, index = self.node, (self.selected or "").partition("/")[2]
        if node is None or not index:
            return None
        device = next((device for device in node.devices if device.index == int(index)), None)
        claim = claims_by_port(self._claims.value or (), node.id).get(int(index))
        return None if device is None else (node, device, claim)

    def subject(self) -> Subject | None:
        return None if self.node is None else of_node(self.node)

    def footer_words(self) -> dict[str, str | None]:
        node, port = self.node, self.port
        free = None if port is None or port[2] is None else f"free port {port[1].index} of {port[0].name}"
        if node is None or not self._looks_after:
            return {"drain": None, "maintenance": None, "declare_dead": None, "free_port": None, "nodes": None}
        return {
            "drain": f"{'undrain' if node.draining else 'drain'} {node.name}",
            "maintenance": f"{'end maintenance of' if node.maintenance else 'maintenance of'} {node.name}",
            "declare_dead": None if node.state == "answers" else f"declare {node.name} dead",
            "free_port": free,
            "nodes": None,
        }

    # What is done, all of it armed

    def drain(self) -> None:
        """Gives it nothing new, or again."""
        node = self.node
        if node is None:
            return
        there = self._there(node)
        if node.draining:
            question = Ask(f"Let {node.name} get channels again?", (there,), f"Undrain {node.name}")
        else:
            lines = ("It gets no new channels; what plays there plays on.", there)
            question = Ask(f"Drain {node.name}?", lines, f"Drain {node.name}")
        self._patch(node, question, NodePatch(draining=not node.draining))

    def maintenance(self) -> None:
        """Moves what is there elsewhere, or ends that."""
        node = self.node
        if node is None:
            return
        if node.maintenance:
            lines = ("It may get channels again. What was moved stays where it is.",)
            question = Ask(f"End the maintenance of {node.name}?", lines, f"End maintenance of {node.name}")
        else:
            lines = ("What plays there is MOVED to other nodes, what can be.", self._there(node))
            question = Ask(f"Put {node.name} in maintenance?", lines, f"Empty {node.name}")
        self._patch(node, question, NodePatch(maintenance=not node.maintenance))

    def declare_dead(self) -> None:
        """An operator's word that the machine is off."""
        node = self.node
        if node is None:
            return
        if node.state == "answers":
            self.session.message = f"{node.name} answers, so it is not dead; m empties it"
            return
        lines = (
            "Its channels start elsewhere at once. If it still sends, they are ON AIR TWICE.",
            self._there(node),
            "Its ports stay claimed until each is freed.",
        )
        question = Ask(f"Is the machine of {node.name} OFF?", lines, f"{node.name} is off")
        feed = self.session.feed
        self.arm(
            question,
            lambda: self._state_of(node.id),
            lambda answer: feed.declare_lost(node.id, answer.reason),
            f"{node.name} is declared dead",
            reason="How do you know? It is kept with your name.",
        )

    def free_port(self) -> None:
        """Frees a port whose owner never confirmed that it let go."""
        node, device, claim = self.port or (None, None, None)
        if node is None or device is None or claim is None:
            self.session.message = "select a claimed port first"
            return
        owner = f"{claim.owner_kind} {claim.owner_name or claim.owner_id}"
        lines = (
            f"{owner} holds it, epoch {claim.epoch}, {claim.state}.",
            "If it still plays there, the next owner takes its picture down.",
        )
        question = Ask(f"Free port {device.index} of {node.name}?", lines, f"Free port {device.index} of {node.name}")
        feed = self.session.feed
        self.arm(
            question,
            lambda: next(((it.id, it.epoch) for it in self._claims.value or () if it.id == claim.id), None),
            lambda answer: feed.release_claim(claim.id, answer.reason),
            f"port {device.index} of {node.name} is free",
            reason="Why is it free? It is kept with your name.",
        )

    def _patch(self, node: Node, question: Ask, changes: NodePatch) -> None:
        feed = self.session.feed
        done = question.button[:1].lower() + question.button[1:]
        self.arm(
            question,
            lambda: self._state_of(node.id),
            lambda _: feed.update_node(node.id, node.rev, changes),
            f"done: {done}",
        )

    def done_again(self) -> None:
        for poll in (self._machines, self._claims, self._what_if):
            poll.again()

    # What is known

    def _known(self) -> Sequence[Node]:
        """As the supervisor was asked last, else as it told by itself; by name."""
        told = self.session.wall.nodes
        asked = self._machines.value
        return asked if asked is not None else sorted(told.values(), key=lambda node: node.name)

    def _view(self, node: Node) -> NodeView:
        seen = (self._what_if.value or {}).get(node.id)
        return NodeView(node, self._machines.age or 0.0, seen, self.is_stale, whole=self._looks_after)

    def _state_of(self, node_id: str) -> object:
        node = next((node for node in self._known() if node.id == node_id), None)
        return None if node is None else (node.rev, node.state, node.lost_at)

    def _there(self, node: Node) -> str:
        wall = self.session.wall
        there = [wall.channels[id_].channel for id_ in wall.order if wall.channels[id_].live.node_id == node.id]
        names = ", ".join(f"{channel.number} {channel.name}" for channel in there[:6])
        more = f" and {len(there) - 6} more" if len(there) > 6 else ""
        return f"There now: {names}{more}." if there else "No channel is there now."


def _draw_node(view: NodeView, palette: Palette, width: int, ground: Style) -> Strip:
    return render_node(view, width, ground, palette)


def _draw_port(device: Device, claim: Claim | None, stale: bool, palette: Palette, width: int, ground: Style) -> Strip:
    return render_port(device, claim, width, ground, palette, stale=stale)
