"""The figures: how durations are counted, how they are written, and that the documentation lists what there is."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from supervisor.metrics.exposition import Reading, exposition
from supervisor.metrics.families import FAMILIES, Family
from supervisor.tally import Spread, Tally

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_a_duration_counts_for_its_bound_and_all_above() -> None:
    spread = Spread((1.0, 2.0))
    for seconds in (0.5, 1.0, 1.5, 9.0):
        spread.add(seconds)
    assert spread.cumulated() == [("1.0", 2), ("2.0", 3), ("+Inf", 4)]
    assert spread.total == 12.0


def test_a_move_that_kept_the_channel_on_air_is_a_failover_and_no_interruption() -> None:
    tally = Tally()
    tally.back_on_air("one", None, elsewhere=True)
    tally.back_on_air("one", 2.5, elsewhere=True)
    tally.back_on_air("one", 0.3, elsewhere=False)
    assert tally.failovers["one"] == 2
    assert tally.failover_s.cumulated()[-1] == ("+Inf", 2)
    assert tally.failover_s.total == 2.5
    assert tally.interruption_s.cumulated()[-1] == ("+Inf", 2)
    tally.forget("one")
    assert not tally.failovers


def test_what_is_not_known_is_not_told_and_labels_are_those_of_the_table() -> None:
    reading = Reading()
    reading.add("mcr_heartbeat_age_seconds", None, "1" * 32)
    assert not reading.values
    with pytest.raises(ValueError, match="has the labels"):
        reading.add("mcr_heartbeat_age_seconds", 1.0)
    with pytest.raises(KeyError):
        reading.add("mcr_unheard_of", 1.0)


def test_names_that_people_gave_are_written_so_that_they_are_read_as_they_are() -> None:
    reading = Reading()
    name = 'News "1"\\ \n{x="y"} 1'
    reading.add("mcr_channel_info", 1, "1" * 32, "1", name)
    families = text_string_to_metric_families(exposition(reading).decode())
    (info,) = next(family for family in families if family.name == "mcr_channel_info").samples
    assert info.labels["name"] == name


def test_the_page_lists_every_metric_as_it_is() -> None:
    """Of a table that differs the right rows are told by the failure."""
    listed = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert listed == [_row(family) for family in FAMILIES.values()]


def _row(family: Family) -> str:
    return f"| `{family.name}` | {family.kind} | {', '.join(family.labels)} | {family.meaning} |"
