pytest_plugins = [
    "tests.fixtures.agents",
    "tests.fixtures.docker_engine",
    "tests.fixtures.homes",
    "tests.fixtures.postgres",
    "tests.fixtures.running",
    "tests.skips",
]
