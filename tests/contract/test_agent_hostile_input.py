"""The agent over HTTP: what nobody can read is refused, and never brings it down (F36, F37)."""

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.agent_orders import start
from tests.fixtures.agents import KEY, NODE, NodeHome, Served, served
from tests.fixtures.strangers import Speaker

POSTS = [
    "/sidecar/start", "/sidecar/standby", "/sidecar/stop", "/sidecar/command", "/sidecar/poll", "/sidecars", "/media",
    "/runs",
]  # fmt: skip
GETS = ["/sidecars", "/sidecar/thumbnail", "/live", "/asrun"]
WORDS = ["channel_id", "epoch", "term", "document", "said", "seen", "wait", "leases", "known", "roots", "paths", "type"]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    LEAVES,
    lambda deeper: st.lists(deeper, max_size=4) | st.dictionaries(st.sampled_from(WORDS), deeper, max_size=6),
    max_leaves=12,
)
FEW = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
async def node(node_home: NodeHome) -> AsyncIterator[Served]:
    async with served(node_home) as it:
        yield it


@pytest.fixture
async def client(node: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=node.url, trust_env=False, timeout=10.0) as it:
        yield it


async def said(client: httpx.AsyncClient, method: str, target: str, body: bytes = b"") -> httpx.Response:
    """Signed, by a session of its own."""
    return await (await Speaker.greeted(client, NODE, KEY)).signed(1, method, target, body).send(client)


async def test_what_is_no_order_is_refused_by_name(node_home: NodeHome, client: httpx.AsyncClient) -> None:
    whole = msgspec.to_builtins(start())
    for change in (
        {"epoch": "one"}, {"epoch": 0}, {"epoch": -3}, {"epoch": 10**30}, {"epoch": 1.5}, {"term": -1}, {"term": None},
        {"channel_id": 7}, {"channel_id": "../../x"}, {"channel_id": ""}, {"channel_id": "c" * 400}, {"document": {}},
        {"document": "[" * 5000},
    ):  # fmt: skip
        answer = await said(client, "POST", "/sidecar/start", msgspec.json.encode({**whole, **change}))
        assert answer.status_code in (422, 502), (change, answer.text)
        assert answer.json()["code"] in ("invalid", "start_failed"), change
        assert answer.headers["mcr-mac"]
    assert not node_home.processes()


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"\xff\xfe", b"{", b'{"seen":NaN}', b"[" * 100_000])
async def test_no_body_brings_it_down(client: httpx.AsyncClient, body: bytes) -> None:
    for path in POSTS:
        assert (await said(client, "POST", path, body)).status_code == 422, path
    assert (await client.post("/hello", content=body)).status_code in (413, 422)


async def test_a_body_that_is_too_large_is_refused_whoever_sends_it(client: httpx.AsyncClient) -> None:
    """10 MB: told while the sender still listens, and nothing is kept of it."""
    speaker = await Speaker.greeted(client, NODE, KEY)
    body = b" " * 10_000_000
    for session in (speaker.name, "nobody"):
        try:
            answer = await client.post("/sidecar/start", content=body, headers={"mcr-session": session})
        except (httpx.WriteError, httpx.ReadError):
            continue  # cut off in the middle, which is an answer too
        assert answer.status_code == 413
    assert (await said(client, "GET", "/sidecars?seen=-1&wait=0")).status_code == 200


async def test_paths_and_methods_of_no_contract_are_told_so(client: httpx.AsyncClient) -> None:
    for method, path, status in (
        ("GET", "/", 404), ("GET", "/docs", 404), ("GET", "/hello", 405), ("DELETE", "/sidecars", 405),
        ("GET", "/live/../../etc/passwd", 404), ("GET", "/%00", 404), ("POST", "/sidecar/start/", 404),
    ):  # fmt: skip
        answer = await client.request(method, path, follow_redirects=False)
        assert answer.status_code in (status, 307), path
    for target in ("/sidecars?seen=x&wait=0", "/sidecars?seen=1&wait=1e9", "/sidecars", "/asrun?limit=-1"):
        assert (await said(client, "GET", target)).status_code == 422, target


@FEW
@given(path=st.sampled_from(POSTS), body=JSON)
async def test_json_of_any_shape_gets_an_answer(
    node: Served, client: httpx.AsyncClient, path: str, body: object
) -> None:
    answer = await said(client, "POST", path, msgspec.json.encode(body))
    assert answer.status_code in (200, 422)
    assert (await node.local.report(-1, 0.0)).term == 0


@FEW
@given(path=st.sampled_from(["/hello", *POSTS]), body=st.binary(max_size=300), header=st.text(max_size=40))
async def test_bytes_of_a_stranger_get_a_refusal(
    client: httpx.AsyncClient, path: str, body: bytes, header: str
) -> None:
    printable = "".join(letter for letter in header if letter.isalnum()).encode()
    headers = {"mcr-session": printable, "mcr-counter": printable, "mcr-mac": printable}
    answer = await client.post(path, content=body, headers=headers)
    assert answer.status_code in (401, 422)


@FEW
@given(
    path=st.sampled_from(GETS), query=st.dictionaries(st.sampled_from([*WORDS, "path", "limit"]), st.text(max_size=30))
)
async def test_any_query_gets_an_answer(client: httpx.AsyncClient, path: str, query: dict[str, str]) -> None:
    target = httpx.URL(path, params=query).raw_path.decode()
    assert (await said(client, "GET", target)).status_code in (200, 404, 409, 422)
