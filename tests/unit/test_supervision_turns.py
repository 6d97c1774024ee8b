"""Many channels that want to write at once: a few do, the others are called in order, and none is forgotten."""

from supervisor.loops.turns import Turns


class Channels:
    def __init__(self, places: int) -> None:
        self.turns = Turns(places)
        self.called: list[str] = []

    def take(self, name: str) -> bool:
        return self.turns.take(name, lambda: self.called.append(name))


def test_no_more_than_the_places_write_and_the_others_are_called_in_order() -> None:
    it = Channels(2)
    assert [it.take(name) for name in "abcd"] == [True, True, False, False]
    assert it.take("c") is False, "asking again changes nothing of the order"
    it.turns.leave()
    it.turns.leave()
    assert it.called == ["c", "d"]
    assert it.take("e") is False, "their turns are theirs though they have not taken them yet"
    assert [it.take("d"), it.take("c")] == [True, True]
    it.turns.leave()
    assert it.called == ["c", "d", "e"]


def test_who_has_nothing_to_write_any_more_gives_the_turn_on() -> None:
    it = Channels(1)
    assert [it.take(name) for name in "abcd"] == [True, False, False, False]
    it.turns.forgo("c")
    it.turns.leave()
    it.turns.forgo("b")
    assert it.called == ["b", "d"]
    assert it.take("d")
    it.turns.forgo("d")
    it.turns.leave()
    assert [it.take("e"), it.take("f")] == [True, False]
