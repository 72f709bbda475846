"""The operating-system account that the embedded servers run as.

PostgreSQL refuses to run as root. As root the servers run as the owner of the existing data, else as an account of
their own, else (where no account can be made) as one that exists everywhere.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import EmbeddedError

OWN_ACCOUNT = "vitals-postgres"
FALLBACKS = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user and a group by number."""

    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        return self.uid == os.geteuid()


def current() -> Account:
    return Account(os.geteuid(), os.getegid())


def for_servers(data: Path) -> Account:
    """The account for the servers whose database lies in `data` (which need not exist yet)."""
    if os.geteuid() != 0:
        return current()
    if data.exists() and data.stat().st_uid != 0:
        found = data.stat()
        return Account(found.st_uid, found.st_gid)
    return _own() or _existing()


def _own() -> Account | None:
    if _lookup(OWN_ACCOUNT) is None and (useradd := shutil.which("useradd")):
        command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OWN_ACCOUNT]
        # Two starts may race to create it: whoever loses finds it below.
        subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL)
    return _lookup(OWN_ACCOUNT)


def _existing() -> Account:
    for name in FALLBACKS:
        if found := _lookup(name):
            return found
    raise EmbeddedError(
        f"PostgreSQL does not run as root and no other account could be made: add a user named {OWN_ACCOUNT}, "
        "run as an ordinary user, or set DATABASE_URL."
    )


def _lookup(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)
