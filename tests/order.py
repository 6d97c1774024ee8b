"""Tests that mostly wait (for real time to pass) run beside those that keep a processor busy, not after them."""

from itertools import chain, zip_longest

import pytest


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each real-time test is a group of its own, and each of real faults, which finds its lab in whatever process runs
    it; the others stay together by file, with their fixtures."""
    waiting: dict[str, list[pytest.Item]] = {}
    busy: dict[str, list[pytest.Item]] = {}
    for item in items:
        is_real_time = any(item.get_closest_marker(name) is not None for name in ("realtime", "faults"))
        named = item.get_closest_marker("xdist_group")  # such as those that share one Docker engine
        group = item.nodeid if is_real_time else item.nodeid.partition("::")[0]
        if named is None:
            item.add_marker(pytest.mark.xdist_group(group))
        else:
            group = str(named.args[0])
        (waiting if is_real_time else busy).setdefault(group, []).append(item)
    slowest_first = sorted(waiting.values(), key=lambda group: (len(group) == 1, "seams" not in group[0].nodeid))
    pairs = zip_longest(slowest_first, busy.values(), fillvalue=[])
    items[:] = list(chain.from_iterable(chain.from_iterable(pairs)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """In a worker of xdist. Without names of groups every test is one of its own: fixtures of files and sessions are
    then made again and again, and those that share a Docker engine do not."""
    if not session.config.getoption("loadgroup", False):
        return
    nameless = [item.nodeid for item in session.items if "@" not in item.nodeid]
    if nameless:
        raise pytest.UsageError(f"xdist names no group in {nameless[0]}; its version and pytest's do not go together")
