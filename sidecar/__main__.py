"""``python -m sidecar``: one channel's playout. ``python -m sidecar probe PATH…``: what files are.
``python -m sidecar loudness PATH``: how loud one is. ``python -m sidecar connect``: whether a live input connects.

``python -m sidecar --spare``: a playout that waits until it is told whose it is (``sidecar.spare``).
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.allocator import keep_memory_small

if TYPE_CHECKING:
    from sidecar.configuration import Configuration


def main() -> int:
    """The exit code: 0 after a clean stop, 64 for a configuration that cannot be used."""
    keep_memory_small()
    if sys.argv[1:] == ["--spare"]:
        from sidecar.spare import become

        if not become():
            return 0
    elif len(sys.argv) > 1:
        return _tool(sys.argv[1:])
    # Imports come late: a bad configuration is told in no time, and a probe needs no server.
    from sidecar.configuration import EXIT_BAD_CONFIGURATION, BadConfiguration, Configuration

    try:
        configuration = Configuration.from_environment(os.environ)
        os.environ.pop("MCR_TOKEN")
        return _play(configuration)
    except BadConfiguration as error:
        print(f"sidecar: {error}", file=sys.stderr, flush=True)  # noqa: T201  before there is a log
        return EXIT_BAD_CONFIGURATION


def _play(configuration: "Configuration") -> int:
    import asyncio

    from sidecar import logs
    from sidecar.lifecycle import Sidecar
    from sidecar.media.av_errors import leak_nothing

    leak_nothing()
    logs.configure(channel_id=configuration.channel_id, epoch=configuration.epoch)
    _name_process(configuration.document.name)

    async def run() -> int:
        return await Sidecar(configuration).run()

    return asyncio.run(run())


def _name_process(name: str) -> None:
    """What ``top`` and ``ps`` show; the kernel keeps 15 bytes."""
    try:
        Path("/proc/self/comm").write_text(f"mcr {name}"[:15], encoding="utf-8", errors="replace")
    except OSError:
        return  # no /proc here: the name is a comfort, nothing more


def _tool(arguments: list[str]) -> int:
    if arguments[0] == "probe":
        from sidecar.media.probe import main as probe

        probe(arguments[1:])
    if arguments[0] == "loudness" and len(arguments) == 2:
        from sidecar.engine.file_loudness import main as loudness

        loudness(arguments[1])
    if arguments == ["connect"]:
        from sidecar.media.live_connect import main as connect

        connect()
    print("usage: python -m sidecar [probe PATH… | loudness PATH | connect]", file=sys.stderr)  # noqa: T201
    return 64


if __name__ == "__main__":
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # a full log disk must not change how the air was left
            stream.flush()
    # Not sys.exit: a thread that hangs in a dead file server's read must not keep the process.
    os._exit(code)
