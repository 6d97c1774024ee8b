"""How an as-run event came about, in words: what began it, what became of it, what ended it."""

from typing import Final

from supervisor.schemas.asrun import AsRunEvent

OF_ITSELF: Final = frozenset({"", "follow", "loop", "arm"})
"""Causes that nobody and no fault brought about: the list went on, or the channel began."""


def how(event: AsRunEvent) -> str:
    """``cut by rejoin; began by take (ann)``, ``skipped: jumped; by ann``: the end first, for a column that may be cut
    off.

    ``event.by`` is who began it; who ended it stands with the event that came in its place.
    """
    words = event.status
    if event.status == "cut" and event.end_cause:
        words = f"cut by {event.end_cause}"
    elif event.kind == "skipped" and event.start_cause:
        words = f"{event.status}: {event.start_cause}"
    parts = [words]
    if event.late:
        parts.append(f"{event.late} late")
    if event.kind != "skipped" and (event.start_cause not in OF_ITSELF or event.by):
        who = f" ({event.by})" if event.by else ""
        parts.append(f"began by {event.start_cause or 'command'}{who}")
    elif event.by:
        parts.append(f"by {event.by}")
    if event.detail:
        parts.append(event.detail)
    return "; ".join(parts)
