import os

# A spare sidecar for every supervisor of every test would cost more than the tests; those of it ask for one.
os.environ.setdefault("MCR_SPARE", "false")

pytest_plugins = [
    "tests.fixtures.agents",
    "tests.fixtures.docker_engine",
    "tests.fixtures.homes",
    "tests.fixtures.postgres",
    "tests.fixtures.running",
    "tests.long",
    "tests.order",
    "tests.rubbish",
    "tests.skips",
    "tests.unsteady",
]
