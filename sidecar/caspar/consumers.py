"""What ``ADD`` is told for each output of a channel. Pure, but for the names of files.

The arguments are those seen to work on a 2.5.0: its own option names (``-codec:v``, never ``-vcodec``), ``yuv420p``
ahead of x264, which takes 4:4:4 otherwise, and stereo out of the 16 channels that it has, which in AAC few can play.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sidecar.caspar.amcp import quoted
from sidecar.engine.encoder_settings import gop_frames, preview_format, preview_step
from sidecar.engine.preview import preview_encoding
from sidecar.outputs.decklink_address import parse_decklink_url
from sidecar.outputs.hls import WINDOW
from sidecar.outputs.rtmp_address import parse_rtmp_url
from sidecar.outputs.sequences import first_number
from sidecar.outputs.sinks import live_folder, recordings_folder
from sidecar.outputs.srt_address import SrtAddress, parse_srt_url
from sidecar.outputs.udp_address import parse_udp_url
from sidecar.protocol.caspar_modes import FieldOrder
from sidecar.protocol.channel import Encoding, Output, SidecarDocument, TransportStream
from sidecar.rundown.rate import parse_rate

FIRST_PORT: Final = 700
PREVIEW_PORT: Final = 790
_STEREO: Final = "pan=stereo|c0=c0|c1=c1"
_UNSAFE: Final = re.compile(r"[\s\"'\\|<>`$;]")
"""In a value of the consumer's options, which it finds by a pattern: a blank ends one."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """``add`` follows ``ADD <channel>-<port> ``. ``address`` as INFO then tells it; it may hold a password."""

    port: int
    add: str
    address: str
    is_card: bool = False
    folder: Path | None = None
    """Where HLS segments lie."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where a channel's files lie on the server's machine, which must see this one's media root."""

    media_root: Path
    epoch: int


def consumer_of(
    output: Output, port: int, document: SidecarDocument, places: Places, wall_ns: int,
    order: FieldOrder = "progressive",
) -> Consumer:  # fmt: skip
    """``order``: of the server's channel. Raises ValueError with what is wrong, which repeats nothing secret."""
    encoding = output.encoding or document.encoding
    if output.kind == "hls":
        return _hls(output, port, document, places, wall_ns, order)
    if output.kind == "decklink":
        card = parse_decklink_url(output.url)
        keyer = "" if card.key is None else " EXTERNAL_KEY"
        return Consumer(port, f"DECKLINK {card.index}{keyer} EMBEDDED_AUDIO", str(card.index), is_card=True)
    # A web's players take no fields, a headend and an archive want them.
    options = _encoder(encoding, document, _whole_frames(document, order) if output.kind == "rtmp" else "", order)
    if output.kind == "file":
        path = _recording(output.url, recordings_folder(places.media_root, document.channel_id), wall_ns)
        return Consumer(port, f"FILE {quoted(path)} {options} {_transport(output.transport)}", path)
    if output.kind == "rtmp":
        parse_rtmp_url(output.url)
        return Consumer(port, f"STREAM {quoted(output.url)} {options} -format flv", output.url)
    if output.kind == "srt":
        address = _srt(parse_srt_url(output.url))
    else:
        udp = parse_udp_url(output.url)
        asked = [f"ttl={udp.ttl}"] if udp.ttl else []
        asked += [f"localaddr={udp.local}"] if udp.local else []
        host = f"[{udp.host}]" if ":" in udp.host else udp.host
        address = f"udp://{host}:{udp.port}?{'&'.join(['pkt_size=1316', *asked])}"
    return Consumer(port, f"STREAM {quoted(address)} {options} {_transport(output.transport)}", address)


def _whole_frames(document: SidecarDocument, order: FieldOrder) -> str:
    """Of an interlaced channel a consumer is given every field as a whole picture: every second one is let go."""
    rate = parse_rate(document.format.rate)
    return "" if order == "progressive" else f"fps={rate.numerator}/{rate.denominator},"


def _encoder(
    encoding: Encoding, document: SidecarDocument, picture: str = "", order: FieldOrder = "progressive"
) -> str:
    """``picture``: filters ahead of the encoder; without them the fields of an interlaced channel are woven."""
    rate = parse_rate(document.format.rate)
    gop = gop_frames(rate, encoding.gop_ms)
    if _UNSAFE.search(encoding.preset + encoding.tune):
        raise ValueError("a preset or a tune of the encoder is one word")
    fields = ""
    if not picture and order != "progressive":
        first = "tff" if order == "upper first" else "bff"
        # 4:2:0 only after weaving, and line by line of each field: else the colours of two fields run into one another.
        picture, fields = f"format=yuv422p,interlace=scan={first}:lowpass=0,scale=interl=1,", "-flags:v +ildct+ilme "
    return (
        f"-filter:v {picture}format=yuv420p -codec:v libx264 {fields}"
        f"-preset:v {encoding.preset} -tune:v {encoding.tune} "
        f"-g:v {gop} -keyint_min:v {gop} -sc_threshold:v 0 -bf:v 0 -b:v {encoding.video_bit_rate} "
        f"-maxrate:v {encoding.video_bit_rate} -bufsize:v {encoding.video_bit_rate} "
        f"-filter:a {_STEREO} -codec:a aac -b:a {encoding.audio_bit_rate}"
    )


def _transport(transport: TransportStream) -> str:
    rate = f" -muxrate {transport.mux_rate}" if transport.mux_rate else ""
    return (
        f"-format mpegts -mpegts_service_id {transport.service_id} -mpegts_pmt_start_pid {transport.pmt_pid} "
        f"-mpegts_start_pid {transport.video_pid} -mpegts_transport_stream_id {transport.transport_stream_id} "
        f"-mpegts_original_network_id {transport.original_network_id}{rate}"
    )


def _hls(
    output: Output, port: int, document: SidecarDocument, places: Places, wall_ns: int, order: FieldOrder
) -> Consumer:
    live = live_folder(places.media_root, document.channel_id)
    encoding, picture = output.encoding or document.encoding, ""
    if output.role == "preview":
        live = live / "preview"
        rate = parse_rate(document.format.rate)
        small = preview_format(document.format)
        step = preview_step(rate, gop_frames(rate, encoding.gop_ms))
        encoding = preview_encoding(document.encoding)
        frames = rate / step
        picture = f"fps={frames.numerator}/{frames.denominator},scale={small.width}:{small.height},"
        options = _encoder(encoding, document, picture)
        gop = gop_frames(rate, encoding.gop_ms)
        options = options.replace(f"-g:v {gop} -keyint_min:v {gop}", f"-g:v {gop // step} -keyint_min:v {gop // step}")
    else:
        options = _encoder(encoding, document, _whole_frames(document, order), order)
    place = live.absolute()
    if _UNSAFE.search(str(place)):
        raise ValueError(f"the server's HLS takes no blanks and quotes in a path: {place}")
    folder, playlist = place / str(places.epoch), place / f"{places.epoch}.m3u8"
    seconds = f"{encoding.gop_ms / 1000:g}"
    muxer = (
        f"-format hls -hls_time {seconds} -hls_list_size {WINDOW} -start_number {first_number(wall_ns, places.epoch)} "
        f"-hls_flags delete_segments+independent_segments+program_date_time+temp_file+discont_start+omit_endlist "
        f"-hls_segment_filename {folder}/%d.ts -hls_base_url {places.epoch}/"
    )
    return Consumer(port, f"STREAM {quoted(str(playlist))} {options} {muxer}", str(playlist), folder=folder)


def _recording(url: str, recordings: Path, wall_ns: int) -> str:
    """A name of its own each time: the server empties a file that is there."""
    text = url.removeprefix("file://") if url.startswith("file://") else url.removeprefix("file:")
    path = Path(text) if Path(text).is_absolute() else recordings.absolute() / text
    if ".." in path.parts or not path.suffix or " -" in str(path):
        raise ValueError(
            "a file output needs a whole path or a name, with its extension, and no word that begins with -"
        )
    moment = datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC)
    return str(path.with_name(f"{path.stem}-{moment:%Y%m%dT%H%M%SZ}{path.suffix}"))


def _srt(address: SrtAddress) -> str:
    """As FFmpeg's SRT has its options: latency in microseconds."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    options = [f"mode={address.mode}", f"latency={address.latency_ms * 1000}", "pkt_size=1316"]
    if address.passphrase:
        options += [f"passphrase={address.passphrase}", f"pbkeylen={address.key_bytes}"]
    if address.stream_id:
        options.append(f"streamid={address.stream_id}")
    if any(_UNSAFE.search(option) or "&" in option for option in options):
        raise ValueError("the server takes no blanks, quotes, & and | in options of SRT")
    return f"srt://{host}:{address.port}?{'&'.join(options)}"
