"""Tests that a laptop's run leaves out, for they take long: ``MCR_LONG_TESTS=1`` runs them, as CI does."""

import os
from typing import Final

import pytest

LONG: Final = os.environ.get("MCR_LONG_TESTS") == "1"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects those marked ``long``; one that is named by its id alone is run all the same."""
    if LONG or all("::" in argument for argument in config.args):
        return
    left_out = [item for item in items if item.get_closest_marker("long") is not None]
    items[:] = [item for item in items if item.get_closest_marker("long") is None]
    config.hook.pytest_deselected(items=left_out)
