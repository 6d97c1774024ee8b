"""The logo on the picture, and who decides that it is there."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sidecar.engine.logo import BadLogo, LogoOverlay, read_logo
from sidecar.engine.logo_switch import LogoSwitch
from sidecar.media.picture import black
from sidecar.media.planes import samples_of
from sidecar.protocol.channel import ChannelFormat, Item, Logo, LogoUse
from sidecar.protocol.status import LogoStatus, Picture
from sidecar.rundown.model import Airing, FrameAction, Shown

CHANNEL = ChannelFormat(320, 180, "25")


def rgba(red: int, green: int, blue: int, alpha: int, size: tuple[int, int] = (40, 20)) -> np.ndarray:
    return np.full((size[1], size[0], 4), (red, green, blue, alpha), np.uint8)


def planes_with(image: np.ndarray, logo: Logo) -> list[np.ndarray]:
    made = LogoOverlay(image, logo, CHANNEL).on(black(CHANNEL))
    return [samples_of(plane)[:, : plane.width].astype(int) for plane in made.planes]


@pytest.mark.parametrize(
    ("colour", "wanted"),
    [((255, 255, 255), (235, 128, 128)), ((255, 0, 0), (63, 102, 240)), ((0, 0, 255), (32, 240, 118))],
)
def test_its_colours_are_bt_709s_and_nothing_else_is_touched(
    colour: tuple[int, int, int], wanted: tuple[int, int, int]
) -> None:
    planes = planes_with(rgba(*colour, 255), Logo("x", x=100, y=50))
    for plane, level, background, scale in zip(planes, wanted, (16, 128, 128), (1, 2, 2), strict=True):
        inside = plane[50 // scale : 70 // scale, 100 // scale : 140 // scale]
        assert np.abs(inside - level).max() <= 1
        inside[:] = background
        assert np.all(plane == background)


def test_opacity_and_the_files_own_alpha_multiply() -> None:
    half = planes_with(rgba(255, 255, 255, 128), Logo("x", opacity=50))[0]
    assert abs(int(half[5, 5]) - round(16 + 219 * 0.25)) <= 1


def test_transparent_pixels_give_no_colour_to_their_neighbours() -> None:
    image = rgba(255, 0, 0, 0)
    image[:, 1::2] = (255, 255, 255, 255)
    planes = planes_with(image, Logo("x"))
    assert np.all(planes[1][:10, :20] == 128)
    assert set(np.unique(planes[0][:20, :40])) == {16, 235}


def test_it_is_cut_off_at_the_pictures_edge_and_refused_outside() -> None:
    planes = planes_with(rgba(255, 255, 255, 255, (41, 21)), Logo("x", x=301, y=171))
    assert int((planes[0] > 200).sum()) == 20 * 10
    with pytest.raises(BadLogo, match="outside of the picture"):
        planes_with(rgba(255, 255, 255, 255), Logo("x", x=320))


def test_the_shared_picture_is_left_alone_and_a_repeat_is_the_same_object() -> None:
    overlay = LogoOverlay(rgba(255, 255, 255, 255), Logo("x"), CHANNEL)
    given = black(CHANNEL)
    made = overlay.on(given)
    assert overlay.on(given) is made
    assert np.all(samples_of(given.planes[0])[:, :320] == 16)
    kept = [overlay.on(black(CHANNEL)) for _ in range(20)]
    kept[0].planes[0].update(bytes(kept[0].planes[0].buffer_size))
    assert all(samples_of(one.planes[0])[0, 0] == 235 for one in kept[1:]), "memory that is in use was given out again"
    del kept
    again = {id(overlay.on(black(CHANNEL))) for _ in range(20)}
    assert len(again) <= 3, "memory that is free is used again"


def test_files_that_are_no_logo_say_why(tmp_path: Path) -> None:
    with pytest.raises(BadLogo, match="No such file"):
        read_logo(Logo(str(tmp_path / "missing.png")), CHANNEL)
    wrong = tmp_path / "wrong.png"
    wrong.write_bytes(b"GIF89a" + bytes(100))
    with pytest.raises(BadLogo, match="not a whole PNG"):
        read_logo(Logo(str(wrong)), CHANNEL)
    whole = tmp_path / "whole.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (200, 200, 4), np.uint8)).save(whole)
    cut = tmp_path / "cut.png"
    cut.write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(BadLogo):
        read_logo(Logo(str(cut)), CHANNEL)
    assert read_logo(Logo(str(whole)), CHANNEL).on(black(CHANNEL)).width == 320


def shown(
    number: int, logo: LogoUse = "inherit", *, action: FrameAction = "source", picture: Picture = "item"
) -> Shown:
    airing = Airing(number, Item(str(number), "clip", logo=logo)) if number else None
    return Shown(0, action, picture, airing, 0, silent=False, late=False, reason="", facts=())


@pytest.mark.parametrize("channel_on", [True, False])
def test_items_say_whether_and_the_channel_where_they_do_not(channel_on: bool) -> None:
    switch = LogoSwitch(Logo("x", on=channel_on))
    assert switch.decide(shown(1, "on"))
    assert not switch.decide(shown(1, "off"))
    assert switch.decide(shown(1)) is channel_on
    assert not switch.decide(shown(1, "on", action="slate"))
    assert not switch.decide(shown(1, "on", picture="standby"))
    assert not switch.decide(shown(0, action="repeat"))


def test_an_operators_override_lapses_at_the_next_item() -> None:
    switch = LogoSwitch(Logo("x"))
    switch.decide(shown(1))
    switch.set(False)
    assert not switch.decide(shown(1))
    assert switch.status("", is_there=True) == LogoStatus(shown=False, override="off")
    assert not switch.decide(shown(1, action="repeat", picture="hold"))
    assert switch.decide(shown(2))
    assert switch.status("", is_there=True) == LogoStatus(shown=True)
    switch.set(True)
    assert switch.decide(shown(2, "off"))
    switch.set(None)
    assert not switch.decide(shown(2, "off"))


def test_an_override_outlasts_what_is_no_item() -> None:
    switch = LogoSwitch(Logo("x"))
    switch.decide(shown(1))
    switch.set(False)
    for number in (0, 7):  # the live input is lost: nothing, then filler
        assert not switch.decide(shown(number, action="repeat", picture="filler"))
    assert not switch.decide(shown(8, picture="standby"))
    assert not switch.decide(shown(1))
    assert switch.override is False
    assert switch.decide(shown(2))


def test_a_channel_without_a_logo_tells_of_none() -> None:
    switch = LogoSwitch(None)
    assert not switch.decide(shown(1, "on"))
    assert switch.status("", is_there=True) is None
