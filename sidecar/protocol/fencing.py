"""What keeps an older epoch's output off the air while a newer one enters it, by kind of output."""

from typing import Literal

from sidecar.protocol.channel import Output

Fencing = Literal["resource", "lease_stop", "hold", "session", "cable"]
"""* ``resource``: the place itself keeps epochs apart (HLS), or is nobody's air (a file). Nothing has to stop.
* ``lease_stop``: sends only while its lease lives.
* ``hold``: never stops by itself, and nobody else refuses it; so an unreachable one is not replaced.
* ``session``: an open session runs on without a lease, and no connection is made without one.
* ``cable``: only this node has the cable; it never stops by itself and is never moved.
"""


def fencing_of(output: Output) -> Fencing:
    """A lease counts only where the channel is leased (``SidecarDocument.leased``)."""
    if output.kind == "udp":
        return "lease_stop" if output.lease_stop else "hold"
    if output.kind in ("rtmp", "srt"):
        return "session"
    return "cable" if output.kind == "decklink" else "resource"
