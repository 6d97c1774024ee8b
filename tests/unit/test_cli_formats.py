"""Formats and outputs as people write them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcr_console.formats import format_label, parse_format, parse_output


@pytest.mark.parametrize(
    ("written", "width", "height", "rate"),
    [
        ("720p25", 1280, 720, "25"),
        ("1080p25", 1920, 1080, "25"),
        ("1080p29.97", 1920, 1080, "30000/1001"),
        ("1080p50", 1920, 1080, "50"),
        ("720p59.94", 1280, 720, "60000/1001"),
        ("1080p23.976", 1920, 1080, "24000/1001"),
        ("1080p23.98", 1920, 1080, "24000/1001"),
        ("2160p25", 3840, 2160, "25"),
        ("1280x720p25", 1280, 720, "25"),
        ("720x576p25", 720, 576, "25"),
        ("1920X1080P30000/1001", 1920, 1080, "30000/1001"),
        (" 720p25/2 ", 1280, 720, "25/2"),
    ],
)
def test_a_format_is_read_to_the_exact_rational(written: str, width: int, height: int, rate: str) -> None:
    found = parse_format(written)
    assert (found.width, found.height, found.rate) == (width, height, rate)


@pytest.mark.parametrize(
    "written",
    ["", "1080", "p25", "1080p", "1080i25", "733p25", "1281x720p25", "720p0", "720p25/0", "720p29.98", "720p1000",
     "720p1/2", "99999x99999p25", "10x10p25", "720p25 --start", "720p\u0662\u0665", "720p25/", "720p.", "720p//"],
)  # fmt: skip
def test_what_is_no_format_is_refused_with_examples(written: str) -> None:
    with pytest.raises(ValueError, match="1080p25"):
        parse_format(written)


@given(st.sampled_from(["720p25", "1080p29.97", "720p59.94", "1440x1080p50", "2160p25", "720x576p25", "1080p23.976"]))
def test_a_label_is_read_as_the_format_it_was_made_from(written: str) -> None:
    assert format_label(parse_format(written)) == written


def test_ntsc_rates_are_never_decimals() -> None:
    assert Fraction(parse_format("720p29.97").rate) == Fraction(30000, 1001)


def test_outputs() -> None:
    assert parse_output("hls").kind == "hls"
    udp = parse_output("udp://239.0.0.1:5000?ttl=4")
    assert (udp.kind, udp.url) == ("udp", "udp://239.0.0.1:5000?ttl=4")
    assert parse_output("udp://[::1]:5000").url == "udp://[::1]:5000"
    assert not udp.lease_stop
    rtmp = parse_output("rtmp://live.example/app/key?x=1")
    assert (rtmp.kind, rtmp.url) == ("rtmp", "rtmp://live.example/app/key?x=1")
    assert (parse_output("decklink://1?key=2").kind, parse_output("rtmps://h/a/k").kind) == ("decklink", "rtmp")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("udp://239.0.0.1:5000?lease_stop", "udp://239.0.0.1:5000"),
        ("udp://239.0.0.1:5000?ttl=4&lease-stop", "udp://239.0.0.1:5000?ttl=4"),
        ("udp://239.0.0.1:5000?lease_stop&ttl=4", "udp://239.0.0.1:5000?ttl=4"),
    ],
)
def test_an_output_that_stops_with_its_lease_says_so_in_one_word(written: str, url: str) -> None:
    output = parse_output(written)
    assert (output.kind, output.url, output.lease_stop) == ("udp", url, True)


@pytest.mark.parametrize(
    "written", ["", "rist://host:1", "udp://", "udp://host", "udp://host:99999", "udp://:5000", "file.ts"]
)
def test_what_is_no_output_is_refused_with_an_example(written: str) -> None:
    with pytest.raises(ValueError, match="udp://239"):
        parse_output(written)


def test_an_output_is_written_with_what_is_its_own_behind_its_address() -> None:
    output = parse_output("srt://host:9000?latency=200&mux_rate=6M&video_pid=0x65&service_name=K%C3%A4se&preset=fast")
    assert (output.kind, output.url) == ("srt", "srt://host:9000?latency=200")
    assert output.transport is not None
    assert output.encoding is not None
    assert (output.transport.mux_rate, output.transport.video_pid, output.transport.service_name) == (
        6_000_000,
        0x65,
        "Käse",
    )
    assert output.encoding.preset == "fast"
    plain = parse_output("udp://239.0.0.1:5000?ttl=8&lease_stop")
    assert (plain.url, plain.lease_stop, plain.transport, plain.encoding) == (
        "udp://239.0.0.1:5000?ttl=8",
        True,
        None,
        None,
    )
    assert parse_output("file:evening.ts?service_id=7").url == "file:evening.ts"
    for wrong in ("srt://host:1?mux_rate=fast", "udp://host:1?video_pid=1"):
        with pytest.raises(ValueError, match=r"mux_rate|video_pid"):
            parse_output(wrong)
