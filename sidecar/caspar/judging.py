"""Whether the server answers and its channel's time moves, in an operator's words. Pure."""

from typing import Final

from sidecar.caspar.info import ChannelInfo
from sidecar.caspar.link import Link
from sidecar.engine.pacing import NS
from sidecar.protocol.status import EngineHealth

NOT_YET: Final = EngineHealth("", answers=False, moves=False, detail="not connected yet", reached=False)


class Judge:
    def __init__(self) -> None:
        self._wrong_since_ns: int | None = None

    def judge(
        self, link: Link, info: ChannelInfo | None, now_ns: int, *, is_answered: bool, stalled_since_ns: int | None
    ) -> EngineHealth:
        """``info``: what it shows, told by INFO or by OSC; ``is_answered``: its commands are."""
        stands_s = 0 if stalled_since_ns is None else (now_ns - stalled_since_ns) / NS
        answers = is_answered and info is not None
        detail = "" if answers else link.fault or "the CasparCG server does not answer"
        if info is not None and not answers:
            detail = f"{detail}; what it plays is known by OSC"
        if stands_s >= 1:
            detail = f"the server's channel time has stood for {stands_s:.0f} s; its card or clock may be stuck"
        moves = info is not None and stands_s < 1
        if answers and moves:
            self._wrong_since_ns = None
        elif self._wrong_since_ns is None:
            self._wrong_since_ns = now_ns if stalled_since_ns is None else stalled_since_ns
        wrong_ms = 0 if self._wrong_since_ns is None else (now_ns - self._wrong_since_ns) // 1_000_000
        return EngineHealth(link.version, answers, moves, detail, link.is_up, wrong_ms)
