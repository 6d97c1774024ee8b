"""Channels: their settings, their commands, their rundown and who has control of them."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from mcr_console.calls.base import API, COMMAND_S, Calls
from supervisor.schemas.ahead import Ahead
from supervisor.schemas.base import Page
from supervisor.schemas.channel import (
    AdjustIn,
    Channel,
    ChannelIn,
    ChannelPatch,
    CommandDone,
    CommandIn,
    CueIn,
    DropIn,
    LogoIn,
    MoveIn,
    Rundown,
)
from supervisor.schemas.control import Control, ControlIn, ControlRenew, ControlRenewed, ControlSeen
from supervisor.schemas.explanation import Explanation, Placement
from supervisor.schemas.rundown_edit import RundownEdit

TransportVerb: TypeAlias = Literal["take", "play", "pause", "resume", "skip", "hold", "recue", "standby", "rejoin"]


class ChannelCalls(Calls):
    """A command answers when the engine has done it."""

    async def channels(self) -> tuple[Channel, ...]:
        return await self._all("/channels", Channel)

    async def channel(self, channel_id: str) -> Channel:
        return await self._http.get(f"{API}/channels/{channel_id}", Channel)

    async def create_channel(self, values: ChannelIn) -> Channel:
        return await self._send("POST", "/channels", Channel, values)

    async def update_channel(self, channel_id: str, rev: int, changes: ChannelPatch) -> Channel:
        return await self._send("PATCH", f"/channels/{channel_id}", Channel, changes, rev=rev)

    async def delete_channel(self, channel_id: str, rev: int) -> None:
        await self._http.call("DELETE", f"{API}/channels/{channel_id}", rev=rev)

    async def start(self, channel_id: str) -> Channel:
        """The channel is wanted on air from now on. The answer does not wait for it to be there."""
        return await self._send("POST", f"/channels/{channel_id}/start", Channel, deadline_s=COMMAND_S)

    async def stop(self, channel_id: str) -> Channel:
        """The channel is wanted off air from now on. The answer does not wait for it to be there."""
        return await self._send("POST", f"/channels/{channel_id}/stop", Channel, deadline_s=COMMAND_S)

    async def move(self, channel_id: str, values: MoveIn) -> Channel:
        """The channel goes to another node from now on. The answer does not wait for it to be on air there."""
        return await self._send("POST", f"/channels/{channel_id}/move", Channel, values, deadline_s=COMMAND_S)

    async def transport(self, channel_id: str, verb: TransportVerb, command: CommandIn) -> CommandDone:
        """Answers when the engine has done it."""
        return await self._send("POST", f"/channels/{channel_id}/{verb}", CommandDone, command, deadline_s=COMMAND_S)

    async def cue(self, channel_id: str, command: CueIn) -> CommandDone:
        return await self._send("POST", f"/channels/{channel_id}/cue", CommandDone, command, deadline_s=COMMAND_S)

    async def adjust(self, channel_id: str, command: AdjustIn) -> CommandDone:
        """The item on air becomes longer or shorter."""
        return await self._send("POST", f"/channels/{channel_id}/adjust", CommandDone, command, deadline_s=COMMAND_S)

    async def drop(self, channel_id: str, command: DropIn, *, undo: bool = False) -> CommandDone:
        """The item will not air; ``undo``: it will after all."""
        verb = "undrop" if undo else "drop"
        return await self._send("POST", f"/channels/{channel_id}/{verb}", CommandDone, command, deadline_s=COMMAND_S)

    async def logo(self, channel_id: str, command: LogoIn) -> CommandDone:
        return await self._send("POST", f"/channels/{channel_id}/logo", CommandDone, command, deadline_s=COMMAND_S)

    async def rundown(self, channel_id: str) -> Rundown:
        return await self._http.get(f"{API}/channels/{channel_id}/rundown", Rundown)

    async def preview_edit(self, channel_id: str, edit: RundownEdit) -> Rundown:
        """The rundown as it would be; nothing is changed."""
        return await self._send("POST", f"/channels/{channel_id}/rundown/preview", Rundown, edit)

    async def edit_rundown(self, channel_id: str, edit: RundownEdit) -> Rundown:
        """The rundown as it is then. 409 ``locked`` for what airs or is due, ``stale_revision`` where it moved on."""
        return await self._send("POST", f"/channels/{channel_id}/rundown/edit", Rundown, edit, deadline_s=COMMAND_S)

    async def thumbnail(self, channel_id: str) -> bytes:
        """A JPEG of what is on air now."""
        return await self._http.call("GET", f"{API}/channels/{channel_id}/thumbnail.jpg", deadline_s=3.0)

    async def explain(self, channel_id: str) -> Explanation:
        """What was decided about the channel, and why."""
        return await self._http.get(f"{API}/channels/{channel_id}/explain", Explanation)

    async def placement(self, channel_id: str) -> Placement:
        """Where the channel could go, and where not and why."""
        return await self._http.get(f"{API}/channels/{channel_id}/placement", Placement)

    async def hold_failover(self, channel_id: str, *, held: bool) -> Channel:
        """Vetoes that the channel is moved, or takes that back."""
        verb = "hold-failover" if held else "release-failover"
        return await self._send("POST", f"/channels/{channel_id}/{verb}", Channel)

    async def ahead(self, channel_id: str, hours: int) -> Ahead:
        """What is wrong with the channel's coming items."""
        return await self._http.get(f"{API}/channels/{channel_id}/ahead?hours={hours}", Ahead)

    async def take_control(self, channel_id: str, *, over: bool) -> Control:
        """For this client's session (``sit``); ``over``: from who has it, too."""
        return await self._send("POST", f"/channels/{channel_id}/control", Control, ControlIn(over=over))

    async def release_control(self, channel_id: str) -> ControlSeen:
        return await self._send("POST", f"/channels/{channel_id}/release-control", ControlSeen)

    async def renew_controls(self, channel_ids: Sequence[str]) -> ControlRenewed:
        """This client's session is still there."""
        return await self._send("POST", "/controls/renew", ControlRenewed, ControlRenew(channel_ids=tuple(channel_ids)))

    async def controls(self) -> tuple[ControlSeen, ...]:
        return (await self._http.get(f"{API}/controls", Page[ControlSeen])).items
