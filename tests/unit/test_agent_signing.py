"""What a supervisor and an agent sign: each counter once, no two messages alike, a key of its own for each node."""

from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.agent.keys import node_key
from supervisor.agent.wire.signing import Counters, answer_mac, request_mac, same

KEY = bytes(32)
WINDOW = 1024


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-5, 3000), max_size=200))
def test_a_counter_is_good_once_and_never_from_behind_the_window(order: list[int]) -> None:
    counters, used, highest = Counters(), set[int](), 0
    for counter in order:
        good = counter >= 1 and counter not in used and counter > highest - WINDOW
        assert counters.use(counter) == good, (counter, highest)
        if good:
            used.add(counter)
            highest = max(highest, counter)


def test_a_far_leap_costs_nothing() -> None:
    counters = Counters()
    assert counters.use(1)
    assert counters.use(2**62)
    assert not counters.use(1)
    assert not counters.use(2**62)
    assert counters.use(2**62 - 1)


def test_no_two_messages_are_the_same_bytes() -> None:
    """Parts carry their lengths: nothing can be moved from one to the next."""
    messages = [
        request_mac(KEY, 1, "GET", b"/a", b"b"), request_mac(KEY, 1, "GET", b"/ab", b""),
        request_mac(KEY, 1, "GE", b"T/a", b"b"), request_mac(KEY, 11, "GET", b"/a", b"b"),
        answer_mac(KEY, 1, 200, b"b"), answer_mac(KEY, 12, 0, b"b"), answer_mac(bytes(31) + b"\1", 1, 200, b"b"),
    ]  # fmt: skip
    assert len(set(messages)) == len(messages)
    assert same(messages[0], messages[0])
    assert not same("\ud800é", messages[0])


def test_every_node_has_its_own_key() -> None:
    names = ["a", "b", "node a", "é", "a ", ""]
    assert len({node_key(KEY, name) for name in names}) == len(names)
    assert node_key(KEY, "a") != node_key(bytes(31) + b"\1", "a")
