"""Where everything lives. One home directory holds all that the program writes, so that two can run side by side."""

import hashlib
import os
import stat
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Self

from platformdirs import user_data_path
from pydantic import AfterValidator, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.urls import database_url
from supervisor.errors import Invalid
from supervisor.kept import Kept

SOCKET_PATH_LIMIT: Final = 100
"""Bytes. Linux ends a socket's path at 108, macOS at 104, the closing zero included."""


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - not resolve(): a link to the data stays a link


_AUDIT_DAYS: Final = 90
"""That the database keeps of the audit log, whoever asks it to take rows away."""


def _long_enough(days: int) -> int:
    if 0 < days < _AUDIT_DAYS:
        raise ValueError(f"the audit log is kept for {_AUDIT_DAYS} days at least; 0 keeps it for ever")
    return days


class Settings(BaseSettings):
    """``MCR_HOME`` and the other variables below, from the environment. Every path follows from them."""

    model_config = SettingsConfigDict(env_prefix="MCR_", extra="ignore", frozen=True, use_attribute_docstrings=True)

    home: Annotated[Path, AfterValidator(_absolute)] = Field(default_factory=lambda: user_data_path("mcr-console"))
    """The one directory that everything is written to; two of them run side by side."""

    database_url: str | None = None
    """``postgresql://user@host/database`` where more than one supervisor shares a store; SQLite in the home else."""

    socket: Annotated[Path, AfterValidator(_absolute)] | None = None
    """Where a system service listens, for a whole group; the home's own socket is for its user alone."""

    cluster_key_file: Annotated[Path, AfterValidator(_absolute)] | None = None
    """Of a cluster of supervisors: the key that all of them have. One alone makes its own, in its home."""

    nodes: str = ""
    """``name=https://host:6271,…``: nodes that are added when the supervisor starts, if they are not there."""

    address: str = ""
    """What followers tell people where this supervisor is reached, while it leads; its socket's path else."""

    allowed_hosts: str = ""
    """``mcr.example,10.0.0.7``: by which names beside its own callers may call the TCP door."""

    spare: bool = True
    """Whether the agent keeps one sidecar warm, so that a restart in place waits for no imports: some 70 MB a node."""

    asrun_dir: Annotated[Path, AfterValidator(_absolute)] | None = None
    """Where the as-run log of every broadcast day is written to, in a folder for each channel."""

    asrun_url: str = ""
    """Where it is sent to by HTTP ``PUT``, below a folder for each channel: ``https://host/path``."""

    reach: str = ""
    """``10.0.0.0/8,*.example.com``: hosts that outputs, live inputs, recorders, nodes and CasparCG servers may
    name; else all but link-local addresses and clouds' metadata services."""

    webhook_hosts: str = ""
    """``host,*.example.com,10.0.0.5``: where webhooks may go that is not the public network, separated by commas."""

    webhook_ca: Annotated[Path, AfterValidator(_absolute)] | None = None
    """Certificates, in PEM, by which receivers of webhooks are known; else those that this machine trusts."""

    keep_history_days: Annotated[int, Field(ge=0, le=36_500)] = 30
    """For how long decisions and events are kept, the newest 200,000 at most; 0: by their number alone."""

    keep_alarms_days: Annotated[int, Field(ge=0, le=36_500)] = 400
    """For how long alarms are kept after they were cleared; 0: for ever."""

    keep_audit_days: Annotated[int, Field(ge=0, le=36_500), AfterValidator(_long_enough)] = 400
    """For how long the audit log is kept, 90 days at least; 0: for ever."""

    keep_asrun_days: Annotated[int, Field(ge=0, le=36_500)] = 0
    """For how long the as-run log is kept after a run of a channel ended, where its days are delivered; 0: for ever."""

    keep_journals_days: Annotated[int, Field(ge=0, le=36_500)] = 90
    """For how long the journal of a run stays on its node once the as-run log has all of it: longer than the oldest
    backup that may be restored; 0: for ever."""

    @model_validator(mode="wrap")
    @classmethod
    def _in_words(cls, values: object, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Raises Invalid, which names the variable and repeats no value: it may be a secret."""
        try:
            return handler(values)
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False, include_input=False)
            words = (
                f"MCR_{'_'.join(map(str, one['loc'])).upper()}: {one['msg'].removeprefix('Value error, ')}"
                for one in wrong
            )
            raise Invalid(f"the environment cannot be used: {'; '.join(words)}", hint="See docs/settings.md.") from None

    @property
    def kept(self) -> Kept:
        return Kept(
            self.keep_history_days,
            self.keep_alarms_days,
            self.keep_audit_days,
            self.keep_asrun_days,
            self.keep_journals_days,
        )

    @property
    def store_url(self) -> str:
        """What ``db.store.Store`` is opened with. Raises Invalid unless it is PostgreSQL or SQLite in the home.

        A SQLite file elsewhere could belong to two homes; the lock that keeps a second supervisor away is the home's.
        """
        if not self.database_url:
            return f"sqlite+aiosqlite:///{self.home / 'mcr.db'}"
        scheme = self.database_url.partition("://")[0].partition("+")[0]
        if scheme not in {"postgres", "postgresql"}:
            raise Invalid(
                "MCR_DATABASE_URL does not name a PostgreSQL database",
                hint="Give postgresql://user@host/database, or leave it out: SQLite always lives in MCR_HOME.",
            )
        try:
            return database_url(self.database_url).render_as_string(hide_password=False)
        except ValueError:
            raise Invalid("MCR_DATABASE_URL cannot be read", hint="Give postgresql://user@host/database.") from None

    @property
    def run_dir(self) -> Path:
        return self.home / "run"

    @cached_property
    def socket_path(self) -> Path:
        """``run/mcr.sock``, or a short path of this home's own where that is too long for a socket."""
        if self.socket is not None:
            return self.socket
        plain = self.run_dir / "mcr.sock"
        if len(os.fsencode(plain)) <= SOCKET_PATH_LIMIT:
            return plain
        digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
        return Path(f"/tmp/mcr-{os.getuid()}-{digest}/mcr.sock")  # noqa: S108 - its directory is ours and 0700, or refused

    @property
    def socket_mode(self) -> int:
        """Who gets to its directory and has the group may use a service's socket."""
        return 0o600 if self.socket is None else 0o660

    @property
    def lock_path(self) -> Path:
        return self.run_dir / "supervisor.lock"

    @property
    def info_path(self) -> Path:
        return self.run_dir / "supervisor.json"

    @property
    def token_path(self) -> Path:
        return self.home / "token"

    @property
    def cluster_key_path(self) -> Path:
        """What every supervisor of one store shares, and the keys of its nodes follow from."""
        return self.cluster_key_file or self.home / "cluster_key"

    @property
    def agent_info_path(self) -> Path:
        """Where this home's agent, when it is a program of its own, says that it listens."""
        return self.run_dir / "agent.json"

    @property
    def media_root(self) -> Path:
        return self.home / "media"

    @property
    def live_root(self) -> Path:
        return self.media_root / "live"

    @property
    def agent_dir(self) -> Path:
        return self.home / "agent"

    @property
    def node_id_path(self) -> Path:
        """Beside the epochs that this node remembers: whoever has one has the others."""
        return self.agent_dir / "node_id"

    @property
    def sidecars_dir(self) -> Path:
        return self.home / "sidecars"

    @property
    def journal_dir(self) -> Path:
        return self.home / "journal"

    @property
    def logs_dir(self) -> Path:
        return self.home / "logs"

    def make_directories(self) -> None:
        """Makes them all, 0700. Raises Invalid when one cannot be made or belongs to somebody else."""
        paths = (self.home, self.run_dir, self.media_root, self.live_root, self.agent_dir, self.sidecars_dir)
        for path in (*paths, self.journal_dir, self.logs_dir, self.socket_path.parent):
            _make_directory(path)
        for path in (self.run_dir, self.socket_path.parent):
            if path != self.socket_path.parent or self.socket is None:
                path.chmod(0o700)


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError as error:
        raise Invalid(
            f"{path} cannot be made: {error.strerror}", hint="Set MCR_HOME to a directory that you may write to."
        ) from error
    # In /tmp anybody could have made it first, as a link to where they can read.
    is_planted_link = path.parent == Path("/tmp") and path.is_symlink()  # noqa: S108
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or is_planted_link:
        raise Invalid(f"{path} is not a directory of this user", hint="Set MCR_HOME to a directory of your own.")
