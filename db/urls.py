"""Which database a URL or a path means."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError


def database_url(text: str) -> URL:
    """``text`` with the driver this store uses. Raises ``ValueError``, which never repeats a password."""
    if "://" not in text:
        return _sqlite(text)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        raise ValueError("the database URL cannot be read: sqlite:///path or postgresql://user@host/name") from error
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url.database or "")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"a {other} database is not supported: use sqlite:///path or postgresql://…")


def _sqlite(path: str) -> URL:
    # Every connection to ":memory:" would be a database of its own.
    if not path or path == ":memory:" or path.startswith("file:"):
        raise ValueError("SQLite needs the path of a file")
    return URL.create("sqlite+aiosqlite", database=str(Path(path).expanduser().absolute()))
