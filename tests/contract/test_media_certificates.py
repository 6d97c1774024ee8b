"""Certificates of inputs and outputs are checked, with the name, against authorities that can be added to."""

import contextlib
import http.server
import math
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from sidecar import certificates
from sidecar.media import live_opening
from sidecar.media.live_opening import open_live
from sidecar.media.opening import Unusable
from sidecar.outputs.rtmp_address import parse_rtmp_url
from sidecar.outputs.rtmp_session import RtmpSession
from sidecar.outputs.templates import make_templates
from sidecar.outputs.transport_stream import TransportStreamMuxer
from sidecar.protocol.live_url import parse_live_url
from tests.fixtures.air import ENCODING, FORMAT, encoded

UNKNOWN = "its certificate is not accepted (unable to get local issuer certificate)"
OTHER_NAME = "its certificate is not accepted (Hostname mismatch, certificate is not valid for 'localhost')"


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``good`` of an authority of ours, ``evil`` of another, ``other`` of ours for another name; each .crt and .key."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ours", "theirs"):
        _openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
                 f"{name}.pem", "-days", "30", "-subj", f"/CN={name}")  # fmt: skip
    for name, by, host in (("good", "ours", "localhost"), ("evil", "theirs", "localhost"), ("other", "ours", "else")):
        _openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                 "-subj", f"/CN={host}")  # fmt: skip
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\n")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key",
                 "-CAcreateserial", "-out", f"{name}.crt", "-days", "30", "-extfile", f"{name}.ext")  # fmt: skip
    return folder


@pytest.fixture(autouse=True)
def accepted(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MCR_CA_FILE", str(keys / "ours.pem"))
    certificates.ca_bundle.cache_clear()
    yield
    certificates.ca_bundle.cache_clear()


@contextmanager
def served(keys: Path, name: str, folder: Path) -> Iterator[int]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            del format, args

        def do_GET(self) -> None:
            """``/to/PATH`` is a redirection to /PATH, ``/drip/…`` comes a byte at a time."""
            if self.path.startswith("/to/"):
                self.send_response(302)
                self.send_header("Location", self.path.removeprefix("/to"))
                self.end_headers()
            elif self.path.startswith("/drip/"):
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):
                    while not dried.wait(0.05):
                        self.wfile.write(b"#")
            else:
                super().do_GET()

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Who does not accept the certificate hangs up."""

    dried = threading.Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / f"{name}.crt", keys / f"{name}.key")
    with Server(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            dried.set()
            server.shutdown()
            thread.join(60)


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    muxer = TransportStreamMuxer(make_templates(FORMAT, ENCODING))
    chunks = [chunk for batch in encoded(range(50)) for chunk in muxer.mux(batch)]
    (folder / "live.ts").write_bytes(b"".join([*chunks, *muxer.finish()]))
    return folder


def pictures(url: str) -> int:
    """How many pictures come from there. Raises Unusable."""
    opened = open_live(parse_live_url(url))
    try:
        assert opened.picture is not None
        return sum(packet.size > 0 for packet in opened.container.demux(opened.picture))
    finally:
        opened.close()


def refused(url: str) -> str:
    with pytest.raises(Unusable) as verdict:
        pictures(url)
    return str(verdict.value)


def test_an_https_input_is_taken_only_from_who_proves_its_name(keys: Path, media: Path) -> None:
    with (
        served(keys, "good", media) as good,
        served(keys, "evil", media) as evil,
        served(keys, "other", media) as other,
    ):
        assert pictures(f"https://localhost:{good}/live.ts?key=secret") == 50
        assert refused(f"https://localhost:{evil}/live.ts?key=secret") == f"{UNKNOWN}: https://localhost:{evil}"
        assert refused(f"https://localhost:{other}/live.ts") == f"{OTHER_NAME}: https://localhost:{other}"
        assert refused(f"https://localhost:{good}/none.ts") == f"the server answers 404: https://localhost:{good}"


def test_what_an_https_playlist_names_is_checked_as_well(keys: Path, media: Path) -> None:
    """FFmpeg's own reader would take a segment of a host with any certificate."""
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
    with served(keys, "good", media) as good, served(keys, "evil", media) as evil:
        for name, segment in (
            ("good", "live.ts"),
            ("evil", f"https://localhost:{evil}/live.ts"),
            ("file", f"file://{media}/live.ts"),
        ):
            (media / f"{name}.m3u8").write_text(f"{head}{segment}\n#EXT-X-ENDLIST\n")
        assert pictures(f"https://localhost:{good}/good.m3u8") == 50
        assert refused(f"https://localhost:{good}/evil.m3u8") == f"{UNKNOWN}: https://localhost:{good}"
        assert refused(f"https://localhost:{good}/file.m3u8").endswith(f": https://localhost:{good}")


def test_an_https_input_is_read_from_where_it_is_redirected_to(keys: Path, media: Path) -> None:
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
    folder = media / "deep"
    folder.mkdir()
    (folder / "part.ts").write_bytes((media / "live.ts").read_bytes())
    (folder / "list.m3u8").write_text(f"{head}#EXTINF:2,\npart.ts\n#EXT-X-ENDLIST\n")
    (folder / "moved.m3u8").write_text(f"{head}#EXTINF:2,\n/to/live.ts\n#EXT-X-ENDLIST\n")
    (media / "main.m3u8").write_text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9\n/to/deep/list.m3u8\n")
    with served(keys, "good", media) as good:
        at = f"https://localhost:{good}"
        assert pictures(f"{at}/to/deep/list.m3u8?key=secret") == 50, "its segments lie beside where it is"
        assert pictures(f"{at}/to/to/live.ts") == 50
        assert pictures(f"{at}/deep/moved.m3u8") == 50, "a segment may be anywhere"
        said = refused(f"{at}/main.m3u8")
        assert said == f"a playlist within it is redirected, which is not followed over https: {at}"


def test_an_https_server_that_trickles_is_given_up(keys: Path, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_opening, "PULL_TIMEOUT", 1.0)
    with served(keys, "good", media) as good:
        said = refused(f"https://localhost:{good}/drip/live.ts")
        assert said == f"it sends too slowly for media: https://localhost:{good}"


def test_an_rtmps_input_says_that_it_is_the_certificate(keys: Path, media: Path) -> None:
    with served(keys, "good", media) as good, served(keys, "evil", media) as evil:
        assert refused(f"rtmps://localhost:{evil}/app/secret") == f"{UNKNOWN}: rtmps://localhost:{evil}"
        assert "certificate" not in refused(f"rtmps://localhost:{good}/app/secret"), "it only speaks no RTMP"


def test_an_rtmps_output_hands_its_key_to_nobody_else(keys: Path, media: Path) -> None:
    def said(port: int) -> str:
        session = RtmpSession(parse_rtmp_url(f"rtmps://localhost:{port}/app/secret"), lambda: math.inf)
        try:
            session.open()
        except OSError as error:
            return str(error)
        finally:
            session.drop()
        raise AssertionError("it was let in")

    with served(keys, "good", media) as good, served(keys, "evil", media) as evil:
        assert UNKNOWN in said(evil)
        assert "certificate" not in said(good), "it only speaks no RTMP"


def test_authorities_that_cannot_be_read_are_named(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCR_CA_FILE", str(keys / "nowhere.pem"))
    certificates.ca_bundle.cache_clear()
    for url in ("https://localhost:1/live.ts", "rtmps://localhost:1/app/key"):
        assert refused(url) == f"MCR_CA_FILE: {keys}/nowhere.pem holds no certificates that can be read"
