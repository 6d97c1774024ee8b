"""What a sidecar's container is made of, and which engines are spoken to: values alone, no engine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from supervisor.agent.docker_container import DockerOptions, config_of, container_of, labels_of, name_of
from supervisor.agent.docker_engine import EngineAddress
from supervisor.agent.docker_ssh import ssh_command
from supervisor.agent.launcher import Launch
from supervisor.errors import Invalid

Option: TypeAlias = Any
LAUNCH = Launch(
    ("python", "-m", "sidecar"),
    {"CHANNEL_ID": "c" * 32, "MCR_EPOCH": "7", "MCR_TOKEN": "secret", "PYTHONPATH": "/home/ada/mcr"},
    "/srv/sidecars/c/7",
    "/srv/sidecars/c/7/sidecar.log",
    writes=("/srv/journal/c", "/srv/media/live/c"),
    reads=("/srv/media",),
)


def options(**more: Option) -> DockerOptions:
    return DockerOptions(owner="0123456789abcdef", image="mcr@sha256:1", user="7:8", **more)


def config(launch: Launch = LAUNCH, **more: Option) -> tuple[dict[str, Any], dict[str, Any]]:
    made: dict[str, Any] = config_of(launch, options(**more))
    return made, made["HostConfig"]


def with_(**more: Option) -> Launch:
    return Launch(LAUNCH.argv, LAUNCH.environment, LAUNCH.directory, LAUNCH.log, **more)


def test_a_container_gets_what_it_needs_and_no_more() -> None:
    made, host = config(media=("/clips",))
    assert (made["Image"], made["User"]) == ("mcr@sha256:1", "7:8")
    assert "Devices" not in host
    assert not host["Privileged"]
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["RestartPolicy"] == {"Name": "no"}
    assert {one["Target"]: one["ReadOnly"] for one in host["Mounts"]} == {
        "/srv/media": True, "/clips": True, "/srv/journal/c": False, "/srv/media/live/c": False,
        "/srv/sidecars/c/7": False,
    }  # fmt: skip
    assert all(one["Source"] == one["Target"] for one in host["Mounts"])


def test_what_means_something_on_the_agents_machine_alone_stays_there() -> None:
    made, _ = config()
    assert not [line for line in made["Env"] if line.startswith("PYTHONPATH=")]
    assert "MCR_TOKEN=secret" in made["Env"]


def test_names_and_paths_are_never_read_by_the_shell() -> None:
    """The shell's text is the same whatever is passed on."""
    hostile = Launch(("$(reboot)", "`x`"), LAUNCH.environment, "/srv/'; rm -rf /", "/srv/'; rm -rf /.log")
    made, _ = config(hostile)
    plain, _ = config()
    assert made["Entrypoint"][:4] == plain["Entrypoint"][:4]
    assert made["Entrypoint"][4] == hostile.log
    assert made["Cmd"] == list(hostile.argv)


def test_a_path_that_is_written_is_not_mounted_read_only_too() -> None:
    _, host = config(with_(writes=("/srv/media",), reads=("/srv/media",)), media=("/srv/media",))
    assert [one["ReadOnly"] for one in host["Mounts"] if one["Target"] == "/srv/media"] == [False]


def test_cards_are_passed_to_who_has_a_decklink_output_alone() -> None:
    _, host = config(with_(decklink=True), card_groups=("44",))
    assert [one["PathOnHost"] for one in host["Devices"]] == ["/dev/blackmagic"]
    assert host["GroupAdd"] == ["44"]


@pytest.mark.parametrize(
    ("network", "door_host", "door"),
    [
        ("host", "127.0.0.1", "127.0.0.1:0"),
        ("host", "fd00::7", "[fd00::7]:0"),
        ("container:mcr-node-1", "127.0.0.1", "127.0.0.1:0"),
        ("playout", "127.0.0.1", "0.0.0.0:8799"),
    ],
)
def test_a_sidecar_listens_where_its_agent_reaches_it(network: str, door_host: str, door: str) -> None:
    made, host = config(network=network, door_host=door_host)
    assert f"MCR_DOOR={door}" in made["Env"]
    assert host["NetworkMode"] == network
    published = host.get("PortBindings", {})
    # Published on loopback alone, and nothing at all where it listens there itself.
    assert [one["HostIp"] for ports in published.values() for one in ports] == ["127.0.0.1"] * (network == "playout")


@pytest.mark.parametrize("wrong", [{"network": "none"}, {"media": ("clips",)}, {"media": ("/clips/../etc",)}], ids=str)
def test_options_that_cannot_be_are_refused(wrong: dict[str, Option]) -> None:
    with pytest.raises(Invalid):
        options(**wrong)


def test_an_image_must_be_named() -> None:
    with pytest.raises(Invalid, match="image"):
        DockerOptions(owner="o", image="", user="0:0")


def test_an_epoch_has_one_name_and_labels_that_find_it() -> None:
    assert name_of(LAUNCH, options()) == f"mcr-0123456789ab-{'c' * 32}-7"
    assert labels_of(LAUNCH.environment, options()) == {
        "mcr.owner": "0123456789abcdef",
        "mcr.channel": "c" * 32,
        "mcr.epoch": "7",
    }


@pytest.mark.parametrize(("told", "code"), [(0, 0), (3, 3), (137, -9), (143, -15), (255, 255)])
def test_an_end_by_a_signal_is_told_as_a_processs(told: int, code: int) -> None:
    answer = {"Id": "1", "State": {"Running": False, "Pid": 0, "ExitCode": told}, "Config": {"Env": None}}
    assert container_of(answer).code == code


def test_what_is_no_container_is_not_believed() -> None:
    with pytest.raises(ValueError, match="not a container"):
        container_of({"Id": 7, "State": "running"})


@pytest.mark.parametrize("url", ["unix:///run/docker.sock", "ssh://ada@playout-3:2222", "tcp://127.0.0.1:2375"])
def test_engines_that_are_spoken_to(url: str) -> None:
    EngineAddress(url).check()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("tcp://10.0.0.7:2375", "in the clear"),
        ("tcp://playout-3", "names no container engine"),
        ("http://playout-3:2375", "names no container engine"),
        ("unix://run/docker.sock", "names no container engine"),
        ("ssh://", "ssh://"),
        ("ssh://-oProxyCommand=reboot", "dash"),
        ("ssh://-lroot@playout-3", "dash"),
        ("ssh://ada:secret@playout-3", "ssh://"),
        ("ssh://playout-3/etc", "ssh://"),
    ],
)
def test_engines_that_are_refused(url: str, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        EngineAddress(url).check()


def test_tls_needs_all_three_files(tmp_path: Path) -> None:
    address = EngineAddress("tcp://10.0.0.7:2376", tmp_path)
    names = ("ca.pem", "cert.pem", "key.pem")
    for name in names:
        with pytest.raises(Invalid, match=name):
            address.check()
        (tmp_path / name).touch()
    address.check()


@pytest.mark.parametrize(
    ("url", "has"),
    [
        ("ssh://playout-3", lambda argv: "-l" not in argv and "-p" not in argv),
        ("ssh://ada@playout-3:2222", lambda argv: argv[argv.index("-l") + 1] == "ada" and "2222" in argv),
    ],
)
def test_ssh_is_told_whom_and_nothing_else(url: str, has: Callable[[tuple[str, ...]], bool]) -> None:
    argv = ssh_command(url)
    assert has(argv)
    assert argv[argv.index("--") + 1 :] == ("playout-3", "docker", "system", "dial-stdio")
