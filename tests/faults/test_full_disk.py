"""No room for the journal: the programme goes on, an alarm says so, and nothing of the log is lost."""

from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.fixtures.homes import until
from tests.fixtures.lab import Lab
from tests.fixtures.machines import ApiError
from tests.fixtures.received import Aired, aired
from tests.fixtures.small_disk import small_disk
from tests.instruments.double_air import judge_udp

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


def fill(folder: Path) -> Path:
    """To the last block; again, what the journal's ballast has freed meanwhile."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


def degraded(lab: Lab, channel: Aired, folder: Path) -> bool:
    """Whether the alarm stands; a skip gives the journal something to write."""
    fill(folder)
    with suppress(ApiError):  # the take guard's
        lab.leader().api.post(f"/channels/{channel.id}/skip", {})
    return "journal_degraded" in lab.alarms()


def test_p4_a_full_disk_at_the_journal_stops_no_air_and_loses_no_record(lab: Lab) -> None:
    """F23, I23. P4: records wait in memory and are written when there is room again."""
    node = lab.nodes["n3"]
    with ExitStack() as stack:

        def on_small_disk(channel_id: str) -> None:
            stack.enter_context(small_disk(node.home / "journal" / channel_id, "3m"))

        with aired(lab, "full disk", udp=True, prepare=on_small_disk, node_id=lab.node_ids["n3"]) as channel:
            folder = node.home / "journal" / channel.id
            until(lambda: degraded(lab, channel, folder), 30, lab.alarms)
            fill(folder).unlink()
            until(lambda: "journal_degraded" not in lab.alarms(), 30, lab.alarms)
            assert lab.on_air(channel.id)["epoch"] == channel.epoch
            lab.log_is_complete(channel.id)
        assert channel.udp.continuity_errors() == 0
        assert judge_udp("full disk", channel.udp).clean
