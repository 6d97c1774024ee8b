"""The connection against a server with bad manners; and the server of the tests against what a real one answered."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sidecar.caspar.connection import CommandFailedError, Connection, NoReplyError, ServerAwayError
from sidecar.caspar.info import read_info
from sidecar.caspar.names import clip_parameters
from tests.doubles.caspar.layers import Clip
from tests.doubles.caspar.server import FakeCaspar

CLIPS = {
    "red_5s": Clip("/media/red_5s.mp4", 125),
    "hd25_10s": Clip("/media/hd25_10s.mp4", 250),
    "green_5s": Clip("/media/green_5s.mp4", 125),
    'quote"name': Clip('/media/quote"name.mp4', 125),
    "back\\slash": Clip("/media/back\\slash.mp4", 125),
    "bad/zero": Clip("/media/bad/zero.mp4", kind="dead"),
}
RECORDED = Path(__file__).parent / "caspar_recorded.txt"


class Ticks:
    """A clock that stands until it is moved, in ticks of 25 a second."""

    def __init__(self) -> None:
        self.ticks = 0

    def __call__(self) -> float:
        return self.ticks / 25


def library(name: str) -> Clip | None:
    stem = name.removeprefix("/media/").removesuffix(".mp4")
    return CLIPS.get(stem.lower())


@pytest.fixture
def clock() -> Ticks:
    return Ticks()


@pytest.fixture
async def server(clock: Ticks) -> AsyncIterator[FakeCaspar]:
    async with FakeCaspar(library, clock) as made:
        yield made


@pytest.fixture
async def connection(server: FakeCaspar) -> AsyncIterator[Connection]:
    made = await Connection.connect("127.0.0.1", server.port)
    yield made
    await made.close()


def recorded() -> list[tuple[str, bytes, bytes]]:
    """(section, what was sent, what came), byte for byte."""
    found: list[tuple[str, bytes, bytes]] = []
    section = ""
    for text in RECORDED.read_text().splitlines():
        kind, _, rest = text.partition(" ")
        if kind == "##":
            section = rest
        elif kind == ">>":
            found.append((section, _literal(rest), b""))
        elif kind == "<<":
            found[-1] = (*found[-1][:2], found[-1][2] + _literal(rest))
    return found


def _literal(text: str) -> bytes:
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


async def test_the_server_of_the_tests_answers_as_a_real_one_did(server: FakeCaspar) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    for section, sent, came in recorded():
        writer.write(sent)
        if came:
            async with asyncio.timeout(60):
                assert await reader.readexactly(len(came)) == came, (section, sent)
        else:
            # Whatever it would say comes before the answer to this.
            writer.write(b"PING\r\n")
            async with asyncio.timeout(60):
                assert await reader.readexactly(6) == b"PONG\r\n", (section, sent)
    writer.close()


async def test_a_command_that_is_never_answered_costs_the_next_ones_nothing(
    server: FakeCaspar, connection: Connection
) -> None:
    await connection.do('PLAY 1-10 "hd25_10s"')
    with pytest.raises(NoReplyError):
        await connection.ask("CALL 1-10 SEEK abc", within_s=0.2)
    assert (await connection.do("VERSION")).data == ("2.5.0 69e8ad552 Stable",)
    server.manners.silent_commands = {"PAUSE"}
    with pytest.raises(NoReplyError):
        await connection.ask("PAUSE 1-10", within_s=0.2)
    info = read_info((await connection.do("INFO 1")).data[0])
    assert info.layers[10].foreground.paused, "it was done all the same"


async def test_replies_out_of_order_and_in_pieces_find_who_asked(server: FakeCaspar, connection: Connection) -> None:
    server.manners.channel_delay_s, server.manners.in_pieces = 0.1, True
    commands = ['PLAY 1-10 "red_5s"', "VERSION", 'PLAY 1-10 "nosuch"', "INFO", "FOO"]
    replies = await asyncio.gather(*(connection.ask(command) for command in commands))
    assert [reply.code for reply in replies] == [202, 201, 404, 200, 400]


async def test_a_refusal_says_what_was_refused(server: FakeCaspar, connection: Connection) -> None:
    with pytest.raises(CommandFailedError, match="404 PLAY FAILED") as refused:
        await connection.do('PLAY 1-10 "nosuch"')
    assert refused.value.code == 404
    server.manners.queue_full = True
    with pytest.raises(CommandFailedError, match="504"):
        await connection.do('PLAY 1-10 "red_5s"')


async def test_a_connection_that_ends_ends_what_waits(server: FakeCaspar, connection: Connection) -> None:
    server.manners.deaf = True
    waiting = asyncio.create_task(connection.ask("VERSION", within_s=5))
    async with asyncio.timeout(60):
        await server.heard.wait()
    server.drop()
    with pytest.raises(ServerAwayError):
        await waiting
    with pytest.raises(ServerAwayError):
        await connection.ask("VERSION")
    assert connection.over


async def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(ServerAwayError, match=r"127\.0\.0\.1"):
        await Connection.connect("127.0.0.1", 1)


async def test_an_auto_chain_airs_every_tick(server: FakeCaspar, connection: Connection, clock: Ticks) -> None:
    names = ["/media/red_5s.mp4", "/media/green_5s.mp4", "/media/hd25_10s.mp4"]
    await connection.do(f"PLAY 1-10 {clip_parameters(names[0])}")
    await connection.do(f"LOADBG 1-10 {clip_parameters(names[1], in_=25, length=50)} AUTO")
    clock.ticks = 124
    assert read_info((await connection.do("INFO 1")).data[0]).layers[10].foreground.ticks_left == 1
    clock.ticks = 130
    front = read_info((await connection.do("INFO 1")).data[0]).layers[10].foreground
    assert (front.path, front.position, front.clip_in, front.clip_length) == (names[1], 30, 25, 50)
    await connection.do(f"LOADBG 1-10 {clip_parameters(names[2])} AUTO")
    clock.ticks = 400
    await connection.do("INFO 1")
    assert [(aired.tick, aired.path) for aired in server.layers[10].air] == list(zip((0, 125, 175), names, strict=True))


async def test_a_dead_clip_is_named_while_the_old_one_plays_on(
    server: FakeCaspar, connection: Connection, clock: Ticks
) -> None:
    await connection.do('PLAY 1-10 "hd25_10s" CUT 0')
    clock.ticks = 20
    await connection.do('PLAY 1-10 "bad/zero" CUT 0')
    await connection.do('LOADBG 1-10 "red_5s" AUTO')
    clock.ticks = 600
    layer = read_info((await connection.do("INFO 1")).data[0]).layers[10]
    assert layer.foreground.path == "/media/bad/zero.mp4"
    assert layer.foreground.is_dead
    assert layer.foreground.ticks_left is None
    assert layer.foreground.auto_pending
    assert [aired.path for aired in server.layers[10].air] == ["/media/hd25_10s.mp4"]


async def test_an_add_that_answers_202_proves_nothing(server: FakeCaspar, connection: Connection, clock: Ticks) -> None:
    server.manners.outputs_die = {"dies"}
    for number, name in ((700, "dies"), (701, "freezes"), (702, "well")):
        await connection.do(f'ADD 1-{number} STREAM "udp://{name}:1" -format mpegts -codec:v libx264')
    clock.ticks = 50
    ports = read_info((await connection.do("INFO 1")).data[0]).ports
    assert {number: port.frame for number, port in ports.items()} == {701: 50, 702: 50}
    server.manners.outputs_freeze = {"freezes"}
    await connection.do("INFO 1")
    clock.ticks = 80
    ports = read_info((await connection.do("INFO 1")).data[0]).ports
    assert {number: port.frame for number, port in ports.items()} == {701: 50, 702: 80}
    await connection.do("REMOVE 1-701")
    await connection.do("REMOVE 1-702")
    assert 702 in read_info((await connection.do("INFO 1")).data[0]).ports, "the last one stays listed"
    with pytest.raises(CommandFailedError, match="404"):
        await connection.do("REMOVE 1-702")


async def test_two_on_one_card_is_another_fault_than_no_card(connection: Connection) -> None:
    await connection.do("ADD 1 DECKLINK 1")
    with pytest.raises(CommandFailedError, match="501"):
        await connection.do("ADD 1-305 DECKLINK 1")
    with pytest.raises(CommandFailedError, match="403"):
        await connection.do("ADD 1 DECKLINK 9")
    with pytest.raises(CommandFailedError, match="404"):
        await connection.do("ADD 1 DECKLINK DEVICE 1")
