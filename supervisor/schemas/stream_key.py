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
    app, _, key = parts.path.strip("/").partition("/")
    place = parts.netloc.rpartition("@")[2]
    if not place:
        return HIDDEN
    # One word alone may be either; a secret in the wrong place is still one.
    return f"{parts.scheme}://{place}/{app}/{HIDDEN}" if key else f"{parts.scheme}://{place}/{HIDDEN}"
