"""Who may decide: a lease in the store, trusted only until the attempt's start + TTL - margin on our own clock."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from db.elector import Elector
from db.errors import StoreError, StoreUnavailable
from db.repositories.leader import Fence
from supervisor.clock import Clock
from supervisor.decisions.timing import Timing

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """``term`` is the one this supervisor led last, 0 before the first. ``address`` is the leader's, where known."""

    leader: bool
    term: int
    address: str


class Leadership:
    """``elector`` is its way to the lease, and its own: it is closed at the end.

    ``taken`` is called with every new term: whatever was read before must be read again.
    """

    def __init__(
        self,
        elector: Elector,
        clock: Clock,
        timing: Timing,
        *,
        holder: str,
        address: str,
        taken: Callable[[], None],
    ) -> None:
        self._elector = elector
        self._clock = clock
        self._timing = timing
        self._holder = holder
        self._address = address
        self._taken = taken
        self._fence: Fence | None = None
        self._trusted_until = 0.0
        self._term = 0
        self._leader_address = ""
        self._above = 0
        self._led_since: float | None = None
        self._why_not = "this supervisor has just begun"
        self.store_fault = ""
        """Why the store cannot be used; empty when the last attempt reached it."""

    @property
    def fence(self) -> Fence | None:
        """What a write of ours must carry; None as soon as the lease can no longer be trusted."""
        return self._fence if self._clock.monotonic() < self._trusted_until else None

    @property
    def why_not(self) -> str:
        """Why this supervisor does not decide, in an operator's words."""
        return self.store_fault or self._why_not

    @property
    def led_since(self) -> float | None:
        """When the present term began, on our monotonic clock; None while this supervisor does not lead."""
        return self._led_since if self.fence is not None else None

    def standing(self) -> Standing:
        leads = self.fence is not None
        return Standing(leads, self._term, self._address if leads else self._leader_address)

    def lost(self, why: str) -> None:
        """A write was refused: another leads. Nothing is decided until the lease is ours again."""
        log.warning("leadership lost", term=self._term, why=why)
        self._fence = None
        self._why_not = "another supervisor leads"

    def refused(self, seen: int, why: str) -> None:
        """An agent takes its orders from a later term than ours. Either another supervisor leads, or the store was
        restored from a backup: then the next lease of ours is taken above that term."""
        self._above = max(self._above, seen)
        self.lost(why)

    async def attempt(self) -> None:
        """Takes or renews the lease once. Never raises for a store that is away."""
        began = self._clock.monotonic()
        try:
            held = await self._elector.attempt(self._holder, self._address, self._timing.lease_ttl, self._above)
        except StoreUnavailable as error:
            self.store_fault = str(error)
            return
        except StoreError as error:
            self.store_fault = f"the store refused the lease: {error}"
            return
        self.store_fault = ""
        if held is None:
            other = self._elector.other
            self._leader_address = other.address if other else ""
            if self._fence is not None:
                self.lost("somebody else holds the lease")
            self._why_not = "another supervisor leads"
            return
        self._trusted_until = began + self._timing.lease_ttl - self._timing.lease_margin
        if self._fence != held.fence:
            log.info("leads", term=held.term)
            self._fence = held.fence
            self._term = held.term
            self._led_since = self._clock.monotonic()
            self._taken()

    async def run(self) -> None:
        """Renews until cancelled."""
        while True:
            await self.attempt()
            await self._clock.sleep(self._timing.lease_renew)

    async def release(self) -> None:
        """A clean shut-down: whoever comes next need not wait for the lease to run out."""
        fence, self._fence = self._fence, None
        if fence is None:
            return
        try:
            await self._elector.release(fence)
        except StoreError as error:
            log.info("the lease was not given back", why=str(error))

    async def close(self) -> None:
        """Gives the lease back and lets go of the database."""
        await self.release()
        await self._elector.close()
