"""What is said to a sidecar arrives as it was said, over the agent's wire and over the sidecar's door."""

from datetime import UTC, datetime

import msgspec
import pytest

from sidecar.protocol.channel import Playlist, ResumePoint
from sidecar.protocol.commands import ArmCommand
from supervisor.agent.door import request_for
from supervisor.agent.interface import Arm, Cue, Order, Replace, Said, ShowLogo, Transport
from supervisor.agent.wire.shapes import CommandIn

PLACE = Arm("n" * 32, ResumePoint("a", 41), datetime(2026, 3, 1, 12, 0, 0, 40_001, UTC))


def order(said: Said) -> Order:
    return Order("c" * 32, 3, 7, "command-1", "olga", said)


@pytest.mark.parametrize(
    "said",
    [Transport("take", "a"), Cue(None), ShowLogo("off"), Arm("n" * 32), PLACE, Replace(Playlist(2))],
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
