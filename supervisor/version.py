"""Which version of the program this is."""

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """The installed package's version."""
    try:
        return version("mcr-console")
    except PackageNotFoundError:
        return "0"
