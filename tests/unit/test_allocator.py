"""A process that told glibc so has two heaps, however many threads it had."""

import subprocess
import sys

import pytest

_LOOK = """
import importlib, re, sys, threading
from pathlib import Path

if sys.argv[1]:
    importlib.import_module(sys.argv[1]).keep_memory_small()
meet = threading.Barrier(12)

def allocate():
    meet.wait(60)
    kept = [bytearray(20_000) for _ in range(50)]
    meet.wait(60)

threads = [threading.Thread(target=allocate) for _ in range(11)]
for thread in threads:
    thread.start()
meet.wait(60)
# Every heap but the first is reserved as 64 MiB at once, of which the part in use can be written to.
spans = re.findall(r"^([0-9a-f]+)-([0-9a-f]+) (rw-p|---p) 0+ 00:00 0 *$", Path("/proc/self/maps").read_text(), re.M)
heaps = sum(
    two[2] == "---p" and int(one[1], 16) == int(two[0], 16) and int(two[1], 16) - int(one[0], 16) == 64 << 20
    for one, two in zip(spans, spans[1:])
)
meet.wait(60)
print(1 + heaps)
"""


def heaps(told_by: str) -> int:
    command = [sys.executable, "-c", _LOOK, told_by]
    return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout)


@pytest.mark.parametrize("program", ["sidecar", "supervisor"])
def test_threads_share_two_heaps(program: str) -> None:
    assert heaps(f"{program}.allocator") <= 2 < heaps("")
