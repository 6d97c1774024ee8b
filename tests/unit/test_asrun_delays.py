"""What each output adds to the as-run's times."""

from db.models import Output
from supervisor.asrun.delays import delays_of, in_words
from supervisor.schemas.channel import LinkLive, OutputLive

IDS = ["a" * 32, "b" * 32, "c" * 32, "d" * 32]
OUTPUTS = [
    Output(id=IDS[0], kind="hls", url="", encoding=None),
    Output(id=IDS[1], kind="srt", url="srt://far:9000?latency=400&passphrase=0123456789secret", encoding=None),
    Output(id=IDS[2], kind="udp", url="udp://239.0.0.1:5000", encoding={"gop_ms": 1000}),
    Output(id=IDS[3], kind="rtmp", url="rtmp://far/live/key", encoding=None),
]


def live(place: int, delay_ms: int | None, link: LinkLive | None = None) -> OutputLive:
    return OutputLive(
        id=IDS[place], kind=OUTPUTS[place].kind, role="programme", state="up", detail="", frames_dropped=0, link=link,
        delay_ms=delay_ms,
    )  # fmt: skip


def test_off_air_only_what_is_set_is_known() -> None:
    found = delays_of(OUTPUTS, ())
    assert [(one.measured_ms, one.set_ms, one.total_ms) for one in found] == [
        (None, 2000, 2000), (None, 400, None), (None, 0, None), (None, None, None),
    ]  # fmt: skip
    assert in_words(found) == "hls 2000 ms; srt not measured; udp not measured; rtmp not measured"


def test_on_air_what_is_measured_counts_and_what_the_receiver_holds_comes_on_top() -> None:
    link = LinkLive(
        receivers=1, round_trip_ms=20.0, loss_percent=0.0, packets_sent=1, packets_lost=0, packets_sent_again=0,
        packets_dropped=0, rate_kbps=3000, latency_ms=800,
    )  # fmt: skip
    found = delays_of(OUTPUTS, [live(0, 2034), live(1, 41, link), live(2, 38), live(3, 45)])
    assert [(one.measured_ms, one.set_ms, one.total_ms) for one in found] == [
        (2034, 2000, 2034), (41, 800, 841), (38, 0, 38), (45, None, 45),
    ]  # fmt: skip


def test_no_secret_is_told() -> None:
    places = " ".join(one.place for one in delays_of(OUTPUTS, ()))
    assert "secret" not in places
    assert "key" not in places
    assert "srt://far:9000" in places


def test_an_hls_of_its_own_encode_has_its_own_segments() -> None:
    (found,) = delays_of([Output(id=IDS[0], kind="hls", url="", encoding={"gop_ms": 1000})], ())
    assert found.set_ms == 1000
    assert "1000 ms" in found.note
