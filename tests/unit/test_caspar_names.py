"""Names and addresses that nobody would give, as the server reads them: none changes its command.

Ten thousand of each where long tests run, the same ones every time.
"""

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sidecar.caspar.addresses import live_parameters, told_address
from sidecar.caspar.amcp import UnwritableTextError, line, quoted
from sidecar.caspar.consumers import Places, consumer_of
from sidecar.caspar.names import ClipNames, clip_parameters
from sidecar.protocol.channel import ChannelFormat, Output, OutputKind, Playlist, SidecarDocument
from sidecar.protocol.live_url import parse_live_url
from tests.doubles.caspar.tokens import number_after, tokens, transition_ticks
from tests.long import LONG

pytestmark = pytest.mark.timeout(900)

WORDS = st.sampled_from(
    [
        *("LOOP", "AUTO", "SEEK", "IN", "OUT", "LENGTH", "MIX 25", "CUT 3", "PUSH 9", "WIPE 1", "SLIDE 2", "EMPTY"),
        *("#FF00FF00", "red", "DECKLINK 1", "\r\n", "\n", "\r", "\0", '"', "\\", "(", ")", " ", "/", "REQ x"),
        *("PLAY 1-10", "é", "-f", "'", "`", "$(x)", "&", "|", ";", "%0d%0a", "[HTML]", "route://1-10", "\ud800"),
        *("\u2028", ".."),
    ]
)
TEXT = st.lists(st.one_of(WORDS, st.text(max_size=12)), max_size=8).map("".join)
DOCUMENT = SidecarDocument("c" * 32, "Proof", ChannelFormat(640, 360, "25"), (), Playlist(1))
# More than 10,000 names and addresses in the four tests together.
MANY = settings(
    max_examples=2_600 if LONG else 300,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def cannot_be_told(path: str) -> bool:
    """A line's end, NUL, half a character, another folder, or no extension of its own."""
    is_odd = any(one in "\r\n\0" or "\ud800" <= one <= "\udfff" for one in path)
    return is_odd or ".." in PurePosixPath(path).parts or not PurePosixPath(path).suffix


def one_line(data: bytes) -> str:
    """What the server cuts at: it is one command, and no more."""
    text = data.decode()
    assert text.endswith("\r\n")
    assert "\r\n" not in text[:-2]
    return text[:-2]


@MANY
@given(TEXT, st.integers(0, 500), st.one_of(st.none(), st.integers(1, 500)), st.booleans())
@example("Mix 25 remix", 0, None, False)
@example('evil"\r\nVERSION\r\n"', 0, None, False)
@example("auto", 5, 10, True)
def test_a_name_is_a_name_and_nothing_else(name: str, seek: int, length: int | None, auto: bool) -> None:
    path = f"/media/{name}.mp4"
    try:
        told = clip_parameters(ClipNames().told(path), seek=seek, in_=seek, length=length)
        command = f"LOADBG 1-10 {told}{' AUTO' if auto else ''}"
        words = tokens(one_line(line(command, "m1")))
    except UnwritableTextError:
        assert cannot_be_told(path)
        return
    assert words[:4] == ["REQ", "m1", "LOADBG", "1-10"]
    parameters = words[4:]
    assert parameters[0] == path
    upper = [one.upper() for one in parameters]
    assert ("AUTO" in upper) == auto
    assert "LOOP" not in upper
    assert transition_ticks(parameters) == 0
    assert number_after(parameters, "SEEK") == (seek or None)
    assert number_after(parameters, "LENGTH") == length
    assert number_after(parameters, "OUT") is None


URLS: tuple[tuple[OutputKind, str], ...] = (
    ("udp", "udp://127.0.0.1:5004"),
    ("srt", "srt://host:9000?streamid="),
    ("srt", "srt://"),
    ("rtmp", "rtmp://host/app/"),
    ("file", "file:"),
    ("file", "/out/"),
    ("decklink", "decklink://1"),
)


@MANY
@given(st.sampled_from(URLS), TEXT)
def test_an_address_is_an_address_and_nothing_else(kind: tuple[OutputKind, str], rest: str) -> None:
    try:
        consumer = consumer_of(Output("o", kind[0], kind[1] + rest), 700, DOCUMENT, Places(Path("/media"), 1), 10**18)
        words = tokens(one_line(line(f"ADD 1-700 {consumer.add}", "m1")))
    except ValueError:  # refused: also what cannot be written
        return
    assert words[:4] == ["REQ", "m1", "ADD", "1-700"]
    assert words[4] in ("STREAM", "FILE", "DECKLINK")
    if words[4] == "DECKLINK":
        assert words[5:] == ["1", "EMBEDDED_AUDIO"]
        return
    assert words[5] == consumer.address
    options = words[6:]
    assert len(options) % 2 == 0
    assert all(name.startswith("-") for name in options[::2])
    assert len(set(options[::2])) == len(options[::2])


LIVE = st.sampled_from(
    ["srt://h:9000?streamid=", "srt://h:9000?passphrase=", "udp://239.1.1.1:5000?localaddr=", "udp://", "rtmp://h/app/",
     "rtmp://h/app/key?", "http://h/", "https://h/live.m3u8?", "http://"]
)  # fmt: skip
PIECES = st.sampled_from([*"aZ09._~:/?#[]@!$&()*,;=%-", "MIX%2025", "CUT", "%22", "%0d", ".html"])
WRITABLE = st.one_of(TEXT, st.lists(PIECES).map("".join))


@MANY
@given(LIVE, WRITABLE)
@example("http://h/", "Mix25/remix(LOOP")
@example("srt://h:9000?streamid=", "a%22%20AUTO%20%22b")
@example("https://h/live.m3u8?", "page.HTML")
def test_a_live_inputs_address_is_one_and_nothing_else(begin: str, rest: str) -> None:
    try:
        told = told_address(parse_live_url(begin + rest))
    except ValueError:
        return
    words = tokens(one_line(line(f"PLAY 1-12 {live_parameters(told)}", "m1")))
    assert words[2:] == ["PLAY", "1-12", told, "CUT", "0"]
    assert told.partition("://")[0] in ("srt", "udp", "rtmp", "http", "https")
    assert not told.lower().endswith((".html", ".png"))
    assert transition_ticks(words[4:]) == 0


@MANY
@given(TEXT)
def test_what_is_quoted_comes_out_as_it_went_in(text: str) -> None:
    try:
        data = line(f"PLAY 1-10 {quoted(text)}", "m1")
    except UnwritableTextError:
        return
    assert tokens(one_line(data))[4:] == [text]
