"""Tests that a laptop's run leaves out, for they take long: ``MCR_LONG_TESTS=1`` runs them, as CI does.

Long is what is marked so, and what stands in a folder of tests that start whole programs and is not marked ``short``.
"""

import os
from typing import Final

import pytest

LONG: Final = os.environ.get("MCR_LONG_TESTS") == "1"
_LONG_FOLDERS: Final = ("tests/integration/", "tests/e2e/")


def examples(number: int) -> int:
    """How many examples of a property to try: a fifth of them where long tests are left out."""
    return number if LONG else number // 5


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects them; what is named by a file or an id is run all the same."""
    if LONG or all("::" in argument or argument.endswith(".py") for argument in config.args):
        return
    left_out = [item for item in items if _is_long(item)]
    items[:] = [item for item in items if not _is_long(item)]
    config.hook.pytest_deselected(items=left_out)


def _is_long(item: pytest.Item) -> bool:
    if item.get_closest_marker("long") is not None:
        return True
    return item.nodeid.startswith(_LONG_FOLDERS) and item.get_closest_marker("short") is None
