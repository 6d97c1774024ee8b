"""A process that writes facts as fast as the journal takes them, and prints every number that was reported flushed.

``python journal_writer.py DIRECTORY RUN_ID EPOCH``; it ends when it is killed.
"""

import sys
import time
from pathlib import Path

from sidecar.journal import Journal
from sidecar.rundown.model import Fact


def main() -> None:
    journal = Journal(Path(sys.argv[1]), "c" * 32, sys.argv[2], int(sys.argv[3]), "25")
    journal.start()
    frame = told = 0
    while True:
        if frame - journal.last_seq < 50:
            frame += 1
            journal.write(
                Fact("command", frame, cause="take", by="somebody", detail="x" * (frame % 90)), time.time_ns()
            )
        if journal.last_seq > told:
            told = journal.last_seq
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
