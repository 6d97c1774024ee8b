"""Control of a channel: one session's, lapsing without it, taken over by whoever asks."""

from datetime import UTC, datetime, timedelta

import pytest

from supervisor.control import RESUME_S, Controls
from supervisor.errors import Conflict, Invalid
from supervisor.principal import Principal
from supervisor.schemas.control import LEASE_S, RENEW_S, seat_of

SPORT = "3" * 32
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def at_desk(name: str, digit: str) -> Principal:
    return Principal(name=name, origin="unix", role="operator", session=digit * 32, station=f"desk {digit}")


ANN, BOB = at_desk("ann", "a"), at_desk("bob", "b")
ANN_IN_A_SHELL = Principal(name="ann", origin="unix", role="operator")
SCRIPT = Principal(name="script", origin="tcp 127.0.0.1", role="operator")


class World:
    def __init__(self) -> None:
        self.passed, self.term, self.told = 0.0, 1, list[tuple[str, str | None]]()
        self.controls = Controls(self, lambda: self.term, self._changed)

    def monotonic(self) -> float:
        return 500.0 + self.passed

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.passed)

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def _changed(self, channel_id: str) -> None:
        self.told.append((channel_id, self.holder()))

    def holder(self) -> str | None:
        control = self.controls.of(SPORT)
        return None if control is None else control.operator

    def refused(self, by: Principal) -> Conflict:
        with pytest.raises(Conflict) as refusal:
            self.controls.require(SPORT, "3 Sport", by)
        return refusal.value


@pytest.fixture
def world() -> World:
    return World()


def test_what_nobody_has_is_free_and_a_consoles_command_takes_it(world: World) -> None:
    world.controls.require(SPORT, "3 Sport", SCRIPT)
    assert world.holder() is None, "a script has no session that could keep it"
    world.controls.require(SPORT, "3 Sport", ANN)
    assert world.told == [(SPORT, "ann")]
    control = world.controls.of(SPORT)
    assert control is not None
    assert (control.seat, control.station, control.since) == (seat_of(ANN.session), "desk a", NOON)
    assert ANN.session not in control.model_dump_json(), "who reads it cannot act with it"


def test_others_are_refused_by_name_and_the_holder_is_not(world: World) -> None:
    world.controls.take(SPORT, "3 Sport", ANN, over=False)
    for other in (BOB, SCRIPT, at_desk("ann", "c")):
        refusal = world.refused(other)
        assert refusal.conflict == "controlled"
        assert "ann at desk a has control of 3 Sport" in refusal.detail
        assert "--take-over" in refusal.hint
        assert refusal.extra["operator"] == "ann"
    world.controls.require(SPORT, "3 Sport", ANN)
    world.controls.require(SPORT, "3 Sport", ANN_IN_A_SHELL)


def test_nobody_speaks_for_another_with_that_ones_session(world: World) -> None:
    world.controls.take(SPORT, "3 Sport", ANN, over=False)
    thief = Principal(name="bob", origin="unix", role="operator", session=ANN.session)
    assert world.refused(thief).conflict == "controlled"


def test_taking_over_is_never_refused_and_the_other_is_told(world: World) -> None:
    world.controls.take(SPORT, "3 Sport", ANN, over=False)
    with pytest.raises(Conflict):
        world.controls.take(SPORT, "3 Sport", BOB, over=False)
    assert world.holder() == "ann"
    world.controls.take(SPORT, "3 Sport", BOB, over=True)
    assert world.told[-1] == (SPORT, "bob")
    assert world.controls.renew([SPORT], ANN) == ((), (SPORT,))
    assert world.refused(ANN).extra["operator"] == "bob"


def test_it_lapses_with_a_lost_session_and_not_while_it_is_renewed(world: World) -> None:
    world.controls.take(SPORT, "3 Sport", ANN, over=False)
    for _ in range(10):
        world.passed += RENEW_S
        assert world.controls.renew([SPORT], ANN) == ((SPORT,), ())
        world.controls.sweep()
    assert world.holder() == "ann"
    world.passed += LEASE_S
    world.controls.sweep()
    assert world.told[-1] == (SPORT, None)
    world.controls.require(SPORT, "3 Sport", BOB)
    assert world.holder() == "bob"


def test_what_lapsed_does_not_come_back_by_itself(world: World) -> None:
    world.controls.require(SPORT, "3 Sport", SCRIPT)
    world.passed += RESUME_S
    world.controls.take(SPORT, "3 Sport", ANN, over=False)
    world.passed += LEASE_S
    assert world.controls.renew([SPORT], ANN) == ((), (SPORT,))
    assert world.holder() is None


def test_the_next_leader_believes_who_had_it_for_a_while(world: World) -> None:
    world.controls.take(SPORT, "3 Sport", ANN, over=False)
    world.term = 2
    world.controls.sweep()
    assert world.told[-1] == (SPORT, None)
    assert world.controls.renew([SPORT], ANN) == ((SPORT,), ())
    assert world.controls.renew([SPORT], BOB) == ((), (SPORT,))
    assert world.holder() == "ann"


def test_release_is_the_holders_and_may_be_repeated(world: World) -> None:
    world.controls.take(SPORT, "3 Sport", ANN, over=False)
    with pytest.raises(Conflict):
        world.controls.release(SPORT, "3 Sport", BOB)
    world.controls.release(SPORT, "3 Sport", ANN)
    world.controls.release(SPORT, "3 Sport", ANN)
    assert world.told[-1] == (SPORT, None)
    assert world.controls.all() == {}


def test_control_without_a_session_is_refused(world: World) -> None:
    with pytest.raises(Invalid):
        world.controls.take(SPORT, "3 Sport", SCRIPT, over=True)
