pytest_plugins = [
    "tests.fixtures.agents",
    "tests.fixtures.homes",
    "tests.fixtures.postgres",
    "tests.fixtures.running",
    "tests.skips",
]
