"""``mcr watch``: a line for what an operator would call a change, and none for a heartbeat."""

from collections.abc import Sequence

from mcr_console.cli.follow import Follower
from mcr_console.event_stream import Event, LinkMessage
from supervisor.schemas.channel import Channel
from supervisor.schemas.event import ChannelDeleted
from tests.console.scenes import (
    FrozenClock,
    alarm,
    channel,
    control,
    degraded_alarms,
    ident,
    lost,
    normal_channels,
    reset,
)


def live(of: Channel) -> Event:
    return Event("channel_live", "b1-2", of.live)


def texts(follower: Follower, *messages: LinkMessage) -> list[str]:
    return [one.text for message in messages for one in follower.hear(message)]


def news(version: int, **values: object) -> Channel:
    return channel(1, "News 24", version=version, **values)


def test_it_begins_with_every_channel_and_alarm() -> None:
    said = texts(Follower(FrozenClock()), reset(normal_channels(), degraded_alarms()))
    assert len(said) == 9 + 3
    assert said[0].startswith('1 News 24: ON AIR, "headlines_1400"')
    assert any(line.startswith("Alarm: ") and "sidecar exited" in line for line in said)


def test_positions_and_heartbeats_are_no_news_and_an_item_a_hold_and_a_hand_are() -> None:
    follower = Follower(FrozenClock())
    texts(follower, reset([news(1)]))
    assert texts(follower, live(news(2, left=900, heartbeat_age_ms=10, frame=7))) == []
    steps: Sequence[tuple[Channel, str]] = (
        (channel(1, "News 24", "weather_am", version=3), '"weather_am"'),
        (channel(1, "News 24", "weather_am", version=4, hold=True, picture="hold"), "HOLD"),
        (
            channel(1, "News 24", "weather_am", version=5, control=control("ann")),
            "under control of ann at desk 2 pts/4",
        ),
    )
    for now, words in steps:
        [line] = texts(follower, live(now))
        assert words in line


def test_a_lost_supervisor_is_said_once_and_so_is_its_return() -> None:
    follower = Follower(FrozenClock())
    texts(follower, reset([news(1)]))
    assert len(texts(follower, lost(), lost())) == 1
    assert texts(follower, reset([news(1)])) == ["The supervisor is there again."]


def test_what_went_while_the_link_was_lost_is_said_when_it_is_back() -> None:
    follower = Follower(FrozenClock())
    texts(follower, reset([news(1), channel(2, "Kids")], degraded_alarms()), lost())
    said = texts(follower, reset([news(1)]))
    assert "2 Kids: deleted" in said
    assert sum(line.startswith("Alarm cleared: ") for line in said) == 3


def test_an_alarm_is_said_when_it_is_raised_acknowledged_and_cleared() -> None:
    follower = Follower(FrozenClock())
    texts(follower, reset([news(1)]))
    raised = alarm(1, 1, "critical", "off air", seconds=2)
    seen = alarm(1, 1, "critical", "off air", seconds=2, by="ann")
    over = seen.model_copy(update={"cleared_at": seen.raised_at})
    said = texts(follower, *(Event("alarm", "b1-3", one) for one in (raised, raised, seen, over, over)))
    assert len(said) == 3
    assert "acknowledged by ann" in said[1]
    assert said[2].startswith("Alarm cleared: ")


def test_only_one_channel_when_only_one_is_asked_for() -> None:
    follower = Follower(FrozenClock(), only=ident(3))
    said = texts(follower, reset(normal_channels(), degraded_alarms()))
    assert [line.partition(":")[0] for line in said] == ["3 Sport"]
    assert texts(follower, Event("channel_deleted", "b1-4", ChannelDeleted(channel_id=ident(3)))) == [
        "3 Sport: deleted"
    ]
