"""What is said to a sidecar arrives as it was said, over the agent's wire and over the sidecar's door."""

from datetime import UTC, datetime

import msgspec
import pytest

from sidecar.protocol.channel import Logo, Look, Playlist, ResumePoint, WatchThresholds
from sidecar.protocol.commands import ArmCommand, PlaylistCommand
from supervisor.agent.door import request_for
from supervisor.agent.interface import Arm, Cue, Order, Replace, Said, ShowLogo, Transport
from supervisor.agent.wire.shapes import CommandIn

PLACE = Arm("n" * 32, ResumePoint("a", 41), datetime(2026, 3, 1, 12, 0, 0, 40_001, UTC))

LOOK = Replace(Playlist(2), Look(Logo("/m/logo.png", opacity=40), WatchThresholds(freeze_s=0)))


def order(said: Said) -> Order:
    return Order("c" * 32, 3, 7, "command-1", "olga", said)


@pytest.mark.parametrize(
    "said",
    [Transport("take", "a"), Cue(None), ShowLogo("off"), Arm("n" * 32), PLACE, Replace(Playlist(2)), LOOK],
    ids=lambda it: type(it).__name__,
)
def test_an_order_comes_out_as_it_went_in(said: Said) -> None:
    sent = msgspec.json.encode(CommandIn.of(order(said), 2.0))
    assert msgspec.json.decode(sent, type=CommandIn).order() == order(said)


def test_an_arm_tells_the_sidecar_its_place_and_the_instant_to_the_microsecond() -> None:
    body = request_for(order(PLACE)).body
    assert body is not None
    said = msgspec.json.decode(body, type=ArmCommand)
    assert (said.resume, said.resume_at) == (PLACE.resume, PLACE.resume_at)


def test_a_list_tells_a_look_only_where_there_is_one() -> None:
    """An older sidecar refuses what it does not know."""
    with_look, without = (request_for(order(said)).body or b"" for said in (LOOK, Replace(Playlist(2))))
    assert msgspec.json.decode(with_look, type=PlaylistCommand).look == LOOK.look
    assert b"look" not in without
