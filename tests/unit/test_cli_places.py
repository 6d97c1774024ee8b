"""The command line looks for a supervisor where supervisors are."""

import os
import socket
from pathlib import Path

import pytest

from mcr_console.cli.demo.command import demo_home
from mcr_console.cli.places import Home, socket_to_use
from supervisor.settings import Settings


@pytest.mark.parametrize(
    "home", ["/srv/mcr", "~/mcr", "relative/mcr", "/srv/with space/é", "/srv/" + "long" * 30, "/srv/../srv/x", ""]
)
def test_the_supervisor_and_the_command_line_agree_on_every_path(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if home:
        monkeypatch.setenv("MCR_HOME", home)
    else:
        monkeypatch.delenv("MCR_HOME", raising=False)
    theirs, ours = Settings(), Home.of(os.environ)
    assert ours.path == theirs.home
    assert ours.socket == theirs.socket_path
    assert ours.lock == theirs.lock_path
    assert ours.sidecars == theirs.sidecars_dir
    assert ours.log.parent == theirs.logs_dir
    assert ours.clips.is_relative_to(theirs.media_root)


def test_a_services_socket_of_its_own_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCR_HOME", str(tmp_path))
    monkeypatch.setenv("MCR_SOCKET", "/run/mcr-test/mcr.sock")
    assert Home.of(os.environ).socket == Settings().socket_path == Path("/run/mcr-test/mcr.sock")
    assert "MCR_SOCKET" not in demo_home(dict(os.environ)).environment()


def test_the_machines_own_supervisor_comes_first_unless_a_home_was_chosen(short_folder: Path) -> None:
    system = short_folder / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(system))
        assert socket_to_use(Home(short_folder, chosen=False), system) == system
        assert socket_to_use(Home(short_folder, chosen=True), system) == short_folder / "run" / "mcr.sock"
    system.unlink()
    assert socket_to_use(Home(short_folder, chosen=False), system) == short_folder / "run" / "mcr.sock"


def test_the_demo_keeps_to_a_folder_of_its_own(tmp_path: Path) -> None:
    usual = Home.of({"HOME": "/nowhere"})
    assert demo_home({"HOME": "/nowhere"}).path == usual.path / "demo"
    assert demo_home({"MCR_HOME": str(tmp_path)}).path == tmp_path


@pytest.fixture
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")
