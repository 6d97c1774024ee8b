from fractions import Fraction

from sidecar.outputs.packet import Batch, EncodedPacket
from sidecar.outputs.packet_queue import PacketQueue

GOP = 5


def picture(frame: int) -> EncodedPacket:
    return EncodedPacket(True, b"p", frame, 1, Fraction(1, 25), keyframe=frame % GOP == 0)


def sound(frame: int) -> EncodedPacket:
    return EncodedPacket(False, b"s", frame, 1, Fraction(1, 25), keyframe=True)


def batch(frame: int) -> Batch:
    return (picture(frame), sound(frame))


def taken(queue: PacketQueue) -> list[tuple[int, bool]]:
    queue.close()
    result: list[tuple[int, bool]] = []
    while (delivery := queue.get()) is not None:
        result.append((delivery.batch[0].pts, delivery.after_gap))
    return result


def test_everything_arrives_in_order() -> None:
    queue = PacketQueue(100)
    for frame in range(20):
        queue.put(batch(frame))
    assert taken(queue) == [(frame, False) for frame in range(20)]
    assert queue.frames_dropped == 0


def test_a_full_queue_drops_up_to_a_keyframe_and_counts() -> None:
    queue = PacketQueue(8)
    for frame in range(12):
        queue.put(batch(frame))
    assert queue.frames_dropped == 4
    for _ in range(8):
        delivery = queue.get()
        assert delivery is not None
        assert not delivery.after_gap
    for frame in range(12, 20):
        queue.put(batch(frame))
    assert queue.frames_dropped == 7
    assert taken(queue) == [(15, True), (16, False), (17, False), (18, False), (19, False)]


def test_it_never_holds_more_than_its_limit() -> None:
    queue = PacketQueue(8)
    for frame in range(1000):
        queue.put(batch(frame))
    assert len(taken(queue)) == 8
    assert queue.frames_dropped == 992


def test_what_comes_before_the_first_keyframe_is_no_gap() -> None:
    queue = PacketQueue(8)
    queue.put((sound(3),))
    queue.put(batch(4))
    queue.put(batch(5))
    assert taken(queue) == [(5, False)]
    assert queue.frames_dropped == 1
