"""Secrets that embedded mode makes for itself on its first start, kept in the data folder with mode 600."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from config.embedded import DataFolder

DJANGO = "secret_key"
FERNET = "fernet_keys"


def generated(file: Path, name: str) -> str:
    """The secret of that name, made (with all others) if the file is not there yet.

    This is the first that anybody wants of the data folder, so here is said whether it can be used at all.
    """
    try:
        if not file.exists():
            _write_new(file, {DJANGO: secrets.token_urlsafe(50), FERNET: Fernet.generate_key().decode()})
        return str(json.loads(file.read_text())[name])
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {file.parent} cannot be used ({error.strerror}): set VITALS_DATA to another."
        ) from error


def replace(file: Path, name: str, value: str) -> None:
    """Change one secret; the file is replaced as a whole, so that a crash leaves the old or the new one."""
    _write(file.parent, json.loads(file.read_text()) | {name: value}).replace(file)


def _write_new(file: Path, values: dict[str, str]) -> None:
    """Several processes may start at once: the first file linked into place wins, the others read it."""
    DataFolder(file.parent).make_root()
    fresh = _write(file.parent, values)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, file)
    fresh.unlink()


def _write(folder: Path, values: dict[str, str]) -> Path:
    """A new file of mode 600 in that folder."""
    handle, name = tempfile.mkstemp(dir=folder, prefix=".keys.")
    with open(handle, "w") as file:
        json.dump(values, file)
    return Path(name)
