"""``python -m supervisor agent`` whose sidecars are scripted: its first argument is where their faults are read."""

import sys
from pathlib import Path

import supervisor.__main__
from supervisor.agent.service import program

if __name__ == "__main__":
    faults = sys.argv[1]
    program.sidecar_program = (sys.executable, "-P", str(Path(__file__).with_name("scripted_sidecar.py")), faults)
    supervisor.__main__.app(["agent", *sys.argv[2:]])
