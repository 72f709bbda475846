"""One file that holds an installation: the database, the local files and the generated secrets.

    database.dump    pg_dump, custom format      files/…    the local file storage      keys.json    if generated

A bucket named by `S3_BUCKET` and secrets named in the environment are not in it: they are kept elsewhere already.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import redis
from django.conf import settings
from django.db import connection

from config.embedded import account, programs

FRESH = [
    *("--single-transaction", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"),
    *("--command=drop schema if exists public cascade", "--command=create schema public"),
]
DUMP, FILES, KEYS = "database.dump", "files", "keys.json"


class BackupError(Exception):
    """One sentence for the person who asked."""


def write(target: Path) -> int:
    """Write a backup and return its size; the file appears under its name only when it is whole. Mode 600."""
    building = target.with_name(f".{target.name}.{os.getpid()}")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        dump = Path(folder) / DUMP
        _run("pg_dump", "--format=custom", "--no-owner", f"--file={dump}", *_database())
        handle = os.open(building, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "wb") as file, tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(dump, DUMP)
            if not settings.S3_BUCKET:
                archive.add(settings.DATA.files, FILES)
            if settings.DATA.keys.exists():
                archive.add(settings.DATA.keys, KEYS)
    building.replace(target)
    return target.stat().st_size


def read(source: Path, *, replace: bool = False) -> None:
    """Put a backup in place of an empty installation, or with `replace` of whatever is there.

    The database changes in one transaction, first; then files and secrets. What waited in the queue is dropped: it
    belongs to another state of the database, and the tasks find their work again.
    """
    if not replace and "django_migrations" in connection.introspection.table_names():
        raise BackupError("The database is not empty: use --replace to put the backup in its place.")
    connection.close()
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
        _unpack(source, Path(folder))
        _load(Path(folder) / DUMP)
        _place_files(Path(folder) / FILES)
        if (Path(folder) / KEYS).exists():
            shutil.copyfile(Path(folder) / KEYS, settings.DATA.keys)
            settings.DATA.keys.chmod(0o600)
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.flushdb()
    client.close()


def _load(dump: Path) -> None:
    """Everything out, the dump in, in one transaction: a failure leaves the database as it was.

    The script is written out whole before it runs: a stream that breaks off would be committed as far as it came.
    """
    script = dump.with_suffix(".sql")
    _run("pg_restore", "--no-owner", f"--file={script}", str(dump))
    _run("psql", *FRESH, *_database(), f"--file={script}")


def _unpack(source: Path, folder: Path) -> None:
    try:
        with tarfile.open(source, mode="r:") as archive:
            for member in archive:
                _unpack_one(archive, member, folder)
    except (tarfile.TarError, OSError) as error:
        raise BackupError(f"{source} cannot be read as a backup: {error}") from error
    if not (folder / DUMP).exists():
        raise BackupError(f"{source} is no backup of Vitals: it holds no {DUMP}.")


def _unpack_one(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """A plain file or folder below ours; anything else (links, devices, paths upwards) is no part of a backup."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or not (member.isfile() or member.isdir()):
        raise BackupError(f"The backup holds {member.name}, which does not belong in it.")
    if member.isdir():
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        return
    content = archive.extractfile(member)
    assert content is not None  # it is a plain file
    with content, open(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file)


def _place_files(found: Path) -> None:
    """Exchange the whole folder of files, if the backup has one."""
    if not found.is_dir():
        return
    found.chmod(0o700)
    shutil.rmtree(settings.DATA.files, ignore_errors=True)
    shutil.move(found, settings.DATA.files)


def _database() -> list[str]:
    entry = connection.settings_dict
    named = {"host": entry["HOST"], "port": entry["PORT"], "username": entry["USER"], "dbname": entry["NAME"]}
    return [f"--{name}={value}" for name, value in named.items() if value]


def _run(name: str, *arguments: str) -> None:
    entry = connection.settings_dict
    env = {**os.environ, "PGPASSWORD": entry["PASSWORD"], "PGOPTIONS": "--client-min-messages=warning"}
    if "sslmode" in entry["OPTIONS"]:
        env["PGSSLMODE"] = entry["OPTIONS"]["sslmode"]
    # A program of the PostgreSQL wheel: it talks to any server up to its own version.
    program = programs.postgres_bin(settings.DATA, account.current()) / name
    done = subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BackupError(f"{name} failed: {(done.stderr.strip().splitlines() or ['no words'])[-1]}")
