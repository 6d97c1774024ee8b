"""Python's search for cycles rests while tests are collected, and leaves out later what they all use.

Half a million objects are then there for good, modules and tests: each search through all of them is a quarter of a
second, and there are many. What tests leave behind is found as ever, sooner even.
"""

import gc

import pytest

gc.disable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
