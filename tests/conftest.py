pytest_plugins = ["tests.fixtures.homes", "tests.fixtures.postgres", "tests.fixtures.running"]
