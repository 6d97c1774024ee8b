"""Where the supervisor's files are, and what it refuses to use."""

import os
import stat
from pathlib import Path

import pytest

from supervisor.errors import Invalid
from supervisor.settings import SOCKET_PATH_LIMIT, Settings
from supervisor.settings_page import page


def test_everything_follows_from_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCR_HOME", str(tmp_path / "h"))
    monkeypatch.delenv("MCR_DATABASE_URL", raising=False)
    settings = Settings()
    settings.make_directories()
    assert settings.store_url == f"sqlite+aiosqlite:///{tmp_path / 'h' / 'mcr.db'}"
    made = [path for path in (tmp_path / "h").rglob("*") if path.is_dir()]
    assert {path.relative_to(tmp_path / "h").as_posix() for path in made} >= {"run", "media/live", "journal", "agent"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}


def test_a_home_that_is_too_long_gets_a_short_socket_of_its_own(tmp_path: Path) -> None:
    short, long, other = (Settings(home=Path("/srv") / name) for name in ("mcr", "x" * 120, "y" * 120))
    assert short.socket_path == Path("/srv/mcr/run/mcr.sock")
    assert len(os.fsencode(long.socket_path)) <= SOCKET_PATH_LIMIT
    assert long.socket_path != other.socket_path
    assert long.socket_path == Settings(home=long.home).socket_path


@pytest.mark.parametrize("url", ["postgresql://mcr@db/mcr", "postgres://mcr@db/mcr", "postgresql+asyncpg://mcr@db/mcr"])
def test_postgresql_is_reached_by_its_async_driver(url: str) -> None:
    assert Settings(database_url=url).store_url == "postgresql+asyncpg://mcr@db/mcr"


@pytest.mark.parametrize(
    "url", ["sqlite:///elsewhere.db", "sqlite+aiosqlite:////srv/mcr.db", "elsewhere.db", "mysql://db/mcr"]
)
def test_a_database_that_the_homes_lock_does_not_guard_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="does not name a PostgreSQL database"):
        _ = Settings(database_url=url).store_url


def test_a_url_that_cannot_be_read_is_refused_without_its_password() -> None:
    with pytest.raises(Invalid, match="cannot be read") as refused:
        _ = Settings(database_url="postgresql://mcr:secret@db:port/mcr").store_url
    assert "secret" not in f"{refused.value} {refused.value.hint}"


def test_an_empty_url_is_none(tmp_path: Path) -> None:
    assert Settings(home=tmp_path, database_url="").store_url.startswith("sqlite")


def test_a_run_directory_that_others_may_enter_is_closed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    (tmp_path / "run").chmod(0o755)
    Settings(home=tmp_path).make_directories()
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700


def test_a_services_socket_directory_is_left_as_the_service_made_it(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o750)
    settings = Settings(home=tmp_path / "home", socket=tmp_path / "shared" / "mcr.sock")
    settings.make_directories()
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o750
    assert settings.socket_mode == 0o660


def test_a_home_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Invalid, match="cannot be made"):
        Settings(home=tmp_path / "file" / "home").make_directories()


def test_a_variable_that_cannot_be_used_is_named_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for days in (0, 90, 36_500):
        monkeypatch.setenv("MCR_KEEP_AUDIT_DAYS", str(days))
        assert Settings().kept.audit == days
    for days in ("89", "36501", "hornisgrinde"):
        monkeypatch.setenv("MCR_KEEP_AUDIT_DAYS", days)
        with pytest.raises(Invalid, match="MCR_KEEP_AUDIT_DAYS: ") as refused:
            Settings()
        assert "hornisgrinde" not in str(refused.value)


def test_the_reference_is_what_the_program_says() -> None:
    """Run: make settings."""
    assert (Path(__file__).parents[2] / "docs" / "settings.md").read_text() == page()
