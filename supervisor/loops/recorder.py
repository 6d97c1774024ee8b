"""One recorder's keeper: a channel's, with a recorder's row and words."""

from collections.abc import Sequence
from dataclasses import replace

from db.models import Channel, Recorder
from sidecar.protocol.channel import Item
from supervisor.decisions.alarms import Wanted
from supervisor.decisions.placement import MediaVerdict, NodeFacts
from supervisor.decisions.recorder_words import alarms_of_recorder, decision_of_recorder
from supervisor.decisions.view import Decision, View
from supervisor.live import Sight
from supervisor.loops.actions import Actions
from supervisor.loops.channel import ChannelKeeper
from supervisor.loops.desk import Desk
from supervisor.loops.recorder_actions import RecorderActions, supervised
from supervisor.recorder_board import RecorderBoard


class RecorderKeeper(ChannelKeeper):
    """The same heartbeats, decisions, restarts and moves as a channel's."""

    def __init__(self, row: Recorder, desk: Desk, board: RecorderBoard) -> None:
        self._board = board
        self._of_recorder = RecorderActions(row, desk)
        super().__init__(self._of_recorder.row, desk)

    @property
    def recorder(self) -> Recorder:
        """The newest row that was read."""
        return self._of_recorder.recorder

    def take_row(self, row: Recorder) -> None:
        """The row as somebody read it; one that is older than ours is no news."""
        if row.rev > self._of_recorder.row.rev:
            self._of_recorder.recorder = row
            self.update(supervised(row))

    def nodes(self) -> Sequence[NodeFacts]:
        """As in ``ChannelKeeper``; a recorder reads no media, and any node has all it needs."""
        return tuple(replace(node, media=MediaVerdict()) for node in super().nodes())

    def give_jobs(self, jobs: Sequence[Item]) -> None:
        """Its running sidecar is told at once, and again until it has them."""
        if self._of_recorder.give_jobs(jobs):
            self.wake()

    def _make_actions(self, row: Channel, desk: Desk) -> Actions:
        return self._of_recorder

    def _show(self, sight: Sight) -> None:
        self._board.show(sight)

    def _decide(self, view: View) -> Decision:
        return decision_of_recorder(super()._decide(view))

    def _alarms_of(self, view: View, decision: Decision) -> dict[str, Wanted]:
        return alarms_of_recorder(super()._alarms_of(view, decision))
