"""A CasparCG server as people write it."""

import pytest
import typer

from mcr_console.cli.caspar_server import caspar_server, engine_line
from supervisor.schemas.channel import EngineLive


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("studio", ("studio", 5250, 1, 10)),
        ("192.0.2.10:6250", ("192.0.2.10", 6250, 1, 10)),
        ("studio/2", ("studio", 5250, 2, 10)),
        ("[2001:db8::7]:5250/2-20", ("2001:db8::7", 5250, 2, 20)),
    ],
)
def test_host_port_channel_and_layer(text: str, place: tuple[str, int, int, int]) -> None:
    server = caspar_server(text)
    assert (server.host, server.port, server.channel, server.layer) == place


def test_what_it_is_to_be_goes_behind() -> None:
    server = caspar_server("127.0.0.1:5301?mode=1080i5000&program=/opt/casparcg/casparcg&media=/mnt/news")
    assert (server.port, server.mode, server.program, server.media) == (
        5301, "1080i5000", "/opt/casparcg/casparcg", "/mnt/news",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "studio?mode",
        "studio?mode=8k",
        "studio?shell=x",
        "studio?program=/opt/casparcg",
        "127.0.0.1?program=/bin/sh",
        "127.0.0.1?program=casparcg",
        "127.0.0.1?media=here",
    ],
)
def test_what_it_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        caspar_server(text)


@pytest.mark.parametrize(
    "text", ["", "studio:", "studio:99999", "studio/0", "studio/65", "a b", "x/1-10-3", "http://x"]
)
def test_what_is_no_server_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        caspar_server(text)


def test_a_server_that_does_not_answer_is_said() -> None:
    assert "does not answer" in engine_line(EngineLive(version="", answers=False, moves=False, detail="gone"))
