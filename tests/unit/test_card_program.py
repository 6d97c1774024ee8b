"""What an ffmpeg built with DeckLink says, and what it means."""

import pytest

from sidecar.protocol.card_program import (
    CardPort,
    Ending,
    Listing,
    Mode,
    capture_arguments,
    ending_of,
    listing_of,
    mode_of,
    port_of,
    signal_of,
)

OLD = """Auto-detected sources for decklink:
  UltraStudio Recorder 3G [UltraStudio Recorder 3G]
"""
FOUR = """ffmpeg version N-96920-ge6c5329 Copyright (c) 2000-2020 the FFmpeg developers
  built with gcc 5.4.0
Auto-detected sources for decklink:
  75:0a4aa32e:00000000 [Intensity Pro 4K]
"""
EIGHT = """Auto-detected sources for decklink:
  75:05326625:00000000 [DeckLink Duo 2 (1)] (video, audio)
* 75:05326625:00000001 [DeckLink Duo 2 (2)] (none)
"""
NO_DRIVER = """Auto-detected sources for decklink:
[decklink @ 0x1] Could not create DeckLink iterator
Cannot list sources: Input/output error
"""


@pytest.mark.parametrize(
    ("said", "ports"),
    [
        (OLD, [CardPort("UltraStudio Recorder 3G")]),
        (FOUR, [CardPort("Intensity Pro 4K", "75:0a4aa32e:00000000")]),
        (
            EIGHT,
            [
                CardPort("DeckLink Duo 2 (1)", "75:05326625:00000000"),
                CardPort("DeckLink Duo 2 (2)", "75:05326625:00000001"),
            ],
        ),
    ],
)
def test_inputs_are_read_as_every_version_lists_them(said: str, ports: list[CardPort]) -> None:
    assert listing_of("ffmpeg", said) == Listing(tuple(ports))


def test_what_is_missing_is_named() -> None:
    assert "is built without DeckLink" in listing_of("ffmpeg", "").fault
    assert "install Desktop Video" in listing_of("ffmpeg", NO_DRIVER).fault
    assert listing_of("ffmpeg", OLD.splitlines()[0]) == Listing()


def test_a_port_is_counted_from_one_or_named() -> None:
    listing = listing_of("ffmpeg", EIGHT)
    first, second = listing.ports
    assert (port_of(1, listing, {}), port_of(2, listing, {}), port_of(3, listing, {})) == (first, second, None)
    named = {"MCR_DECKLINK_NAMES": "75:05326625:00000001;;DeckLink Duo 2 (1);gone"}
    assert [port_of(index, listing, named) for index in range(1, 6)] == [second, None, first, None, None]


def test_a_port_is_opened_by_its_name_and_one_of_two_namesakes_by_its_handle() -> None:
    listing = listing_of("ffmpeg", EIGHT)
    arguments = capture_arguments("/opt/ffmpeg", listing.ports[0], listing, "Hi50")
    assert arguments[0] == "/opt/ffmpeg"
    assert arguments[arguments.index("-i") + 1] == "DeckLink Duo 2 (1)"
    assert arguments[arguments.index("-format_code") + 1] == "Hi50"
    twins = Listing((CardPort("Mini", "1:2:3"), CardPort("Mini", "1:2:4")))
    arguments = capture_arguments("ffmpeg", twins.ports[1], twins)
    assert arguments[arguments.index("-i") + 1] == "1:2:4"
    assert "-format_code" not in arguments


def test_what_it_says_of_the_input_is_understood() -> None:
    line = "[decklink @ 0x1] Found Decklink mode 1920 x 1080 with rate 25.00"
    assert mode_of(f"{line}(i)") == Mode(1920, 1080, interlaced=True)
    assert mode_of(line) == Mode(1920, 1080, interlaced=False)
    assert mode_of("Autodetected the input mode") is None
    assert signal_of("Frame received (#7) - No input signal detected - Frames dropped 1") is False
    assert signal_of("Frame received (#9) - Input returned - Frames dropped 1") is True
    assert signal_of("frame= 10") is None


@pytest.mark.parametrize(
    ("line", "lasted", "busy", "missing"),
    [
        ("[decklink @ 0x1] Cannot enable video input", 1.0, True, False),
        ("[decklink @ 0x1] Cannot Autodetect input stream or No signal", 0.4, True, False),
        ("[decklink @ 0x1] Cannot Autodetect input stream or No signal", 3.2, False, False),
        ("DeckLink Duo 2 (1): No such device or address", 0.2, False, True),
        ("[decklink @ 0x1] Could not set format code Hp99 for DeckLink Duo 2 (1)", 0.2, False, False),
    ],
)
def test_busy_is_told_from_not_there(line: str, lasted: float, *, busy: bool, missing: bool) -> None:
    ending = ending_of([line, "Input/output error"], 1, lasted)
    assert (ending.busy, ending.missing) == (busy, missing)


def test_an_end_without_known_words_is_told_as_it_was() -> None:
    assert ending_of(["one", "x" * 999], 139, 5.0).why.endswith(f"exit code 139: {'x' * 200}")
    assert ending_of([], -11, 5.0) == Ending("the program that captures ended with signal 11")
    assert "did nothing any more" in ending_of(["frame"], None, 9.0).why
