"""The channel's logo with a CasparCG server: a picture on a layer of its own, right above the programme's.

It is loaded once, unseen, and then only made visible or not: that takes no time. The server stretches a still over the
whole channel, so ``FILL`` says which part of it the logo covers, in fractions of it (its source:
``image_producer.cpp``, default ``STRETCH``). What the layer shows is known from INFO.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from msgspec.structs import replace

from sidecar.caspar.amcp import UnwritableTextError, quoted
from sidecar.caspar.connection import CommandFailedError, NoReplyError, ServerAwayError
from sidecar.caspar.info import ChannelInfo
from sidecar.caspar.link import Link
from sidecar.caspar.names import PLAIN_CUT, ClipNames
from sidecar.engine.logo import LogoReader, drawing, measure_logo
from sidecar.engine.logo_switch import LogoSwitch
from sidecar.engine.pacing import NS
from sidecar.protocol.channel import CasparServer, ChannelFormat, Logo
from sidecar.protocol.status import LogoStatus
from sidecar.rundown.answers import Done, Refused
from sidecar.rundown.clock import RundownClock
from sidecar.rundown.model import Shown

log = logging.getLogger(__name__)

_AGAIN_NS: Final = 2 * NS
"""After a command that failed, or was not answered."""
_SETTLES_NS: Final = NS // 2
"""So long after a PLAY the layer may not show it yet."""
_DOUBLINGS: Final = 4
"""Of that pause, while the server never tells that it shows what it took."""
_PLACES: Final = 9


def logo_place(server: CasparServer) -> CasparServer:
    """The layer of a channel's logo."""
    return replace(server, layer=server.layer + 1, program="")


@dataclass(slots=True)
class _Told:
    """What the server was told on this connection; ``opacity`` None: nobody knows."""

    drawing: tuple[str, int, int, int]
    connection: int
    at_ns: int
    opacity: Fraction | None = None
    is_seen: bool = False
    """INFO has told it since."""
    tries: int = 0
    """How often it was told again as INFO did not."""

    @property
    def patience_ns(self) -> int:
        return _AGAIN_NS << min(self.tries - 1, _DOUBLINGS) if self.tries else _SETTLES_NS


class Badge:
    """Owned by the drive's task; ``use`` and ``status`` for any thread."""

    def __init__(
        self, logo: Logo | None, server: CasparServer, form: ChannelFormat, link: Link,
        monotonic_ns: Callable[[], int], may_use: Callable[[CasparServer], bool],
    ) -> None:  # fmt: skip
        """``may_use`` is asked for the layer before anything is put on it."""
        self._place = logo_place(server)
        self._is_ours = bool(server.program)
        self._layer = f"{self._place.channel}-{self._place.layer}"
        self._form = form
        self._link = link
        self._now = monotonic_ns
        self._may_use = may_use
        self._logo = logo
        self._switch = LogoSwitch(logo)
        self._reader = LogoReader(logo, form, measure_logo)
        self._told: _Told | None = None
        self._again_ns = 0
        self._fault = ""
        self._is_shown = self._was_used = False

    def start(self) -> None:
        self._reader.start()

    def close(self) -> None:
        self._reader.close()

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def use(self, logo: Logo | None) -> None:
        """Another logo, or none."""
        if drawing(logo) != drawing(self._logo):
            before, self._reader = self._reader, LogoReader(logo, self._form, measure_logo)
            before.close()
            self._reader.start()
        self._logo = logo
        self._switch.use(logo)

    def see(self, shown: Shown) -> None:
        """Every frame, in order."""
        self._switch.decide(shown)

    def order(self, rundown: RundownClock, show: bool | None, by: str) -> Done:
        """An operator's, until the next item; None: none. Raises Refused."""
        if self._logo is None:
            raise Refused("no_logo", "the channel has no logo")
        if show and self.fault:
            raise Refused("no_logo", self.fault)
        said = "as item and channel say" if show is None else f"{'on' if show else 'off'} until the next item"
        done = rundown.note_command("logo", by, f"logo {said}")
        self._switch.set(show)
        return done

    @property
    def fault(self) -> str:
        """Why it cannot be shown."""
        return self._reader.fault or self._fault

    def status(self) -> LogoStatus | None:
        return self._switch.status(self.fault, is_there=self._is_shown)

    # --- what the server is told --------------------------------------------------------------------------------------

    async def keep(self, info: ChannelInfo | None, names: ClipNames) -> None:
        """Makes the layer what it is to be. Nothing while the server tells nothing."""
        if info is None or self._now() < self._again_ns:
            return
        try:
            await self._keep(info, names)
        except UnwritableTextError as error:
            self._fails(str(error))
        except CommandFailedError as error:
            logo = self._logo
            missing = error.code == 404 and logo is not None
            self._fails(f"the CasparCG server does not find the logo: {logo.path}" if missing and logo else str(error))
        except (NoReplyError, ServerAwayError) as error:
            self._fails(f"the logo: {error}")

    async def clear(self) -> str:
        """Takes it off; what went wrong, empty where nothing did."""
        if not self._was_used:
            return ""
        self._told, self._is_shown = None, False
        return await self._link.tried(f"CLEAR {self._layer}") or await self._link.tried(f"MIXER {self._layer} CLEAR")

    def _fails(self, why: str) -> None:
        """What was told and answered stands."""
        self._says(why)
        self._again_ns = self._now() + _AGAIN_NS

    def _says(self, why: str) -> None:
        if why != self._fault:
            log.warning("%s", why)
        self._fault, self._is_shown = why, False

    async def _keep(self, info: ChannelInfo, names: ClipNames) -> None:
        logo, spread = self._logo, self._reader.made
        layer = info.layers.get(self._place.layer)
        path = "" if layer is None or layer.foreground.producer == "empty" else layer.foreground.path
        told = drawing(logo)
        if logo is None or told is None:
            if self._was_used or (self._is_ours and path):
                self._was_used = True
                if await self.clear():
                    self._again_ns = self._now() + _AGAIN_NS
                else:
                    self._was_used = False
            self._fault = ""
            return
        if spread is None:
            return
        name, is_told = names.told(logo.path), _is_of(path, logo.path)
        opacity = Fraction(logo.opacity, 100) if self._switch.shows else Fraction(0)
        there = self._told
        if there is None or (there.drawing, there.connection) != (told, self._link.connections):
            await self._load(told, name, spread)
        elif is_told:
            there.is_seen, there.tries = True, 0
        elif self._now() - there.at_ns >= there.patience_ns:
            if there.is_seen:
                await self._load(told, name, spread)  # it was taken off
            else:
                self._says(f"the CasparCG server took the logo and does not tell that it shows it: {logo.path}")
                await self._repeat(there, name, spread, opacity)
        there = self._told
        if there is not None and there.opacity != opacity:
            await self._fade(there, opacity)
        if is_told or (there is not None and not there.tries):
            self._is_shown, self._fault = True, ""
        elif there is None:
            self._is_shown, self._fault = False, ""

    async def _load(self, wanted: tuple[str, int, int, int], name: str, spread: tuple[Fraction, ...]) -> None:
        """Unseen, until what it covers is told as well."""
        if not self._was_used and not self._is_ours and not self._may_use(self._place):
            return
        self._was_used, self._told = True, None
        await self._link.do(f"MIXER {self._layer} OPACITY 0")
        await self._place_and_play(name, spread)
        self._told = _Told(wanted, self._link.connections, self._now(), Fraction(0))

    async def _repeat(self, there: _Told, name: str, spread: tuple[Fraction, ...], opacity: Fraction) -> None:
        """The same, of what may be on air all the while: nothing of it is taken away first."""
        there.at_ns = self._now()
        there.tries += 1
        await self._fade(there, opacity)
        await self._place_and_play(name, spread)

    async def _fade(self, there: _Told, opacity: Fraction) -> None:
        there.opacity = None  # nobody knows, until it is answered
        await self._link.do(f"MIXER {self._layer} OPACITY {_decimal(opacity)}")
        there.opacity = opacity

    async def _place_and_play(self, name: str, spread: tuple[Fraction, ...]) -> None:
        await self._link.do(f"MIXER {self._layer} FILL {' '.join(map(_decimal, spread))}")
        try:
            await self._link.do(f"PLAY {self._layer} {quoted(name)} {PLAIN_CUT}")
        except NoReplyError as error:
            log.warning("the logo: %s", error)  # what INFO shows says whether it was done


def _is_of(path: str, wanted: str) -> bool:
    """The server may tell it below another root."""
    return path.replace("\\", "/").rpartition("/")[2].casefold() == wanted.rpartition("/")[2].casefold()


def _decimal(value: Fraction) -> str:
    """As AMCP takes it, rounded to some thousandths of a pixel."""
    scaled = round(value * 10**_PLACES)
    whole, rest = divmod(scaled, 10**_PLACES)
    return f"{whole}.{rest:0{_PLACES}d}".rstrip("0").rstrip(".")
