"""A program that has the DeckLink device which FFmpeg's libraries as they come in a wheel have not: an ``ffmpeg`` built
with Blackmagic's SDK. What it is asked, and what its words mean. Pure.

What it says is from FFmpeg's ``libavdevice/decklink_dec.cpp`` and ``fftools/opt_common.c`` (versions 4.4 to 8.0).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

PROGRAM: Final = "MCR_DECKLINK_FFMPEG"
"""Names the program; without it, it is the ``ffmpeg`` of the search path."""
NAMES: Final = "MCR_DECKLINK_NAMES"
"""``DeckLink Duo 2 (1);DeckLink Mini Recorder``: the names of the ports 1, 2… where the program's order is not ours."""
FORMAT: Final = "MCR_DECKLINK_FORMAT"
"""FFmpeg's four letters for what comes, ``Hi50``, where a card cannot tell it."""
VARIABLES: Final = (PROGRAM, NAMES, FORMAT)
LOOK_S: Final = 10.0
"""Seconds that a listing may take."""

_HEADER: Final = "Auto-detected sources for decklink:"
_PORT: Final = re.compile(r"[* ] (?P<name>.+?) \[(?P<shown>.*)\](?: \([a-z, ]*\))?")
_NO_DRIVER: Final = ("could not create decklink iterator", "cannot list sources")
_WORDS: Final = 200


@dataclass(frozen=True, slots=True)
class CardPort:
    """One input, in the SDK's order. ``handle`` is the card's own and survives a reboot; empty before FFmpeg 4.3."""

    shown: str
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """``fault``: why it cannot capture here, and what to do; empty where it can, though there may be no port."""

    ports: tuple[CardPort, ...] = ()
    fault: str = ""


def program_name(environment: Mapping[str, str]) -> str:
    return environment.get(PROGRAM) or "ffmpeg"


def no_program(name: str) -> str:
    """What is missing where it is not found."""
    return f"there is no program {_quoted(name)}: install an ffmpeg built with DeckLink, or name one in {PROGRAM}"


def listing_arguments(program: str) -> list[str]:
    return [program, "-hide_banner", "-sources", "decklink"]


def listing_of(program: str, said: str) -> Listing:
    """``said``: what it wrote to both of its outputs."""
    lines = [line.rstrip() for line in said.splitlines()]
    if _HEADER not in lines:
        fault = f"{_quoted(program)} is built without DeckLink: install one that has it, or name one in {PROGRAM}"
        return Listing(fault=fault)
    found = [match for line in lines if (match := _PORT.fullmatch(line))]
    if not found and any(words in said.casefold() for words in _NO_DRIVER):
        return Listing(fault="Blackmagic's driver does not answer: install Desktop Video, and load blackmagic_io")
    ports = [CardPort(it["shown"], "" if it["name"] == it["shown"] else it["name"]) for it in found]
    return Listing(tuple(ports))


def port_of(index: int, listing: Listing, environment: Mapping[str, str]) -> CardPort | None:
    """The ``index``-th, from 1; None where there are not so many."""
    named = [name.strip() for name in environment.get(NAMES, "").split(";")]
    if any(named):
        name = named[index - 1] if index <= len(named) else ""
        return next((port for port in listing.ports if name and name in (port.shown, port.handle)), None)
    return listing.ports[index - 1] if index <= len(listing.ports) else None


def capture_arguments(program: str, port: CardPort, listing: Listing, form: str = "") -> list[str]:
    """Pictures and sound as the card gives them, in NUT, to its standard output. ``form`` as in ``FORMAT``."""
    is_plain = sum(it.shown == port.shown for it in listing.ports) == 1
    return [
        program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info",
        "-f", "decklink", "-channels", "2", *(("-format_code", form) if form else ()),
        # Not all versions open a port by its handle; two of one name have nothing else.
        "-i", port.shown if is_plain or not port.handle else port.handle,
        "-map", "0", "-c", "copy", "-f", "nut", "-flush_packets", "1", "pipe:1",
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mode:
    """What it found at the input."""

    width: int
    height: int
    interlaced: bool


_MODE: Final = re.compile(r"Found Decklink mode ([0-9]{2,5}) x ([0-9]{2,5}) with rate [0-9.]+(\(i\))?")


def mode_of(line: str) -> Mode | None:
    match = _MODE.search(line)
    return None if match is None else Mode(int(match[1]), int(match[2]), match[3] is not None)


def signal_of(line: str) -> bool | None:
    """Whether it says that the signal came back, or went; None: neither. It sends pictures all the same."""
    if "No input signal detected" in line:
        return False
    return True if "Input returned" in line else None


_BUSY: Final = (
    "cannot enable video input", "cannot enable audio input", "could not open input device",
    "cannot start input stream", "could not set input configuration",
)  # fmt: skip
_NOT_THERE: Final = ("no such device or address", "could not create decklink iterator")
_UNTOLD: Final = "cannot autodetect input stream or no signal"
_LOOKED_S: Final = 3.0
"""It looks for a signal for three seconds; a card that it is not given it finds out at once."""


@dataclass(frozen=True, slots=True)
class Ending:
    """``busy``: somebody has the card, or it settles; that may pass. ``missing``: there is no such port now."""

    why: str
    busy: bool = False
    missing: bool = False


def ending_of(lines: Sequence[str], code: int | None, lasted_s: float) -> Ending:
    """Why it ended; ``code`` None: it was killed, as it did nothing for too long."""
    said = [line for line in lines if line.strip()]
    text = "\n".join(said).casefold()
    if any(words in text for words in _NOT_THERE):
        return Ending("Blackmagic's driver does not know it any more", missing=True)
    if _UNTOLD in text and lasted_s >= _LOOKED_S:
        return Ending(f"no signal, or one whose format the card cannot tell: name that in {FORMAT}")
    if _UNTOLD in text or any(words in text for words in _BUSY):
        return Ending("is in use by another process: stop that, or take another port", busy=True)
    if "could not set format code" in text:
        return Ending(f"the card does not take the format that {FORMAT} names")
    if code is None:
        return Ending("the program that captures did nothing any more, and was ended")
    how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    last = f": {said[-1].strip()[:_WORDS]}" if said else ""
    return Ending(f"the program that captures ended with {how}{last}")


def _quoted(name: str) -> str:
    return repr(name[:_WORDS])
