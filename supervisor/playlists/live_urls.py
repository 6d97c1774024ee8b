"""Where a live input may come from: exactly what the sidecar takes. No message repeats what may be secret of it."""

from sidecar.protocol.live_url import HINT, parse_live_url
from supervisor.errors import Invalid


def check_live_url(url: str) -> None:
    """Raises Invalid."""
    try:
        parse_live_url(url)
    except ValueError as error:
        raise Invalid(str(error), hint=HINT) from None
