"""Backup and restore of the database, the files and the secrets, with the real programs."""

from __future__ import annotations

import shutil
import stat
import tarfile
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from config import backup

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A backup made when there were one user and one file."""
    User.objects.create_user("ada")
    default_storage.delete("datasets/kept.csv")
    default_storage.save("datasets/kept.csv", ContentFile(b"1,2\n"))
    call_command("backup", tmp_path / "vitals.backup")
    return tmp_path / "vitals.backup"


def names() -> list[str]:
    return sorted(User.objects.values_list("username", flat=True))


def test_a_backup_is_one_file_for_our_eyes_only(saved: Path) -> None:
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]
    with tarfile.open(saved) as archive:
        assert {"database.dump", "files", "files/datasets/kept.csv", "keys.json"} <= set(archive.getnames())


def test_a_restore_puts_everything_back_and_nothing_else(saved: Path) -> None:
    User.objects.create_user("later")
    default_storage.delete("datasets/kept.csv")
    default_storage.save("datasets/later.csv", ContentFile(b"3\n"))
    call_command("restore", saved, replace=True)
    assert names() == ["ada"]
    with default_storage.open("datasets/kept.csv") as file:
        assert file.read() == b"1,2\n"
    assert not default_storage.exists("datasets/later.csv")


def test_a_restore_keeps_its_hands_off_a_database_that_is_in_use(saved: Path) -> None:
    with pytest.raises(CommandError, match="The database is not empty"):
        call_command("restore", saved)


def test_a_damaged_backup_changes_nothing(saved: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump"
    with tarfile.open(saved) as archive:
        member = archive.extractfile(backup.DUMP)
        assert member is not None
        dump.write_bytes(member.read()[:20_000])
    broken = tmp_path / "broken.backup"
    with tarfile.open(broken, "w") as archive:
        archive.add(dump, backup.DUMP)
    User.objects.create_user("later")
    with pytest.raises(CommandError, match="pg_restore failed"):
        call_command("restore", broken, replace=True)
    assert names() == ["ada", "later"]


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "link"])
def test_a_backup_that_reaches_outside_is_refused(tmp_path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    if name == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "bad.backup", "w") as archive:
        archive.addfile(member)
    with pytest.raises(CommandError, match="does not belong in it"):
        call_command("restore", tmp_path / "bad.backup", replace=True)


@pytest.mark.parametrize("content", [b"", b"not a backup at all"])
def test_some_other_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    with pytest.raises(CommandError, match=str(other)):
        call_command("restore", other, replace=True)


def test_a_backup_that_fails_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup, "_database", lambda: ["--dbname=there_is_no_such_database"])
    with pytest.raises(CommandError, match="pg_dump failed"):
        call_command("backup", tmp_path / "vitals.backup")
    assert list(tmp_path.iterdir()) == []
    shutil.rmtree(tmp_path)
