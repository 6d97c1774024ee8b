"""AMCP: what is written cannot be anything else, what comes is cut as the server means it.

Exchanges are those of a running CasparCG 2.5.0; the tokeniser that reads commands back is written from its source
(``protocol/util/tokenize.cpp``), not from ours.
"""

import itertools
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.caspar.amcp import GarbledReplyError, Reply, ReplyReader, UnwritableTextError, line, quoted, word
from sidecar.caspar.info import Port, UnreadableInfoError, read_info
from sidecar.caspar.names import ClipNames, clip_parameters
from sidecar.caspar.version import Version

TRANSITION = re.compile(r".*(VFADE|FADECUT|CUTFADE|CUT|PUSH|SLIDE|WIPE|MIX) *([0-9]+)")
KEYWORDS = {"LOOP", "AUTO", "SEEK", "IN", "OUT", "LENGTH", "FILTER", "EMPTY", "RED", "BLACK", "CLEAR_ON_404"}
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0"), min_size=1, max_size=60)
TRAPS = st.sampled_from(
    ["Mix 25 remix", "cut 3 final", "auto", "loop", 'a" AUTO "b', "a\\", "a\\\\", "\\n", "(x", "#FF00FF00", "EMPTY",
     "x CUT 5", "MIX 9", "-dash", "1-10", "/x", "REQ 1 KILL", "é100% [x]"]
)  # fmt: skip


def tokens(command: bytes) -> list[str]:
    """The server's own reading: quotes group, backslash always escapes, an escape that is not known is dropped."""
    text = command.decode().removesuffix("\r\n")
    found: list[str] = []
    current, in_quotes, escaped = "", False, False
    for character in text:
        if escaped:
            current += {"\\": "\\", '"': '"', "n": "\n"}.get(character, "")
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            in_quotes = not in_quotes
        elif character == " " and not in_quotes:
            if current:
                found.append(current)
            current = ""
        else:
            current += character
    return [*found, current] if current else found


@settings(max_examples=400)
@given(NAMES | TRAPS)
def test_a_text_is_one_parameter_and_itself(text: str) -> None:
    sent = line(f"LOADBG 1-10 {quoted(text)} AUTO")
    assert sent.count(b"\r\n") == 1
    assert tokens(sent) == ["LOADBG", "1-10", text, "AUTO"]


@settings(max_examples=400)
@given(
    name=NAMES | TRAPS, seek=st.integers(0, 10**6), in_=st.integers(0, 10**6), length=st.none() | st.integers(1, 10**6)
)
def test_a_clips_name_is_never_a_keyword_or_a_transition(name: str, seek: int, in_: int, length: int | None) -> None:
    path = "/media/" + name.replace("/", "_") + ".mp4"
    read = tokens(line(f"PLAY 1-10 {clip_parameters(path, seek=seek, in_=in_, length=length)}"))
    assert read[2] == path
    assert [token for token in read[2:3] if token.upper() in KEYWORDS] == []
    transition = TRANSITION.match(" ".join(read[2:]).upper())
    assert transition is not None
    assert (transition[1], transition[2]) == ("CUT", "0"), "the last transition is what the server takes"
    numbers = dict(zip(read[3:-2:2], read[4:-2:2], strict=True))
    assert numbers.get("LENGTH") == (None if length is None else str(length))
    assert int(numbers.get("IN", "0")) == in_


@pytest.mark.parametrize("text", ["a\r\nKILL", "a\rb", "a\nb", "a\0b", "\ud800"], ids=ascii)
def test_what_would_end_a_command_is_refused(text: str) -> None:
    with pytest.raises(UnwritableTextError):
        quoted(text)
    with pytest.raises(UnwritableTextError):
        line(f"PLAY 1-10 {text}")


@pytest.mark.parametrize("path", ["auto", "clips/a.mp4", "/media/noext", "/media/../a.mp4", ""], ids=str)
def test_a_clip_without_a_whole_path_or_extension_is_refused(path: str) -> None:
    with pytest.raises(UnwritableTextError):
        clip_parameters(ClipNames().told(path))


def test_a_server_on_another_system_is_told_names_below_its_media_folder() -> None:
    names = ClipNames(media="/mnt/news")
    assert names.told("/mnt/news/a/b.mp4") == "a/b.mp4"
    for wrong in ("/media/b.mp4", "/mnt/news2/b.mp4", "/mnt/news/http://x/b.mp4", "/mnt/news/b", "/mnt/news/../b.mp4"):
        with pytest.raises(UnwritableTextError):
            names.told(wrong)


def test_a_server_before_2_4_is_told_names_below_the_folder_that_it_tells() -> None:
    assert ClipNames(is_old=True, its_media="/media/").told("/media/b.mp4") == "b.mp4"
    for folder in ("", "C:\\media\\"):
        with pytest.raises(UnwritableTextError, match="media folder"):
            ClipNames(is_old=True, its_media=folder).told("/media/b.mp4")


@pytest.mark.parametrize(
    ("told", "number", "whole", "fault"),
    [
        ("2.5.0 69e8ad552 Stable", (2, 5), True, False),
        ("2.4.3 4c5d6e7 Stable", (2, 4), True, False),
        ("2.3.3 LTS f00 Stable", (2, 3), False, False),
        ("2.1.0.3437 8ff5d28 Beta", (2, 1), False, True),
        ("2.10.0", (2, 10), True, False),
        ("what?", (2, 5), True, False),
    ],
)
def test_versions_are_told_apart(told: str, number: tuple[int, int], whole: bool, fault: bool) -> None:
    version = Version.read(told)
    assert (version.number, version.takes_whole_paths, bool(version.fault)) == (number, whole, fault)


def test_keywords_and_ids_are_bare() -> None:
    assert word("libx264") == "libx264"
    for wrong in ("a b", "", '"', "a\\"):
        with pytest.raises(UnwritableTextError):
            word(wrong)
        with pytest.raises(UnwritableTextError):
            line("PING", wrong)


XML = """<?xml version="1.0" encoding="utf-8"?>
<channel>
   <format>1080i5994</format><framerate>60000</framerate><framerate>1001</framerate>
   <output><port><port_700><consumer>ffmpeg</consumer><file><fps>25</fps><frame>17</frame><path>r.mp4</path></file>
   </port_700><port_301><consumer>decklink</consumer></port_301></port></output>
   <stage><layer><layer_10>
      <background><file><clip>0</clip><clip>0</clip><name>b</name><path>/media/b.mp4</path><time>0</time><time>0</time>
      </file><producer>transition</producer><transition><producer>ffmpeg</producer></transition></background>
      <foreground><file><clip>0</clip><clip>10.01</clip><path>/media/a.mp4</path><time>5.0050000000000001</time>
      <time>10.01</time></file><frames_left>300</frames_left><loop>false</loop><paused>true</paused>
      <producer>ffmpeg</producer></foreground>
   </layer_10></layer></stage>
</channel>
"""
STREAM = (
    b"202 PLAY OK\r\n"
    b"400 ERROR\r\nPLAY 2-10 red_5s\r\n"
    b"RES 7 400 ERROR\r\n\r\n"
    b"RES a b 201 VERSION OK\r\n2.5.0 69e8ad552 Stable\r\n"
    b"201 INFO OK\r\n" + XML.encode() + b"\r\n"
    b"200 INFO OK\r\n1 720p2500 PLAYING\r\n\r\n"
    b"200 TLS OK\r\n\r\n"
    b"PONG a b\r\n"
    b"504 QUEUE OVERFLOW\r\n"
    b"RES m12 402  ERROR\r\n"
    b"RES 9 501 MIXER OPACITY FAILED\r\n"
)
REPLIES = [
    Reply(None, 202, "PLAY OK"),
    Reply(None, 400, "ERROR", ("PLAY 2-10 red_5s",)),
    Reply("7", 400, "ERROR", ("",)),
    Reply("a b", 201, "VERSION OK", ("2.5.0 69e8ad552 Stable",)),
    Reply(None, 201, "INFO OK", (XML,)),
    Reply(None, 200, "INFO OK", ("1 720p2500 PLAYING",)),
    Reply(None, 200, "TLS OK"),
    Reply(None, 202, "PONG a b"),
    Reply(None, 504, "QUEUE OVERFLOW"),
    Reply("m12", 402, "ERROR"),
    Reply("9", 501, "MIXER OPACITY FAILED"),
]


@given(st.lists(st.integers(1, len(STREAM)), max_size=12))
def test_replies_are_cut_the_same_however_they_come(cuts: list[int]) -> None:
    reader = ReplyReader()
    places = [0, *sorted(set(cuts)), len(STREAM)]
    found = [reply for a, b in itertools.pairwise(places) for reply in reader.feed(STREAM[a:b])]
    assert found == REPLIES


def test_what_is_no_reply_ends_the_connection() -> None:
    with pytest.raises(GarbledReplyError):
        ReplyReader().feed(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(GarbledReplyError):
        ReplyReader().feed(b"201 INFO OK\r\n" + b"x" * (9 << 20))


def test_info_is_read_in_ticks_of_the_channel() -> None:
    info = read_info(XML)
    assert (info.format, info.rate) == ("1080i5994", Fraction(60000, 1001))
    front, back = info.layers[10].foreground, info.layers[10].background
    assert (front.path, front.position, front.clip_length, front.ticks_left) == ("/media/a.mp4", 300, 600, 300)
    assert (front.paused, front.loop, front.is_dead, front.has_ended) == (True, False, False, False)
    assert (back.producer, back.path, back.is_dead) == ("transition", "/media/b.mp4", True)
    assert info.ports == {700: Port("ffmpeg", "r.mp4", 17), 301: Port("decklink")}


def test_info_of_what_is_no_channel_is_refused() -> None:
    for wrong in ("1 720p2500 PLAYING", "<channel/>", "<!DOCTYPE x><channel/>", XML.replace("60000", "0")):
        with pytest.raises(UnreadableInfoError):
            read_info(wrong)
