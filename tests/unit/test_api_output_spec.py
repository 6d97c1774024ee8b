"""What an output may be, and that no message repeats a stream key."""

import msgspec
import pytest

from sidecar.protocol import channel as protocol
from supervisor.api.node_spec import check_node_url
from supervisor.api.output_spec import cards_of, output_specs, require_node
from supervisor.errors import Invalid
from supervisor.schemas.channel import OutputIn, TransportStream
from supervisor.schemas.stream_key import without_key

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("hls", ""),
        ("udp", "udp://239.1.1.1:5000?ttl=8&localaddr=10.0.0.1"),
        ("rtmp", "rtmp://live.example/app/key"),
        ("rtmp", "rtmps://live.example:443/app/instance/k-e_y?token=a%20b&x=1/2"),
        ("rtmp", "rtmp://[::1]:1935/app/key"),
        ("decklink", "decklink://1"),
        ("decklink", "decklink://3?key=4"),
        ("srt", "srt://receiver.example:9000"),
        ("srt", "srt://10.0.0.7:9000?latency=250&pbkeylen=32&passphrase=a%20b%20c%20d%20e%20f&streamid=live/x"),
        ("srt", "srt://:9000?mode=listener"),
        ("file", "file:evening news.ts"),
    ],
)
def test_an_output_that_can_be(kind: str, url: str) -> None:
    (spec,) = output_specs([OutputIn.model_validate({"kind": kind, "url": url})])
    assert (spec.kind, spec.url, spec.lease_stop) == (kind, url, False)


@pytest.mark.parametrize(
    "url",
    [
        f"rtmp://live.example/{SECRET}",
        f"rtmp:///app/{SECRET}",
        f"http://live.example/app/{SECRET}",
        f"rtmp://user:{SECRET}@live.example/app/key",
        f"rtmp://live.example/app/{SECRET} swfUrl=x",
        f"rtmp://live.example/app/{SECRET}\n",
        f"rtmp://live.example:99999/app/{SECRET}",
        f"rtmp://live.example:0/app/{SECRET}",
        f"rtmp://live.example/app/{SECRET}#f",
        f"rtmp://live_example!/app/{SECRET}",
        f"rtmp://live.example/app//{SECRET}",
        f"rtmp://live.example/app/{SECRET}\\x",
        f"rtmp://[::1/app/{SECRET}",
    ],
)
def test_an_rtmp_url_that_cannot_be_is_refused_without_its_key(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        output_specs([OutputIn(kind="rtmp", url=url)])
    assert SECRET not in f"{refused.value.detail} {refused.value.hint} {refused.value.extra}"


@pytest.mark.parametrize(
    "url", ["decklink://0", "decklink://", "decklink://1?key=1", "decklink://1?x=2", "decklink://-1", "decklink://1/2"]
)
def test_what_names_no_card_is_refused(url: str) -> None:
    with pytest.raises(Invalid):
        output_specs([OutputIn(kind="decklink", url=url)])


def test_a_key_port_counts_as_a_port_of_its_own() -> None:
    """P3."""
    assert cards_of("decklink://1?key=2") == (1, 2)
    with pytest.raises(Invalid, match="same card port"):
        output_specs(
            [OutputIn(kind="decklink", url="decklink://1?key=2"), OutputIn(kind="decklink", url="decklink://2")]
        )


def test_a_card_needs_its_machine() -> None:
    with pytest.raises(Invalid, match="needs the node"):
        require_node(["hls", "decklink"], None)
    require_node(["hls", "decklink"], "a" * 32)
    require_node(["hls"], None)


@pytest.mark.parametrize(("kind", "url"), [("hls", ""), ("rtmp", "rtmp://h/a/k"), ("decklink", "decklink://1")])
def test_only_udp_chooses_to_stop_with_its_lease(kind: str, url: str) -> None:
    with pytest.raises(Invalid, match="lease_stop"):
        output_specs([OutputIn.model_validate({"kind": kind, "url": url, "lease_stop": True})])
    (spec,) = output_specs([OutputIn(kind="udp", url="udp://10.0.0.1:5000", lease_stop=True)])
    assert spec.lease_stop


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtmp://h:1935/app/key?x=y", "rtmp://h:1935/app/***"),
        ("rtmps://u:p@h/app/inst/key", "rtmps://h/app/***"),
        ("rtmp://[::1/app/key", "***"),
        ("rtmp:app/key", "***"),
        ("udp://239.0.0.1:5000", "udp://239.0.0.1:5000"),
        ("", ""),
    ],
)
def test_a_stream_key_is_hidden(url: str, shown: str) -> None:
    assert without_key(url) == shown


@pytest.mark.parametrize("url", ["http://10.0.0.7:6271", "https://node-b.example:6271/", "http://[fd00::7]:6271"])
def test_an_agents_url(url: str) -> None:
    assert check_node_url(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/", "http://[fe80::1]:6271", "http://0.0.0.0:1", "http://224.0.0.1:1", "http://",
        "http://ok@evil:1", "http://h:1/path", "http://h:1?x", "http://h:1#x", "http://h:0", "http://h:99999",
        "file:///etc/passwd", "http://[::1",
    ],
)  # fmt: skip
def test_where_no_agent_can_be_is_refused(url: str) -> None:
    """F39: a supervisor is not tricked into calling what only it can reach."""
    with pytest.raises(Invalid):
        check_node_url(url)


@pytest.mark.parametrize(
    "url",
    [
        f"srt://host?passphrase={SECRET}-{SECRET}", f"srt://:9000?passphrase={SECRET}-{SECRET}",
        f"srt://host:9000?passphrase={SECRET}", f"srt://{SECRET}@host:9000", f"srt://host:9000?streamid={SECRET}#x",
        f"srt://host:9000?key={SECRET}", f"srt://host:9000?streamid={SECRET}&streamid={SECRET}",
        f"srt://host:9000/{SECRET}", f"srt://host:9000?latency={SECRET}", f"http://host:9000?streamid={SECRET}",
        f"srt://host:9000?streamid={SECRET} x", f"srt://host:99999?streamid={SECRET}",
    ],
)  # fmt: skip
def test_an_srt_url_that_cannot_be_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        output_specs([OutputIn(kind="srt", url=url)])
    assert SECRET not in f"{refused.value.detail} {refused.value.hint} {refused.value.extra}"


@pytest.mark.parametrize(
    "url", ["", "file:", "evening.ts", "file:../x.ts", "file:a/b.ts", "file:///etc/passwd", "file:.x", "file:x\n"]
)
def test_a_recording_is_a_name_and_no_path(url: str) -> None:
    with pytest.raises(Invalid):
        output_specs([OutputIn(kind="file", url=url)])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"kind": "hls", "transport": {}}, "transport is for"),
        ({"kind": "decklink", "url": "decklink://1", "encoding": {}}, "not encoded"),
        ({"kind": "udp", "url": "udp://1.2.3.4:5", "transport": {"video_pid": 0x101}}, "three different"),
    ],
)
def test_what_an_output_has_of_its_own_must_fit_it(given: dict[str, object], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        output_specs([OutputIn.model_validate(given)])


_FAST = {"preset": "fast"}


def test_what_an_output_has_of_its_own_is_what_the_sidecar_takes() -> None:
    """The schema's words and limits are the protocol's."""
    own = {
        "transport": {"service_id": 7, "service_name": "Käse", "mux_rate": 6_000_000},
        "encoding": {"preset": "fast"},
    }
    (spec,) = output_specs([OutputIn.model_validate({"kind": "udp", "url": "udp://1.2.3.4:5", **own})])
    transport = msgspec.convert(spec.transport, protocol.TransportStream)
    assert (transport.service_id, transport.service_name, transport.mux_rate) == (7, "Käse", 6_000_000)
    assert msgspec.convert(spec.encoding, protocol.Encoding) == protocol.Encoding(preset="fast")
    assert TransportStream().model_dump() == msgspec.structs.asdict(protocol.TransportStream())


def test_nobody_but_who_may_change_it_sees_what_opens_an_srt_session() -> None:
    url = f"srt://host:9000?mode=caller&latency=200&passphrase={SECRET}&streamid={SECRET}"
    assert without_key(url) == "srt://host:9000?mode=caller&latency=200&passphrase=***&streamid=***"
    assert SECRET not in without_key(f"SRT://u:{SECRET}@host:1?x={SECRET}")


@pytest.mark.parametrize("kind", ["udp", "srt", "rtmp", "file", "decklink", "hls"])
@pytest.mark.parametrize(
    "url",
    [
        "rtmp://live.example:0/app/Hornisgrinde",
        "srt://10.0.0.1:5000?passphrase=Hornisgrinde&mode=x",
        "udp://kim:Hornisgrinde@10.0.0.1:5000",
        "srt://kim:Hornisgrinde@10.0.0.1:5000",
    ],
)
def test_a_refusal_repeats_no_secret_whatever_kind_it_was_taken_for(kind: str, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        output_specs([OutputIn.model_validate({"kind": kind, "url": url})])
    assert "Hornisgrinde" not in f"{refused.value.detail} {refused.value.hint} {refused.value.extra}"
