"""PostgreSQL stopped, its connections cut or frozen: air goes on, nothing is moved, and all is reconciled after."""

import time
from collections.abc import Callable

import pytest

from tests.fixtures.homes import until
from tests.fixtures.lab import Lab
from tests.fixtures.machines import ApiError
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.received import aired
from tests.instruments.double_air import judge_udp

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]

AWAY_S = 12.0
"""Longer than a leader's lease: nobody leads meanwhile."""


def refused(lab: Lab, channel_id: str) -> bool:
    """Whether a command is told that there is no database or no leader; every supervisor must still answer."""
    for machine in lab.supervisors.values():
        try:
            machine.api.post(f"/channels/{channel_id}/start", timeout=15.0)
        except ApiError as error:
            if error.status != 503:
                raise
        except OSError:
            return False
        else:
            return False
    return True


def outlived(lab: Lab, name: str, away: Callable[[], None], back: Callable[[], None]) -> None:
    with aired(lab, name, udp=True) as channel:
        away()
        try:
            began = time.monotonic()
            until(lambda: refused(lab, channel.id), 30, lambda: "commands are still taken")
            time.sleep(max(0.0, began + AWAY_S - time.monotonic()))
            until(lambda: len(channel.udp.senders()) == 1, 1, channel.udp.senders)
        finally:
            back()
        live = lab.on_air(channel.id, timeout=40)
        assert live["epoch"] == channel.epoch
        lab.log_is_complete(channel.id)
        until(lambda: "store_unavailable" not in lab.alarms(), 20, lab.alarms)
    assert channel.udp.continuity_errors() == 0
    assert judge_udp(name, channel.udp).clean


def test_p5_p6_postgresql_stopped_and_started_again(lab: Lab, postgres_server: PostgresServer) -> None:
    """F16. P4, P6: a command is refused with 503, not a datagram is lost, the as-run is collected afterwards."""
    outlived(lab, "database down", postgres_server.stop, postgres_server.start)


def test_p5_p6_every_connection_to_the_database_cut(lab: Lab) -> None:
    """P4, P6: reset and refused, as by a server that is gone."""
    outlived(lab, "database cut", lab.door.cut, lab.door.open)


def test_p5_p6_every_connection_to_the_database_frozen(lab: Lab) -> None:
    """P4, P6: open and silent, as by a network that drops: no command waits for ever, and leadership is not kept on
    trust."""
    outlived(lab, "database frozen", lab.door.freeze, lab.door.open)
