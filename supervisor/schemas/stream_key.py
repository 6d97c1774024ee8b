"""Where an output goes, without the secret in it."""

from urllib.parse import urlsplit

HIDDEN = "***"


def without_key(url: str) -> str:
    """An RTMP url with its key replaced: whoever has the key can send in the channel's place. Others stay as they are.

    What cannot be read as a url is hidden whole.
    """
    if not url.lower().startswith(("rtmp:", "rtmps:")):
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    app = parts.path.strip("/").partition("/")[0]
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}/{app}/{HIDDEN}" if place and app else HIDDEN
