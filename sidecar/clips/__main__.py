"""``python -m sidecar.clips --out FOLDER``: makes the demo's clips; those that are there are kept."""

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Annotated

import typer

from sidecar.clips.make import make_clip
from sidecar.clips.specification import DEMO_CLIPS


def clips(out: Annotated[Path, typer.Option(help="The folder the clips go to.")]) -> None:
    """Make the eight clips of the demo: moving, numbered, with sound."""
    missing = [clip for clip in DEMO_CLIPS if not (out / clip.file_name).exists()]
    done = len(DEMO_CLIPS) - len(missing)
    if not missing:
        return
    # The longest first, so that the last one does not keep the others' processors waiting.
    missing.sort(key=lambda clip: clip.frames * clip.width * clip.height, reverse=True)
    with ProcessPoolExecutor(min(len(missing), os.cpu_count() or 1)) as pool:
        for made in as_completed([pool.submit(make_clip, clip, out) for clip in missing]):
            done += 1
            typer.echo(f"clip {done}/{len(DEMO_CLIPS)} {made.result().name}")


if __name__ == "__main__":
    typer.run(clips)
