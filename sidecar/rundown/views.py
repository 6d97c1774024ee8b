"""How an item and its source look to who decides about them."""

from sidecar.protocol.channel import Item
from sidecar.protocol.status import LiveState, LiveStatus
from sidecar.rundown.model import Airing, Sources, SourceView, Supply


def view_of(sources: Sources, airing: Airing) -> SourceView:
    return SourceView(Supply.READY) if airing.item.kind == "slate" else sources(airing)


def nothing_yet(_airing: Airing) -> SourceView:
    return SourceView(Supply.OPENING)


def live_status(item: Item, view: SourceView, *, is_wanted: bool = True) -> LiveStatus | None:
    """What is told of a live input whose source shows ``view``; None of any other item."""
    if item.kind != "live":
        return None
    if not is_wanted:
        return LiveStatus("idle")
    states: dict[Supply, LiveState] = {Supply.READY: "ready", Supply.OPENING: "connecting"}
    return LiveStatus(states.get(view.supply, "lost"), view.error)


def name_of(item: Item) -> str:
    return item.title or item.id
