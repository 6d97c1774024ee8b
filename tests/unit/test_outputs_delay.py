"""How long after a frame's time an output had handed it on."""

from fractions import Fraction

from sidecar.outputs.delay import DelayMeter
from sidecar.outputs.packet import Batch, EncodedPacket

MS = 1_000_000


def picture(due_ms: int) -> Batch:
    return (EncodedPacket(True, b"x", 0, 1, Fraction(1, 25), True, due_ms * MS),)


class Meter:
    def __init__(self) -> None:
        self.now_ms = 1_000_000
        self.meter = DelayMeter(lambda: self.now_ms * MS)

    def frame(self, due_ms: int, gone_ms: int) -> None:
        self.meter.taken(picture(due_ms))
        self.now_ms = gone_ms
        self.meter.handed_on()


def test_nothing_is_known_before_something_went_on() -> None:
    one = Meter()
    assert one.meter.ms is None
    one.meter.taken(picture(1_000_000))
    assert one.meter.ms is None
    one.now_ms += 35
    one.meter.handed_on()
    assert one.meter.ms == 35


def test_it_is_the_worst_of_the_last_seconds() -> None:
    one = Meter()
    for start, delay in ((1_000_000, 30), (1_000_040, 90), (1_000_080, 20)):
        one.frame(start, start + delay)
    assert one.meter.ms == 90
    one.frame(1_006_000, 1_006_025)
    assert one.meter.ms == 90, "of the five seconds before"
    one.frame(1_011_000, 1_011_025)
    assert one.meter.ms == 25
    one.frame(1_030_000, 1_030_010)
    assert one.meter.ms == 10


def test_a_segment_counts_from_its_first_picture() -> None:
    one = Meter()
    one.meter.taken(picture(1_000_000))
    for frame in range(1, 50):
        one.meter.taken(picture(1_000_000 + 40 * frame))
    begins_the_next = picture(1_002_000)
    one.meter.taken(begins_the_next)
    one.now_ms = 1_002_030
    one.meter.handed_on(begins_the_next)
    assert one.meter.ms == 2_030
    one.now_ms = 1_004_010
    one.meter.handed_on(picture(1_004_000))
    assert one.meter.ms == 2_030


def test_what_failed_measures_nothing_and_a_clock_that_was_set_back_neither() -> None:
    one = Meter()
    one.frame(1_000_000, 1_000_030)
    one.meter.forget()
    assert one.meter.ms is None
    one.frame(2_000_000, 1_000_000)
    assert one.meter.ms == 0


def test_sound_alone_is_not_measured() -> None:
    one = Meter()
    one.meter.taken((EncodedPacket(False, b"x", 0, 1, Fraction(1, 25), False),))
    one.meter.handed_on()
    assert one.meter.ms is None
