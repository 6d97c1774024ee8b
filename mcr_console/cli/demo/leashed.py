"""``python -m mcr_console.cli.demo.leashed FD PROGRAM…``: runs a program that ends, children and all, with the leash.

For programs that know nothing of leashes. This process leads the group it kills, so it must have been started in a
session of its own; its exit code is the program's.
"""

import os
import signal
import subprocess
import sys
import threading


def main(arguments: list[str]) -> int:
    leash_fd = int(arguments[0])
    if os.getpgid(0) != os.getpid():
        print("leashed: start this in a session of its own", file=sys.stderr)
        return 2
    program = subprocess.Popen(arguments[1:], stdin=subprocess.DEVNULL)  # noqa: S603 - our own call, no shell

    def watch() -> None:
        os.read(leash_fd, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    return program.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
