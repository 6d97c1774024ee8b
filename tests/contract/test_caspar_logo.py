"""The channel's logo: on either engine as item, channel and operator say, and with CasparCG on a layer of its own."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PIL import Image

from sidecar.caspar.playout import CasparPlayout
from sidecar.protocol.channel import CasparServer, Item, Logo, LogoOverride, Look
from sidecar.rundown.answers import Refused
from tests.doubles.caspar.manners import Manners
from tests.doubles.caspar.server import FakeCaspar
from tests.fixtures.engine_stage import Kind, Stage, stage

pytestmark = pytest.mark.realtime

CASPAR = Kind("caspar", Manners)
LONG = {"a": 3000, "b": 3000, "c": 3000}
Staged = Callable[..., Stage]


@pytest.fixture
def staged(tmp_path: Path) -> Generator[Staged]:
    with ExitStack() as stack:

        def make(*items: Item, kind: Kind = CASPAR, logo: Logo | None = None, **more: object) -> Stage:
            made = Stage(kind, tmp_path, LONG, items, logo=logo or picture(tmp_path), **more)  # type: ignore[arg-type]
            return stack.enter_context(stage(made))

        yield make


def picture(folder: Path, name: str = "Mix 25 logo.png", **more: object) -> Logo:
    """64 x 36 at 240, 18 of 320 x 180."""
    path = folder / name
    Image.new("RGBA", (64, 36), (255, 255, 255, 128)).save(path)
    return Logo(str(path), 240, 18, 60, **more)  # type: ignore[arg-type]


def item(name: str, **more: object) -> Item:
    return Item(id=name, title=name, path=f"/media/{name}.mp4", **more)  # type: ignore[arg-type]


def shows(here: Stage, *, shown: bool, override: str = "auto") -> None:
    def is_so() -> bool:
        logo = here.status.logo
        return logo is not None and (logo.shown, logo.override) == (shown, override)

    here.until(is_so, f"the logo {'on' if shown else 'off'}, by {override}; {here.status.logo}")


def says(here: Stage, show: LogoOverride) -> None:
    with here.passing():
        here.engine.logo(show, "op").result(20)


def opacity(server: FakeCaspar, layer: int = 11) -> str:
    return server.mixer.get((layer, "OPACITY"), "1")


@pytest.mark.parametrize("kind", [Kind("ffmpeg"), CASPAR], ids=lambda kind: kind.name)
def test_it_is_on_as_channel_item_and_operator_say(staged: Staged, kind: Kind) -> None:
    here = staged(item("a"), item("b", logo="off"), item("c"), kind=kind)
    here.start()
    here.arm()
    shows(here, shown=True)
    says(here, "off")
    shows(here, shown=False, override="off")
    says(here, "auto")
    shows(here, shown=True)
    here.play(30)  # the take guard
    here.do(lambda clock: clock.take("b", "op"))
    shows(here, shown=False)
    says(here, "on")
    shows(here, shown=True, override="on")
    here.play(30)
    here.do(lambda clock: clock.take("c", "op"))
    shows(here, shown=True)
    here.do(lambda clock: clock.standby("op"))
    shows(here, shown=False)
    assert here.stop()


def test_the_server_shows_it_above_the_programme_where_it_is_to_be(staged: Staged) -> None:
    here = staged(item("a"))
    server = here.server
    assert server is not None
    here.start()
    assert 11 not in server.layers, "nothing before the air"
    here.arm()
    shows(here, shown=True)
    front = server.layers[11].foreground
    assert front is not None
    assert (front.clip.path, front.transition) == (str(here.folder / "Mix 25 logo.png"), 0)
    assert server.mixer == {(11, "FILL"): "0.75 0.1 0.2 0.2", (11, "OPACITY"): "0.6"}
    told = [line.split(" ", 2)[2] for line in server.received if " 1-11 " in line]
    assert [line.split()[0] for line in told] == ["MIXER", "MIXER", "PLAY", "MIXER"]
    assert told[0] == "MIXER 1-11 OPACITY 0", "unseen until it is where it is to be"
    assert here.stop()
    assert 11 not in server.layers
    assert server.mixer == {}


def test_another_one_and_none_hold_at_once(staged: Staged) -> None:
    here = staged(item("a"))
    server = here.server
    assert server is not None
    here.start()
    here.arm()
    shows(here, shown=True)
    other = picture(here.folder, "other.png")
    here.engine.replace_look(Look(other))
    here.until(
        lambda: (
            (layer := server.layers.get(11)) is not None
            and layer.foreground is not None
            and layer.foreground.clip.path == other.path
        ),
        "the other logo",
    )
    shows(here, shown=True)
    here.engine.replace_look(Look(None))
    here.until(lambda: 11 not in server.layers and server.mixer == {}, "no logo")
    assert here.status.logo is None
    with pytest.raises(Refused):
        says(here, "on")
    assert here.item == "a"


def test_what_was_taken_off_or_lost_with_the_connection_is_put_back(staged: Staged) -> None:
    here = staged(item("a"))
    server = here.server
    assert server is not None
    here.start()
    here.arm()
    shows(here, shown=True)
    server.cleared(11)
    server.mixer.clear()
    here.until(lambda: 11 in server.layers, "put back")
    shows(here, shown=True)
    server.mixer.clear()
    server.drop()
    here.until(
        lambda: server.mixer.get((11, "FILL")) == "0.75 0.1 0.2 0.2", "told to who is there after a new connection"
    )
    here.until(lambda: opacity(server) == "0.6", "and seen")


def test_one_that_the_server_does_not_find_is_said_and_asked_for_again(staged: Staged) -> None:
    here = staged(item("a"), dead=frozenset({"Mix 25 logo.png"}))
    here.start()
    here.arm()
    here.until(lambda: (logo := here.status.logo) is not None and "does not find the logo" in logo.fault, "said")
    with pytest.raises(Refused, match="does not find the logo"):
        says(here, "on")
    assert here.item == "a"
    here.dead = frozenset()
    shows(here, shown=True)


def test_one_that_the_server_never_tells_stays_on_air_unblinking_and_is_said(staged: Staged) -> None:
    here = staged(item("a"), told_as={"Mix 25 logo.png": "/somewhere/another name"})
    server = here.server
    assert server is not None
    here.start()
    here.arm()
    here.until(lambda: (logo := here.status.logo) is not None and "does not tell" in logo.fault, "said")
    here.play(300)
    told = [line.split(" ", 2)[2] for line in server.received if " 1-11 " in line]
    assert told.count("MIXER 1-11 OPACITY 0") == 1, "only before it was there"
    assert opacity(server) == "0.6"
    assert 2 <= sum(line.startswith("PLAY") for line in told) <= 6, "again, and ever more seldom"
    says(here, "off")
    here.until(lambda: opacity(server) == "0", "what an operator says holds for it all the same")
    says(here, "auto")
    here.told_as.clear()
    shows(here, shown=True)
    assert here.status.logo is not None
    assert here.status.logo.fault == ""


def test_one_command_that_is_not_answered_takes_nothing_away(staged: Staged) -> None:
    here = staged(item("a"), kind=Kind("caspar", Manners, reply_s=0.5))
    server = here.server
    assert server is not None
    here.start()
    here.arm()
    shows(here, shown=True)
    here.play(25)  # INFO has told it
    server.manners.silent_commands = {"MIXER"}
    before = len(server.received)
    says(here, "off")
    here.until(lambda: (logo := here.status.logo) is not None and bool(logo.fault), "said")
    server.manners.silent_commands = set()
    here.until(lambda: (logo := here.status.logo) is not None and not logo.fault, "answered")
    assert opacity(server) == "0"
    says(here, "auto")
    here.until(lambda: opacity(server) == "0.6", "on")
    told = [line.split(" ", 2)[2] for line in server.received[before:] if " 1-11 " in line]
    assert {tuple(line.split()[:3]) for line in told} == {("MIXER", "1-11", "OPACITY")}, told


def test_what_a_run_before_left_is_taken_off_by_one_without_a_logo(staged: Staged) -> None:
    here = staged(item("a"))
    server = here.server
    assert server is not None
    here.start()
    here.arm()
    shows(here, shown=True)
    with here.passing():
        assert here.engine.stop("op", 20, final=False)
    assert 11 in server.layers, "it plays on, as the programme does"
    here.logo = None
    follower = CasparPlayout(
        here.document(CasparServer(port=server.port)), epoch=2, journal=here.journal, media_root=here.folder,
        folder=here.folder / "caspar", time=here.time, pause=here.time.pause, on_death=here.deaths.append,
    )  # fmt: skip
    follower.start()
    here.until(lambda: 11 not in server.layers and server.mixer == {}, "taken off")
    assert 10 in server.layers, "the programme plays on"
    with here.passing():
        assert follower.stop("op", 20)
