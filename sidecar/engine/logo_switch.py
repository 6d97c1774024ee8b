"""Whether the logo is on: by the item, by the channel, or by an operator until the next item. Pure."""

from sidecar.protocol.channel import Logo
from sidecar.protocol.status import LogoStatus
from sidecar.rundown.model import Shown


class LogoSwitch:
    """Owned by the playout thread; ``status`` may be read by anyone."""

    def __init__(self, logo: Logo | None) -> None:
        self._logo = logo
        self._item = ""  # of the list, the last that was on air
        self._override: tuple[bool, str] | None = None  # on or off, and since which item
        self.shows = False
        """Whether the last frame that was asked about carries it."""

    def use(self, logo: Logo | None) -> None:
        """Another logo, or none, from the next frame on; an operator's word on it stays. From any thread."""
        self._logo = logo

    @property
    def is_there(self) -> bool:
        """The channel has a logo."""
        return self._logo is not None

    @property
    def override(self) -> bool | None:
        """What an operator wants of it until the next item; None: nothing."""
        return None if self._override is None else self._override[0]

    def set(self, on: bool | None) -> None:
        """Until another item of the list begins. None gives the logo back to items and channel."""
        self._override = None if on is None else (on, self._item)

    def decide(self, shown: Shown) -> bool:
        """Once per output frame, in order. A slate, the emergency's too, has none: it is a card of its own."""
        # Filler, the standby clip and what is shown while a live input is lost are no items that begin.
        if shown.airing is not None and shown.picture in ("item", "freeze", "hold"):
            self._item = shown.airing.item.id
        if self._override is not None and self._override[1] != self._item:
            self._override = None
        logo = self._logo
        self.shows = logo is not None and shown.action != "slate" and self._is_wanted(logo, shown)
        return self.shows

    def status(self, fault: str, *, is_there: bool) -> LogoStatus | None:
        """``fault`` says why it cannot be shown, ``is_there`` whether there is one to show: the one before may stay.
        None for a channel without a logo."""
        if self._logo is None:
            return None
        override = self.override
        said = "auto" if override is None else "on" if override else "off"
        return LogoStatus(shown=self.shows and is_there, override=said, fault=fault)

    def _is_wanted(self, logo: Logo, shown: Shown) -> bool:
        if self._override is not None:
            return self._override[0]
        if shown.picture == "standby" or shown.airing is None:
            return False
        use = shown.airing.item.logo
        return logo.on if use == "inherit" else use == "on"
