"""A machine's DeckLink ports, told from a directory."""

import os
from pathlib import Path

import pytest

from sidecar.protocol.card_program import CardPort, Listing
from supervisor.agent.cards import Cards, cards_in, with_names
from supervisor.agent.interface import Device
from supervisor.clock import SystemClock


def test_ports_are_counted_from_one_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """P3: what is counted must not depend on how the directory lists it."""
    for name in ("io10", "io2", "dv1", "dv0", "io", "dvx", "IO1", "io1234", "card0", ".io3"):
        (tmp_path / name).touch()
    seen = cards_in(tmp_path)
    assert [(it.index, it.model) for it in seen] == [
        (1, "Blackmagic dv0"), (2, "Blackmagic dv1"), (3, "Blackmagic io2"), (4, "Blackmagic io10"),
    ]  # fmt: skip
    assert not any(it.busy or it.persistent_id for it in seen)


def test_no_driver_is_no_cards(tmp_path: Path) -> None:
    assert cards_in(tmp_path / "none") == ()
    (tmp_path / "file").touch()
    assert cards_in(tmp_path / "file") == ()


def test_a_port_that_a_process_has_open_is_busy_under_any_name(tmp_path: Path) -> None:
    cards, proc = tmp_path / "cards", tmp_path / "proc"
    cards.mkdir()
    (cards / "io0").write_text("  \n\n")
    (cards / "io1").write_bytes(b"Duo \xff\n 77 \n")
    (proc / "123" / "fd").mkdir(parents=True)
    (proc / "124").mkdir()
    (proc / "self").symlink_to("123")
    (proc / "123" / "fd" / "4").symlink_to(os.path.realpath(cards / "io1"))
    (proc / "123" / "fd" / "5").symlink_to("socket:[1]")
    alias = tmp_path / "alias"
    alias.symlink_to(cards)
    first, second = cards_in(alias, proc)
    assert (first.model, first.persistent_id, first.busy) == ("Blackmagic io0", None, False)
    assert (second.model, second.persistent_id, second.busy) == ("Duo \ufffd", "77", True)


def test_ports_have_the_names_that_the_program_gives_them_where_it_counts_as_many() -> None:
    ports = (Device(1, "Blackmagic io0"), Device(2, "Blackmagic io1", busy=True))
    listing = Listing((CardPort("DeckLink Duo (1)", "75:1:0"), CardPort("DeckLink Duo (2)", "75:1:1")))
    assert with_names(ports, listing, {}) == (
        Device(1, "DeckLink Duo (1)"), Device(2, "DeckLink Duo (2)", busy=True),
    )  # fmt: skip
    assert with_names(ports[:1], listing, {}) == ports[:1]
    other = {"MCR_DECKLINK_NAMES": "DeckLink Duo (2); DeckLink Duo (1)"}
    assert [it.model for it in with_names(ports, listing, other)] == ["DeckLink Duo (2)", "DeckLink Duo (1)"]


@pytest.mark.parametrize("has_card", [True, False])
async def test_what_capture_lacks_is_known_of_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_card: bool
) -> None:
    monkeypatch.setenv("MCR_BLACKMAGIC_DIR", str(tmp_path))
    environment = {"PATH": ""}
    if has_card:
        (tmp_path / "io0").touch()
        environment["MCR_DECKLINK_FFMPEG"] = str(tmp_path / "ffmpeg")
    cards = Cards(SystemClock(), environment)
    await cards.look()
    await cards.ask()
    assert cards.capture_fault is not None
    assert ("there is no program" in cards.capture_fault) == has_card
    assert ("no Blackmagic card is in that machine" in cards.capture_fault) != has_card
