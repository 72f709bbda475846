"""The data folder: where it lies, what is in it, and who may look.

    database/     PostgreSQL's cluster                     mode 700, the servers' account
    queue/        Redis' working folder                    mode 700, the servers' account
    run/          the two sockets                          mode 700, the servers' account
    programs/     a copy of the wheels' programs, only where the servers' account cannot reach the originals
    files/        datasets, artifacts, exports             mode 700
    log/          what the processes said                  mode 700
    keys.json     generated secrets                        mode 600
    servers.lock, users.lock                               who runs, who uses the servers

No folder that was not made here ever changes its mode.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.embedded import account
from config.embedded.account import Account
from config.embedded.errors import EmbeddedError

# A Unix socket's address holds 107 bytes on Linux and 103 elsewhere; PostgreSQL's file is the longest name we use.
LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432.lock")
AS_ROOT = Path("/var/lib/vitals")


def default_data_folder() -> Path:
    """`/var/lib/vitals` as root, else `$XDG_DATA_HOME/vitals` or `~/.local/share/vitals`."""
    if os.geteuid() == 0:
        return AS_ROOT
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "vitals"


@dataclass(frozen=True)
class DataFolder:
    """Paths below one data folder; `prepare` makes what is missing."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "database"

    @property
    def queue(self) -> Path:
        return self.root / "queue"

    @property
    def programs(self) -> Path:
        return self.root / "programs"

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def keys(self) -> Path:
        return self.root / "keys.json"

    @property
    def sockets(self) -> Path:
        """`run/`, or a short folder of our own elsewhere if that path is too long for a socket's address."""
        here = self.root / "run"
        if len(os.fsencode(here)) <= LONGEST_SOCKET_FOLDER:
            return here
        return _short_folder(self.root / "run.path")

    @property
    def database_url(self) -> str:
        """The embedded database's address: fixed by the folder, whether the server runs or not."""
        return f"postgresql://vitals@/vitals?host={self.sockets}"

    @property
    def redis_socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def redis_url(self) -> str:
        return f"unix://{self.redis_socket}?db=0"

    def make_root(self) -> None:
        """Make the data folder itself; others may pass through it (the servers' account must), not read it."""
        if not self.root.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o711)

    def prepare(self) -> Account:
        """Make the servers' folders for their account and return it. Safe to call again."""
        try:
            self.make_root()
            who = account.for_servers(self.database)
            for folder in (self.database, self.queue, self.sockets):
                _own_folder(folder, who)
            for folder in (self.files, self.log):
                _own_folder(folder, account.current())
        except PermissionError as error:
            raise EmbeddedError(
                f"The data folder {self.root} cannot be written ({error.strerror}: {error.filename}): "
                "set VITALS_DATA to a folder of yours."
            ) from error
        return who


def _own_folder(folder: Path, who: Account) -> None:
    """Make `folder` with mode 700 for `who`; a folder that is there must be theirs already (or ours to give)."""
    if not folder.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        if not who.is_current:
            os.chown(folder, who.uid, who.gid)
        return
    owner = folder.stat().st_uid
    if owner == who.uid:
        return
    if os.geteuid() == 0 and owner == 0 and not any(folder.iterdir()):
        os.chown(folder, who.uid, who.gid)
        return
    raise EmbeddedError(
        f"{folder} belongs to another user (number {owner}): run as that user, or set VITALS_DATA to another folder."
    )


def _short_folder(record: Path) -> Path:
    """The short socket folder written down in `record`, made on first use."""
    if record.exists():
        return Path(record.read_text().strip())
    record.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="vitals-", dir="/tmp"))
    try:
        with record.open("x") as file:
            file.write(str(made))
    except FileExistsError:
        made.rmdir()
        return Path(record.read_text().strip())
    return made
