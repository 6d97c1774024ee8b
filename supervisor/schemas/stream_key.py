"""Where an output goes, without the secret in it."""

from urllib.parse import urlsplit

HIDDEN = "***"


def without_key(url: str) -> str:
    """An RTMP url with its key replaced, and an SRT url with its passphrase and stream id: whoever has them can send in
    the channel's place, or take its programme. Others stay as they are.

    What cannot be read as a url is hidden whole.
    """
    if url.lower().startswith("srt:"):
        return _without_options(url)
    if not url.lower().startswith(("rtmp:", "rtmps:")):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    app, _, key = parts.path.strip("/").partition("/")
    place = parts.netloc.rpartition("@")[2]
    if not place:
        return HIDDEN
    # One word alone may be either; a secret in the wrong place is still one.
    return f"{parts.scheme}://{place}/{app}/{HIDDEN}" if key else f"{parts.scheme}://{place}/{HIDDEN}"


def _without_options(url: str) -> str:
    place, mark, query = url.partition("?")
    options = [option for option in query.split("&") if option]
    plain = ("mode=", "latency=", "pbkeylen=")
    shown = [one if one.startswith(plain) else f"{one.partition('=')[0]}={HIDDEN}" for one in options]
    return f"{place.partition('://')[0]}://{place.partition('://')[2].rpartition('@')[2]}{mark}{'&'.join(shown)}"
