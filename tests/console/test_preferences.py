"""What is configured and remembered: it is there the next time, and a bad file is a sentence and never a crash."""

from pathlib import Path

import pytest

from mcr_console.keymap import keymap_of
from mcr_console.keys import BY_ID
from mcr_console.preferences import Preferences, Remembered, preferences, remember
from mcr_console.screens.channel_list import ListScreen
from tests.console.conftest import Desk, settled
from tests.console.scenes import degraded_channels, ident, normal_channels, reset


def here(folder: Path, config: str | None = None, state: str | None = None) -> Preferences:
    if config is not None:
        (folder / "console.toml").write_text(config, encoding="utf-8")
    if state is not None:
        (folder / "console-state.json").write_text(state, encoding="utf-8")
    return preferences({"MCR_HOME": str(folder)})


def test_nothing_is_configured_and_nothing_remembered_at_first(tmp_path: Path) -> None:
    assert here(tmp_path) == Preferences(state_file=tmp_path / "console-state.json")


def test_what_is_configured_wins_over_what_is_remembered(tmp_path: Path) -> None:
    remember(tmp_path / "console-state.json", Remembered(theme="light", sort="name", screen="list", filter="news"))
    found = here(tmp_path)
    assert (found.theme, found.sort, found.screen, found.filter) == ("light", "name", "list", "news")
    found = here(tmp_path, 'theme = "cvd"\nfilter = ""\nglyphs = "ascii"\n[keys]\ntake = "T, f12"\n')
    assert (found.theme, found.sort, found.filter, found.ascii_only) == ("cvd", "name", "", True)
    assert found.keymap.of(BY_ID["take"]) == ("T", "f12")
    assert found.troubles == ()


@pytest.mark.parametrize(
    ("config", "state", "says"),
    [
        ("theme = ", None, "console.toml is not used"),
        ('theme = "pink"', None, "theme: Input should be"),
        ('colour = "pink"', None, "colour: Extra inputs"),
        ("\x00", None, "console.toml is not used"),
        ("# " + "x" * 70_000, None, "longer than"),
        (None, "{", "console-state.json is forgotten"),
        (None, "[" * 100_000, "console-state.json is forgotten"),
        (None, '{"sort": 3}', "sort: Input should be"),
        ('[keys]\ntake = "q,enter"', None, "enter moves about, and such keys never touch air"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence(
    tmp_path: Path, config: str | None, state: str | None, says: str
) -> None:
    found = here(tmp_path, config, state)
    assert len(found.troubles) == 1
    assert says in found.troubles[0]
    assert found.theme == "auto"


def test_a_folder_in_the_place_of_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "console.toml").mkdir()
    assert "is not used" in here(tmp_path).troubles[0]


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"nonsense": "x"}, "no action has this id"),
        ({"take": "3"}, "3 goes to a channel"),
        ({"take": "j"}, "such keys never touch air"),
        ({"take": "B"}, "B is the key of standby"),
        ({"help": ""}, "it names no key"),
        ({"channel": "x"}, "done by no key"),
    ],
)
def test_no_key_means_two_things_and_none_that_moves_about_touches_air(keys: dict[str, str], says: str) -> None:
    keymap, refused = keymap_of(keys)
    assert not keymap.keys
    assert len(refused) == 1
    assert says in refused[0]


def test_two_actions_may_change_keys() -> None:
    keymap, refused = keymap_of({"take": "H", "hold": "t"})
    assert refused == ()
    assert keymap.of(BY_ID["take"]) == ("H",)


async def test_a_key_of_ones_own_does_it_and_the_footer_names_it() -> None:
    keymap, _ = keymap_of({"take": "T", "hold": "t"})
    desk = Desk([reset(normal_channels())], preferences=Preferences(keymap=keymap))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert " T  TAKE 1 NEWS 24" in desk.text()
        await pilot.press("f12", "T")
        await settled(pilot)
        desk.clock.passed += 2
        await pilot.press("t")
        await settled(pilot)
        assert [verb for _, verb, _ in desk.supervisor.sent] == ["take", "hold"]
    assert not desk.app.faults


async def test_theme_order_screen_and_filter_are_there_the_next_time(tmp_path: Path) -> None:
    desk = Desk([reset(normal_channels())], preferences=here(tmp_path))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        desk.app.run_command(":theme light")
        desk.app.run_command(":sort name")
        await pilot.press("l", "slash", *"node-a", "enter")
        await settled(pilot)
        desk.app.run_command(":theme pink")
        assert "no theme 'pink'" in desk.session.message
        assert desk.session.palette.name in {"light", "sixteen", "monochrome"}, "as the terminal of the test can"
    found = here(tmp_path)
    assert (found.theme, found.sort, found.screen, found.filter) == ("light", "name", "list", "node-a")
    again = Desk([reset(normal_channels())], preferences=found)
    async with again.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert isinstance(again.app.screen, ListScreen)
        names = [again.session.wall.channels[id_].channel.name for id_ in again.session.visible()]
        assert names == sorted(names)
        assert "filter node-a" in again.text()
    assert not again.app.faults


async def test_what_cannot_be_remembered_is_said(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("")
    desk = Desk([reset(normal_channels())], preferences=Preferences(state_file=tmp_path / "a file" / "state.json"))
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        desk.app.run_command(":sort name")
        await settled(pilot)
        assert "is not remembered" in desk.text()
    assert not desk.app.faults


async def test_a_trouble_with_a_file_stays_on_the_screen(tmp_path: Path) -> None:
    desk = Desk([reset(normal_channels())], preferences=here(tmp_path, "theme = "))
    async with desk.app.run_test(size=(200, 60)) as pilot:
        await settled(pilot)
        desk.clock.passed += 60
        await settled(pilot)
        assert "console.toml is not used" in desk.text()


async def test_trouble_comes_first_but_never_under_the_operators_hand() -> None:
    desk = Desk([reset(normal_channels())], preferences=Preferences(sort="trouble"))
    async with desk.app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("2")
        desk.supervisor.tell(reset(degraded_channels()))
        await settled(pilot)
        assert desk.session.visible()[0] == ident(1), "a key moved the focus just now"
        desk.clock.passed += 6
        desk.supervisor.tell(reset(degraded_channels()))
        await settled(pilot)
        assert desk.session.visible()[0] == ident(5), "it is off air"
        assert desk.session.focus == ident(2)
