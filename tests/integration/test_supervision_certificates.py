"""A node is known by the first certificate for which its key vouches; another in its place is told of."""

from pathlib import Path

from supervisor.agent.keys import node_key, read_key
from supervisor.agent.service.certificate import Shown, issued_certificate
from tests.fixtures.agents import NodeHome, served
from tests.fixtures.running import Json, Running, eventually

PATIENT_S = 30.0
NODE = "far"


def issued(folder: Path) -> Shown:
    folder.mkdir()
    return issued_certificate(folder)


async def test_another_certificate_is_an_alarm_and_no_silence(
    supervisor: Running, node_home: NodeHome, tmp_path: Path
) -> None:
    """P6: the node answers on; people say that the new one is right, or that somebody has the node's key."""
    own, other = issued(tmp_path / "own"), issued(tmp_path / "other")
    key = node_key(read_key(supervisor.settings.cluster_key_path), NODE)

    async def node() -> Json:
        return next(one for one in (await supervisor.call("GET", "/nodes"))["items"] if one["name"] == NODE)

    async def alarms() -> list[Json]:
        found = (await supervisor.call("GET", "/alarms"))["items"]
        return [one for one in found if one["code"] == "node_certificate" and one["cleared_at"] is None]

    async with served(node_home, shown=own, name=NODE, key=key) as first:
        port = int(first.url.rpartition(":")[2])
        await supervisor.call("POST", "/nodes", json={"name": NODE, "url": first.url}, expect=201)

        async def known() -> bool:
            return (await node())["certificate"] == own.fingerprint

        await eventually(known, "the first certificate is kept", PATIENT_S)
        seen = await node()
        assert (seen["state"], seen["encrypted"], seen["certificate_given"]) == ("answers", True, False)
        assert not await alarms()
    async with served(node_home, port, shown=other, name=NODE, key=key):

        async def told() -> list[Json]:
            return await alarms()

        (alarm,) = await eventually(told, "an alarm", PATIENT_S)
        for words in (own.fingerprint, other.fingerprint, "mcr node set"):
            assert words in alarm["text"]

        async def answers() -> bool:
            return (await node())["state"] == "answers"

        await eventually(answers, "it answers on", PATIENT_S)
        seen = await node()
        assert (seen["certificate"], seen["certificate_seen"]) == (own.fingerprint, other.fingerprint)
        path = f"/nodes/{seen['id']}"
        await supervisor.call("PATCH", path, rev=seen["rev"], json={"fingerprint": other.fingerprint})

        async def over() -> bool:
            return not await alarms()

        await eventually(over, "the alarm is over", PATIENT_S)
