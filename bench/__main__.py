"""``python -m bench [cpu_against_ffmpeg] [start_to_segment] [four_channels]``: all of them when none is named."""

import argparse
import tempfile
from pathlib import Path

from bench import cpu_against_ffmpeg, four_channels, start_to_segment
from sidecar.clips.make import make_clip
from sidecar.clips.specification import DEMO_CLIPS

MEASUREMENTS = {
    "start_to_segment": start_to_segment.measure,
    "cpu_against_ffmpeg": cpu_against_ffmpeg.measure,
    "four_channels": four_channels.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, []], help="which; all when none is named")
    names: list[str] = parser.parse_args().names
    with tempfile.TemporaryDirectory() as folder:
        clips = [make_clip(clip, Path(folder)) for clip in DEMO_CLIPS]
        for name in names or MEASUREMENTS:
            MEASUREMENTS[name](clips)


if __name__ == "__main__":
    main()
