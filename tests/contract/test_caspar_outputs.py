"""Outputs on the server of the tests: an ADD that answers proves nothing, so each is looked at until it moves."""

import asyncio
from fractions import Fraction
from pathlib import Path

import pytest

from sidecar.caspar.consumers import Places, consumer_of
from sidecar.caspar.link import Link
from sidecar.caspar.outputs import Outputs
from sidecar.protocol.channel import ChannelFormat, Output, Playlist, SidecarDocument
from tests.doubles.caspar.manners import Manners
from tests.doubles.caspar.server import FakeCaspar
from tests.doubles.caspar.tokens import tokens
from tests.fixtures.caspar_air import EPOCH_NS, TICK_NS, TickTime

UDP = Output("udp", "udp", "udp://127.0.0.1:5004")
CARD = Output("card", "decklink", "decklink://1")


def document(*outputs: Output) -> SidecarDocument:
    return SidecarDocument("c" * 32, "Proof", ChannelFormat(640, 360, "25"), outputs, Playlist(1))


class Minding:
    """Moves the clock a second a look."""

    def __init__(self, server: FakeCaspar, time: TickTime, place: Path, *outputs: Output, lease: float = 9.0) -> None:
        self.time = time
        self.lease = lease
        self.link = Link("127.0.0.1", server.port, time.monotonic_ns)
        told = document(*outputs)
        self.outputs = Outputs(told, self.link, 1, Places(place, 1), lambda: self.lease)

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            await self.link.keep()
            await self.link.settled()
            await self.link.keep()
            info = await self.link.info(1)
            await self.outputs.mind(info, self.time.monotonic_ns(), self.time.wall_ns(), moves=True)
            self.time.ticks += 25

    def state(self, output_id: str) -> str:
        return next(one.state for one in self.outputs.statuses if one.id == output_id)

    def detail(self, output_id: str) -> str:
        return next(one.detail for one in self.outputs.statuses if one.id == output_id)


def served(manners: Manners) -> tuple[FakeCaspar, TickTime]:
    time = TickTime()
    return FakeCaspar(lambda _: None, time.seconds, manners=manners), time


async def test_an_output_is_up_once_its_frames_move(tmp_path: Path) -> None:
    server, time = served(Manners())
    async with server:
        mind = Minding(server, time, tmp_path, UDP)
        await mind.look()
        assert mind.state("udp") == "starting"
        await mind.look(2)
        assert mind.state("udp") == "up"
        assert mind.state("preview") == "up"
        (preview,) = [one for one in server.outputs.adds if "fps=" in " ".join(one)]
        assert preview[1].endswith("/preview/1.m3u8")
        await mind.link.close()


async def test_an_output_that_cannot_be_opened_is_tried_again_and_said_so(tmp_path: Path) -> None:
    server, time = served(Manners(outputs_die={"5004"}))
    async with server:
        mind = Minding(server, time, tmp_path, UDP)
        await mind.look(20)
        assert mind.state("udp") in ("down", "starting")
        assert "could not open" in mind.detail("udp")
        tries = [one for one in server.outputs.adds if "5004" in one[1]]
        assert 3 <= len(tries) <= 9  # with a growing pause between
        server.manners.outputs_die.clear()
        await mind.look(15)
        assert mind.state("udp") == "up"
        await mind.link.close()


async def test_an_output_that_is_listed_and_dead_is_added_anew(tmp_path: Path) -> None:
    server, time = served(Manners())
    async with server:
        mind = Minding(server, time, tmp_path, UDP)
        await mind.look(4)
        server.manners.outputs_freeze.add("5004")
        await mind.look(4)
        assert mind.state("udp") == "stalled"
        server.manners.outputs_freeze.clear()
        await mind.look(12)
        assert mind.state("udp") == "up"
        assert len([one for one in server.outputs.adds if "5004" in one[1]]) == 2
        await mind.link.close()


@pytest.mark.parametrize(
    ("url", "said"), [("decklink://7", "no such card"), ("decklink://1", "in use")], ids=["not there", "in use"]
)
async def test_a_card_that_is_not_there_is_told_from_one_in_use(tmp_path: Path, url: str, said: str) -> None:
    server, time = served(Manners())
    async with server:
        server.outputs.add(99, ["DECKLINK", "1"], 0)  # somebody else's
        mind = Minding(server, time, tmp_path, Output("card", "decklink", url))
        await mind.look(2)
        assert mind.state("card") == "down"
        assert said in mind.detail("card")
        await mind.link.close()


async def test_a_card_is_up_once_it_is_listed(tmp_path: Path) -> None:
    server, time = served(Manners())
    async with server:
        mind = Minding(server, time, tmp_path, CARD)
        await mind.look(3)
        assert mind.state("card") == "up"
        assert server.outputs.ports[700].parameters[:2] == ("DECKLINK", "1")
        await mind.link.close()


async def test_an_output_that_stops_with_its_lease_is_ended(tmp_path: Path) -> None:
    server, time = served(Manners())
    leased = Output("udp", "udp", "udp://127.0.0.1:5004", lease_stop=True)
    async with server:
        mind = Minding(server, time, tmp_path, leased)
        await mind.look(3)
        assert mind.state("udp") == "up"
        mind.lease = 0.0
        await mind.look(2)
        assert mind.state("udp") == "down"
        assert 700 not in server.outputs.ports
        await mind.link.close()


async def test_what_another_run_added_goes_on(tmp_path: Path) -> None:
    server, time = served(Manners())
    async with server:
        mind = Minding(server, time, tmp_path, UDP)
        await mind.look(3)
        await mind.link.close()
        mind = Minding(server, time, tmp_path, UDP)
        await mind.look(3)
        assert mind.state("udp") == "up"
        assert len([one for one in server.outputs.adds if "5004" in one[1]]) == 1
        await mind.link.close()


@pytest.mark.parametrize(
    "url",
    ["srt://h:9000?passphrase=ten%20letters", "srt://h:9000?streamid=a%22b", "srt://h:9000?streamid=a%7Cb"],
)
def test_an_address_that_the_server_would_misread_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no blanks"):
        consumer_of(Output("o", "srt", url), 700, document(), Places(tmp_path, 1), EPOCH_NS)


def test_the_arguments_are_those_that_a_server_understands(tmp_path: Path) -> None:
    outputs = (
        UDP,
        Output("s", "srt", "srt://h:9000?latency=200&passphrase=0123456789"),
        Output("r", "rtmp", "rtmp://h/app/key"),
        Output("f", "file", "file:night.ts"),
        Output("h", "hls"),
    )
    told = document(*outputs)
    for output in outputs:
        words = tokens(consumer_of(output, 700, told, Places(tmp_path, 3), EPOCH_NS).add)
        assert words[0] in ("STREAM", "FILE")
        options = words[2:]
        assert all(name.startswith("-") for name in options[::2])  # each option has one value
        assert not any(value.startswith("-") for value in options[1::2])
        assert {"-codec:v", "-codec:a", "-format"} <= set(options)
        assert "format=yuv420p" in options
        assert "pan=stereo|c0=c0|c1=c1" in options
    assert Fraction(1_000_000_000, TICK_NS) == 25


async def test_outputs_change_on_air_and_what_stays_is_not_touched(tmp_path: Path) -> None:
    server, time = served(Manners())
    other = Output("other", "udp", "udp://127.0.0.1:6006")
    async with server:
        mind = Minding(server, time, tmp_path, UDP, Output("gone", "udp", "udp://127.0.0.1:7007"))
        await mind.look(3)
        assert mind.outputs.replace((UDP, other)) == "2 outputs: 1 opened, 1 ended"
        await mind.look(3)
        assert [one.state for one in mind.outputs.statuses] == ["up", "up", "up"]
        programme = [port.address for number, port in server.outputs.ports.items() if number < 790]
        assert [address.partition("?")[0] for address in programme] == ["udp://127.0.0.1:5004", "udp://127.0.0.1:6006"]
        assert len([one for one in server.outputs.adds if "5004" in one[1]]) == 1
        await mind.link.close()


async def test_an_output_whose_end_was_not_confirmed_is_ended_again(tmp_path: Path) -> None:
    server, time = served(Manners())
    async with server:
        mind = Minding(server, time, tmp_path, UDP, Output("gone", "udp", "udp://127.0.0.1:7007"))
        await mind.look(3)
        server.manners.queue_full = True
        mind.outputs.replace((UDP,))
        await mind.look(2)
        assert 701 in server.outputs.ports
        server.manners.queue_full = False
        await mind.look()
        assert 701 not in server.outputs.ports
        await mind.link.close()


async def test_what_a_run_before_left_and_nobody_wants_is_ended(tmp_path: Path) -> None:
    server, time = served(Manners())
    async with server:
        server.outputs.add(705, ["STREAM", "udp://127.0.0.1:7007", "-format mpegts"], 0)
        server.outputs.add(99, ["STREAM", "udp://127.0.0.1:8008", "-format mpegts"], 0)
        mind = Minding(server, time, tmp_path, UDP)
        await mind.look(2)
        assert sorted(server.outputs.ports) == [99, 700, 790]  # somebody else's is not touched
        await mind.link.close()


async def test_an_output_that_was_added_without_an_answer_is_one_and_is_ended(tmp_path: Path) -> None:
    server, time = served(Manners(silent_commands={"ADD"}))
    async with server:
        server.outputs.add(99, ["STREAM", "udp://127.0.0.1:8008", "-format mpegts"], 0)
        mind = Minding(server, time, tmp_path, UDP)
        await mind.look(3)
        assert mind.state("udp") == "up"
        assert len([one for one in server.outputs.adds if "5004" in one[1]]) == 1
        assert await mind.outputs.end()
        assert sorted(server.outputs.ports) == [99]
        await mind.link.close()


async def test_an_end_that_the_server_does_not_confirm_is_none(tmp_path: Path) -> None:
    server, time = served(Manners())
    async with server:
        mind = Minding(server, time, tmp_path, UDP)
        await mind.look(3)
        server.manners.silent_commands = {"REMOVE"}
        assert not await mind.outputs.end()
        await mind.link.close()


async def test_an_output_that_is_replaced_while_the_server_is_asked_is_not_added(tmp_path: Path) -> None:
    server, time = served(Manners())
    gone = Output("gone", "udp", "udp://127.0.0.1:7007")
    async with server:
        mind = Minding(server, time, tmp_path, UDP, gone)
        await mind.link.keep()
        await mind.link.settled()
        await mind.link.keep()
        info = await mind.link.info(1)
        looking = asyncio.create_task(mind.outputs.mind(info, time.monotonic_ns(), time.wall_ns(), moves=True))
        await asyncio.sleep(0)
        mind.outputs.replace((UDP,))
        await looking
        assert not [one for one in server.outputs.adds if "7007" in one[1]]
        await mind.link.close()
