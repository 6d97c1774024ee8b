"""The whole playout by the time of day: what is decoded is, frame by frame, what the as-run facts say."""

from pathlib import Path

from sidecar.protocol.channel import Item, Playlist, Rules
from tests.contract.test_engine_playout import Air, numbers

FRAME_NS = 40_000_000
CLIPS = {"a": 400, "f": 60, "g": 40, "p": 30, "e": 25}


def clip(name: str, at_ns: int | None = None) -> Item:
    if at_ns is None:
        return Item(name, name, path=f"/{name}")
    return Item(name, name, path=f"/{name}", start_mode="fixed", fixed_at_ns=at_ns, duration_frames=CLIPS[name])


def test_standby_rejoin_fixed_starts_and_filler_are_decoded_as_the_facts_tell(tmp_path: Path) -> None:
    one = Air(tmp_path, CLIPS)
    try:
        one.start()
        began = next(wall_ns for fact, wall_ns in one.facts.written if fact.kind == "on_air")
        items = (clip("a"), clip("f", began + 100 * FRAME_NS), clip("g", began + 200 * FRAME_NS))
        playlist = Playlist(2, items, "filler", Rules(filler=(clip("p"),), standby=clip("e")))
        one.playout.command(lambda clock: clock.replace_playlist(playlist, "op")).result(60)
        one.play(15)
        one.playout.command(lambda clock: clock.standby("op")).result(60)
        one.play(40)
        one.playout.command(lambda clock: clock.rejoin("op")).result(60)
        one.play(260)
        one.stop()
    finally:
        one.playout.stop("test's end", 10)
    starts = [(fact.airing.item.id, fact.frame, fact.cause) for fact in one.facts.of("item_start") if fact.airing]
    assert [name for name, _, _ in starts] == ["a", "a", "f", "g"]
    assert starts[2:] == [("f", 100, "fixed"), ("g", 200, "fixed")]
    seen = numbers(one.pictures())
    assert seen == told(one)[: len(seen)]
    assert len(seen) == one.playout.status().frame
    assert {clip for clip, _ in seen} >= {1, 2, 3, 4, 5}
    assert one.playout.status().frames_late == 0


def told(one: Air) -> list[tuple[int | None, int | None]]:
    """The clip and the picture of every frame, by the facts alone."""
    names, frames = list(CLIPS), list[tuple[int | None, int | None]]()
    for fact, _ in one.facts.written:
        if fact.kind in ("item_end", "filler_end"):
            assert fact.frames is not None
            first = fact.airing.first_frame if fact.airing else 0
            clip = names.index(fact.airing.item.id) + 1 if fact.airing else None
            frames += [(clip, first + step if clip else None) for step in range(fact.frames)]
    return frames
