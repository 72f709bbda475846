"""What a start looks after besides the schema: where the built-in source is, who may claim an empty installation."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.db import connections

from config.preparation import Say


def follow(url: str, say: Say) -> None:
    """The built-in sources ask the address that this start answers at, whatever the port was the last time."""
    if not settings.DASHBOARD_ENABLED:
        return
    from monitoring.setup import follow as move

    moved = move(f"{url.rstrip('/')}/api/v2")
    connections.close_all()
    if moved:
        say(f"the built-in source is asked at {url} from now on")


def setup_code() -> str | None:
    """The code of an empty installation, also kept in the data folder (mode 600); None once somebody has an account."""
    if not settings.DASHBOARD_ENABLED:
        return None
    from monitoring.setup import code

    found = code()
    connections.close_all()
    _file().unlink(missing_ok=True)
    if found is not None:
        with open(os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{found}\n")
    return found


def invitation(url: str, found: str) -> str:
    """The line for the console."""
    return f"Nobody has an account yet: open {url}/setup/ and enter the code {found} (also in {_file()})"


def _file() -> Path:
    return Path(settings.DATA_DIR) / "setup-code"
