"""The addresses of live inputs: what is one, and that nothing secret of them is ever told."""

import pytest

from sidecar.protocol.live_url import parse_live_url, shown_live_url

SECRET = "dont-tell-anyone"


@pytest.mark.parametrize(
    ("url", "shown", "location", "options"),
    [
        ("srt://10.0.0.7:9000", "srt://10.0.0.7:9000", "srt://10.0.0.7:9000", {"mode": "caller"}),
        (
            f"srt://:9000?mode=listener&passphrase={SECRET}&pbkeylen=32&latency=120",
            "srt://0.0.0.0:9000 (listener)",
            "srt://0.0.0.0:9000",
            {"mode": "listener", "passphrase": SECRET, "pbkeylen": "32", "latency": "120000"},
        ),
        (
            f"srt://[::1]:9000?streamid={SECRET}",
            "srt://[::1]:9000",
            "srt://[::1]:9000",
            {"mode": "caller", "streamid": SECRET},
        ),
        ("udp://239.1.1.1:5000", "udp://239.1.1.1:5000", "udp://239.1.1.1:5000", {}),
        ("udp://:5000?localaddr=10.0.0.1", "udp://0.0.0.0:5000", "udp://0.0.0.0:5000", {"localaddr": "10.0.0.1"}),
        (f"rtmp://h/live/{SECRET}", "rtmp://h", f"rtmp://h/live/{SECRET}", {"rtmp_live": "live"}),
        (
            f"rtmp://h:1936/live/{SECRET}?listen=1",
            "rtmp://h:1936 (listener)",
            f"rtmp://h:1936/live/{SECRET}",
            {"listen": "1"},
        ),
        (f"rtmps://h/a/b/k?token={SECRET}", "rtmps://h", f"rtmps://h/a/b/k?token={SECRET}", {"rtmp_live": "live"}),
        (f"https://h/x/i.m3u8?t={SECRET}", "https://h", f"https://h/x/i.m3u8?t={SECRET}", {}),
    ],
)
def test_an_address_becomes_what_ffmpeg_takes(url: str, shown: str, location: str, options: dict[str, str]) -> None:
    address = parse_live_url(url)
    assert (address.shown, address.location, dict(address.options)) == (shown, location, options)
    assert SECRET not in f"{address} {address.shown} {address.masked(url)}"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "comes by srt"),
        ("file:///etc/passwd", "not by 'file'"),
        ("concat:a|b", "not by 'concat'"),
        ("pipe:0", "not by 'pipe'"),
        ("srt://h", "needs a port"),
        ("srt://:9000", "names no host"),
        ("srt://h:0", "1 to 65535"),
        ("srt://h:99999", "is its port a number"),
        (f"srt://h:9000?passphrase=short&x={SECRET}", "no option 'passphrase'"),
        ("srt://h:9000?mode=rendezvous", "no option 'mode'"),
        (f"srt://h:9000?passphrase=0123456789&{SECRET}=x", "like one of these"),
        (f"udp://h:1?{SECRET}=x", "like one of these"),
        ("srt://h:9000?latency=5&latency=6", "given twice"),
        (f"srt://u:{SECRET}@h:9000", "no user"),
        ("udp://h", "needs a port"),
        ("udp://h:1?localaddr=eth0", "no option 'localaddr'"),
        (f"rtmp://h/{SECRET}", "needs an app and a key"),
        (f"rtmps://h/a/{SECRET}?listen=1", "only rtmp can listen"),
        (f"http://h/{SECRET} x", "printable ASCII"),
        ("http:///x", "names no host"),
        ("http://a..b/x", "no host that there can be"),
        ("http://h/x#y", "no fragment"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        parse_live_url(url)
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert SECRET not in shown_live_url(url)
