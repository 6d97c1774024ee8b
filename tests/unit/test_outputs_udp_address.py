import pytest

from sidecar.outputs.udp_address import UdpAddress, parse_udp_url


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("udp://239.1.2.3:5000", UdpAddress("239.1.2.3", 5000)),
        ("udp://239.1.2.3:5000?ttl=7&localaddr=10.0.0.2", UdpAddress("239.1.2.3", 5000, 7, "10.0.0.2")),
        ("udp://[ff15::1]:5000", UdpAddress("ff15::1", 5000)),
        ("udp://headend.example:1234/", UdpAddress("headend.example", 1234)),
    ],
)
def test_addresses_of_udp(url: str, address: UdpAddress) -> None:
    assert parse_udp_url(url) == address


@pytest.mark.parametrize(
    "url",
    ["http://a:1", "udp://:5000", "udp://a", "udp://a:0", "udp://a:70000", "udp://a:1?ttl=0", "udp://a:1?ttl=256",
     "udp://a:1?localaddr=eth0", "udp://a:1?fifo_size=9", "udp://user@a:1", "udp://a:1/path", "udp://a:1?ttl", ""],
)  # fmt: skip
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any sentence will do
        parse_udp_url(url)
