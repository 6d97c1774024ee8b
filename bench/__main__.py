"""``python -m bench [NAME]…``: start_to_segment, take_latency, agreement, cpu_against_ffmpeg, four_channels, scale,
failover, asrun_scale, console_keys, console_takes, console_hostile, console_load, load, load_postgresql; or all.
``console_growth`` takes an hour, and is made only when it is named. ``soak`` takes hours, and is made alone and only
when it is named.

``--runs N`` is how often each fault of ``failover`` is made, ``--hours H`` how long ``soak`` takes and ``--seed N``
what its faults are drawn from; a measurement that was broken off goes on where it was.
"""

import argparse
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench import (
    agreement,
    asrun_scale,
    console_growth,
    console_hostile,
    console_keys,
    console_load,
    console_takes,
    cpu_against_ffmpeg,
    failover,
    four_channels,
    load,
    scale,
    soak,
    start_to_segment,
    take_latency,
)
from sidecar.clips.make import make_clip
from sidecar.clips.specification import DEMO_CLIPS

MEASUREMENTS = {
    "start_to_segment": start_to_segment.measure,
    "take_latency": take_latency.measure,
    "agreement": agreement.measure,
    "cpu_against_ffmpeg": cpu_against_ffmpeg.measure,
    "four_channels": four_channels.measure,
    "scale": scale.measure,
    "failover": failover.measure,
    "asrun_scale": asrun_scale.measure,
    "console_keys": console_keys.measure,
    "console_takes": console_takes.measure,
    "console_hostile": console_hostile.measure,
    "console_load": console_load.measure,
    "console_growth": console_growth.measure,
    "load": load.measure,
    "load_postgresql": partial(load.measure, database="postgresql"),
}
WHEN_NAMED = {"console_growth"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, "soak", []], help="which; all when none is named")
    parser.add_argument("--runs", type=int, default=failover.RUNS, help="of each fault of failover")
    parser.add_argument("--hours", type=float, default=soak.HOURS, help="of soak")
    parser.add_argument("--seed", type=int, default=soak.SEED, help="of soak")
    arguments = parser.parse_args()
    names: list[str] = arguments.names
    if names == ["soak"]:
        sys.exit(soak.measure(arguments.hours, arguments.seed))
    if "soak" in names:
        parser.error("soak is made alone")
    # As at an interrupt: whatever a measurement started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    MEASUREMENTS["failover"] = partial(failover.measure, runs=arguments.runs)
    with tempfile.TemporaryDirectory() as folder:
        clips = [make_clip(clip, Path(folder)) for clip in DEMO_CLIPS]
        for name in names or [name for name in MEASUREMENTS if name not in WHEN_NAMED]:
            MEASUREMENTS[name](clips)


if __name__ == "__main__":
    main()
