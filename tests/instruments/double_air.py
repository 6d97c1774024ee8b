"""Judges what receivers heard: milliseconds of double air and of gap, one JSON line a receiver.

``python -m tests.instruments.double_air FILE…`` sums lines up that tests and benchmarks wrote, and fails when any
receiver heard two senders at once, a sender come back, or nothing at all.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

from tests.instruments.heard import Span, double_air_ms, gaps, returns
from tests.instruments.public_index import IndexLog
from tests.instruments.rtmp_receiver import RtmpLog
from tests.instruments.sender_capture import Capture


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one receiver heard in one run. ``faults`` beside double air, in words; ``gaps_ms`` in order."""

    run: str
    receiver: str
    double_air_ms: float
    returns: int
    senders: tuple[str, ...]
    gaps_ms: tuple[float, ...]
    heard: int
    faults: tuple[str, ...] = field(default=())

    @property
    def clean(self) -> bool:
        return self.heard > 0 and not (self.double_air_ms or self.returns or self.faults)

    def line(self) -> str:
        return json.dumps({**asdict(self), "clean": self.clean})


def judge(run: str, receiver: str, found: Sequence[Span], faults: Iterable[str] = ()) -> Verdict:
    return Verdict(
        run,
        receiver,
        round(double_air_ms(found), 3),
        len(returns(found)),
        tuple(dict.fromkeys(span.sender for span in found)),
        tuple(round(gap.ms, 3) for gap in gaps(found)),
        sum(span.heard for span in found),
        tuple(faults),
    )


def judge_udp(run: str, capture: Capture, receiver: str = "udp") -> Verdict:
    found = capture.spans()
    faults: list[str] = []
    if capture.dropped:
        faults.append(f"the kernel dropped {capture.dropped} datagrams before they were read")
    return judge(run, receiver, found, faults)


def judge_index(run: str, log: IndexLog, receiver: str = "index.m3u8") -> Verdict:
    return judge(run, receiver, log.spans(), log.faults)


def judge_rtmp(run: str, log: RtmpLog, receiver: str = "rtmp") -> Verdict:
    return judge(run, receiver, log.spans())


def write(lines: TextIO, verdicts: Iterable[Verdict]) -> None:
    lines.writelines(verdict.line() + "\n" for verdict in verdicts)
    lines.flush()


def read(paths: Iterable[Path]) -> Iterator[Verdict]:
    for path in paths:
        for line in path.read_text().splitlines():
            values = json.loads(line)
            values.pop("clean")
            for name in ("senders", "gaps_ms", "faults"):
                values[name] = tuple(values[name])
            yield Verdict(**values)


def main(arguments: Sequence[str]) -> int:
    verdicts = list(read(Path(argument) for argument in arguments))
    total = sum(verdict.double_air_ms for verdict in verdicts)
    for verdict in verdicts:
        if not verdict.clean:
            sys.stdout.write(verdict.line() + "\n")
    sys.stdout.write(
        json.dumps({"receivers": len(verdicts), "double_air_ms": total, "clean": all(v.clean for v in verdicts)}) + "\n"
    )
    return 0 if verdicts and all(verdict.clean for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
