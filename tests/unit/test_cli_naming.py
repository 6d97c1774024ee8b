"""Channels are named by number or name."""

import pytest

from mcr_console.cli.failures import Failure
from mcr_console.cli.naming import pick_channel
from tests.fixtures.channels import make_channel


def test_a_number_comes_before_a_name() -> None:
    news, four = make_channel(number=4, name="News 24"), make_channel(number=24, name="4")
    assert pick_channel("4", (four, news)) is news
    assert pick_channel("24", (four, news)) is four


def test_names_are_found_in_any_case_and_exact_ones_first() -> None:
    upper, lower = make_channel(number=1, name="KIDS"), make_channel(number=2, name="kids")
    assert pick_channel("kids", (upper, lower)) is lower
    assert pick_channel("KIDS", (upper, lower)) is upper
    with pytest.raises(Failure) as refused:
        pick_channel("Kids", (upper, lower))
    assert "1, 2" in refused.value.detail


def test_what_is_not_there_is_refused_with_what_is() -> None:
    with pytest.raises(Failure) as refused:
        pick_channel("Sport", (make_channel(number=1, name="News 24"),))
    assert "1 News 24" in refused.value.hint
