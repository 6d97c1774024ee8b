"""Opening a live input: the schemes of ``live_url`` and nothing else, for at most some seconds."""

import errno

import av
from av.error import ExitError, FFmpegError, InvalidDataError, UnknownError

from sidecar.certificates import ca_bundle, refused_certificate
from sidecar.media.https_files import HttpsFiles
from sidecar.media.opening import OpenMedia, Unusable, pick_streams
from sidecar.protocol.live_url import LiveAddress

OPEN_TIMEOUT = 5.0
"""Seconds to connect, and again to find out what comes; a listener waits so long for its sender, and then again."""
READ_TIMEOUT = 2.0
PULL_TIMEOUT = 12.0
"""Seconds without data after which the connection is given up. HLS brings nothing for the length of a segment."""

_FORMATS = {"srt": "mpegts", "udp": "mpegts", "rtmp": "flv", "rtmps": "flv"}
_PULLED = "hls,mpegts,mov,mp4,m4a,3gp,3g2,mj2,aac,ac3,eac3,mp3,webvtt"
"""What HLS is made of. Playlists of other kinds reach elsewhere."""
_PROTOCOLS = {
    "srt": "srt",
    "udp": "udp",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,rtmp,tls,tcp",
    "http": "http,https,tls,tcp,crypto",
    "https": "http,https,tls,tcp,crypto",
}
"""Neither file nor pipe nor any other scheme, whatever a playlist of a foreign host says."""

_ANALYSED_US = 2_000_000
_RTMPS_PORT = 443


def open_live(address: LiveAddress) -> OpenMedia:
    """Blocks at most about twice ``OPEN_TIMEOUT``, and as long as a name takes to be found.

    Raises ``Unusable`` without anything secret.
    """
    is_pulled = address.scheme in ("http", "https")
    options = {
        **address.options,
        "protocol_whitelist": _PROTOCOLS[address.scheme],
        "format_whitelist": _PULLED if is_pulled else _FORMATS[address.scheme],
        "analyzeduration": str(_ANALYSED_US),
    }
    if address.scheme == "udp":
        # Larger than a second of most streams; an overrun loses datagrams, not the input.
        options |= {"fifo_size": str(28 * 4096), "overrun_nonfatal": "1", "reuse": "1", "buffer_size": "2097152"}
    if address.scheme == "rtmps":
        options |= {"tls_verify": "1", **({"ca_file": bundle} if (bundle := _authorities()) else {})}
    files, location = None, address.location
    if address.scheme == "https":
        files = HttpsFiles(address, PULL_TIMEOUT)
        location = files.begin(location)
        # It would look for FFmpeg's own connections, which these are not.
        options |= {"http_persistent": "0", "http_multiple": "0"}
    try:
        container = av.open(
            location,
            "r",
            format=_FORMATS.get(address.scheme),
            container_options=options,
            metadata_errors="replace",
            timeout=(OPEN_TIMEOUT, PULL_TIMEOUT if is_pulled else READ_TIMEOUT),
            io_open=files,
        )
    except (FFmpegError, OSError, ValueError) as error:
        raise Unusable(_refusal(error, address)) from None  # what it says repeats the url
    finally:
        if files is not None:
            files.close()
    try:
        media = pick_streams(container, address.shown, seekable=False)
    except BaseException:
        container.close()
        raise
    if media.picture is None:
        container.close()
        raise Unusable(f"no picture in it: {address.shown}")
    return media


def _authorities() -> str | None:
    """Raises Unusable."""
    try:
        return ca_bundle()
    except OSError as error:
        raise Unusable(str(error)) from None


def _refusal(error: BaseException, address: LiveAddress) -> str:
    """FFmpeg says of a certificate that it does not accept no more than that something failed."""
    if address.scheme == "rtmps" and isinstance(error, OSError) and error.errno == errno.EIO:
        why = refused_certificate(address.host, address.port or _RTMPS_PORT, OPEN_TIMEOUT)
        if why:
            return f"{why}: {address.shown}"
    return live_sentence(error, address)


def live_sentence(error: BaseException, address: LiveAddress) -> str:
    """What an operator reads about an error of the network or of FFmpeg."""
    if isinstance(error, ExitError | TimeoutError):
        waits = "nobody has connected yet" if address.listens else "no answer or no media from it"
        return f"{waits}: {address.shown}"
    if isinstance(error, InvalidDataError):
        return f"what it sends is no media: {address.shown}"
    if isinstance(error, EOFError):
        return f"the sender ended: {address.shown}"
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ECONNREFUSED:
        return f"connection refused: {address.shown}"
    if number == errno.EADDRINUSE:
        return f"its port is in use on this machine: {address.shown}"
    if isinstance(error, UnknownError):
        return f"no connection: {address.shown}"  # all that libsrt tells
    told = error.strerror if isinstance(error, OSError | FFmpegError) else None
    reason = told or type(error).__name__
    return f"{address.masked(reason)}: {address.shown}"
