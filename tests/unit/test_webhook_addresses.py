"""Where webhooks may go, and how their calls are signed."""

import hashlib
import hmac
import socket

import pytest

from examples.webhook_receiver import OLDEST_S, Seen, is_genuine
from supervisor.errors import Invalid
from supervisor.threads import Threads
from supervisor.webhooks.addresses import Allowed, NotAllowed, address_of, receiver_of
from supervisor.webhooks.signature import headers, signature

NOBODY = Allowed.of("")
OURS = Allowed.of("127.0.0.1, hooks.station.example,*.inside.example, 10.0.0.5, localhost, ::1")


@pytest.mark.parametrize(
    "url",
    ["http://93.184.216.34/", "http://example.com/", "http://127.0.0.1/", "https://127.0.0.1/", "https://[::1]/",
     "https://10.0.0.5/", "https://192.168.1.1/", "https://169.254.169.254/latest/meta-data", "https://0.0.0.0/",
     "https://[::ffff:10.0.0.5]/", "https://[fe80::1]/", "https://224.0.0.1/", "ftp://example.com/", "file:///etc/passwd",
     "https:///path", "https://kim:secret@example.com/", "https://example.com/#part", "https://example.com:0/",
     "https://example.com:99999/", "https://exa mple.com/", "https://example.com/\n", "gopher://x/", "//example.com/",
     "https://2130706433:0/", "https://hooks..example.com/", f"https://{'a' * 64}.example.com/", "https://.example.com/"],
)  # fmt: skip
def test_what_is_refused_whoever_asks(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        receiver_of(url, NOBODY)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown", "target"),
    [
        ("https://example.com", "https://example.com:443", "/"),
        ("https://Example.com:8443/hook?key=1", "https://example.com:8443", "/hook?key=1"),
        ("https://93.184.216.34/", "https://93.184.216.34:443", "/"),
        ("https://10.0.0.5/x", "https://10.0.0.5:443", "/x"),
        ("http://127.0.0.1:8099/x", "http://127.0.0.1:8099", "/x"),
        ("http://[::1]:8099/x", "http://[::1]:8099", "/x"),
    ],
)
def test_what_goes_where_it_is_allowed(url: str, shown: str, target: str) -> None:
    receiver = receiver_of(url, OURS)
    assert (receiver.shown, receiver.target) == (shown, target)


def test_plain_http_leaves_the_machine_for_nobody() -> None:
    for url in ("http://10.0.0.5/", "http://hooks.station.example/", "http://a.inside.example/"):
        with pytest.raises(Invalid):
            receiver_of(url, OURS)


@pytest.mark.parametrize(
    ("found", "is_allowed"),
    [(["93.184.216.34"], True), (["93.184.216.34", "10.0.0.1"], False), (["::ffff:127.0.0.1"], False), ([], False)],
)
async def test_all_that_a_name_leads_to_is_judged(
    found: list[str], is_allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        assert (host, port) == ("example.com", 443)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    lookups = Threads("look-ups", places=1)
    receiver = receiver_of("https://example.com/x", NOBODY)
    if is_allowed:
        assert receiver.url_at(await address_of(receiver, lookups)) == "https://93.184.216.34:443/x"
    else:
        with pytest.raises(NotAllowed):
            await address_of(receiver, lookups)


def test_the_example_knows_a_genuine_call_from_any_other() -> None:
    body = b'{"id":"1"}'
    sent = headers("secret", "1" * 32, 1_000_000, body)
    by_hand = hmac.new(b"secret", b'1000000.{"id":"1"}', hashlib.sha256).hexdigest()
    assert sent["Mcr-Webhook-Signature"] == f"v1={by_hand}" == signature("secret", 1_000_000, body)
    assert is_genuine("secret", sent, body, 1_000_000 + OLDEST_S)
    assert not is_genuine("secret", sent, body, 1_000_001 + OLDEST_S), "an old one, sent again"
    assert not is_genuine("other", sent, body, 1_000_000)
    assert not is_genuine("secret", sent, body + b" ", 1_000_000)
    assert not is_genuine("secret", {**sent, "Mcr-Webhook-Timestamp": "1000001"}, body, 1_000_000)
    assert not is_genuine("secret", {}, body, 1_000_000)
    seen = Seen()
    seen.add("1")
    assert (seen.has("1"), seen.has("2")) == (True, False)
