"""Secrets that are made on the first start, and their rotation."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from pytest_django.fixtures import Settings

from config import rotation, secrets
from config.embedded import DataFolder
from monitoring.models import Source, Team


def test_secrets_are_made_once_and_readable_by_us_alone(tmp_path: Path) -> None:
    file = tmp_path / "data" / "keys.json"
    first = secrets.generated(file, secrets.DJANGO)
    assert len(first) >= 50
    assert secrets.generated(file, secrets.DJANGO) == first
    Fernet(secrets.generated(file, secrets.FERNET))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["keys.json"]


def test_a_data_folder_that_cannot_be_used_is_told_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match=r"cannot be used \(Not a directory\): set VITALS_DATA"):
        secrets.generated(tmp_path / "file" / "keys.json", secrets.DJANGO)


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    made: list[str] = []
    barrier = threading.Barrier(8)

    def make() -> None:
        barrier.wait()
        made.append(secrets.generated(tmp_path / "keys.json", secrets.DJANGO))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1


@pytest.fixture
def source(db: None) -> Source:
    team = Team.objects.create(name="Operations")
    source = Source(team=team, name="Ours", base_url="http://127.0.0.1:8000/api/v2")
    source.token = "token-of-a-source"
    source.save()
    return source


def stored(source: Source) -> bytes:
    return bytes(Source.objects.values_list("token_encrypted", flat=True).get(pk=source.pk))


def test_a_generated_key_is_replaced_and_forgotten(source: Source, settings: Settings, tmp_path: Path) -> None:
    settings.DATA = DataFolder(tmp_path)
    secrets.generated(settings.DATA.keys, secrets.FERNET)
    old = settings.FERNET_KEYS[0]
    secrets.replace(settings.DATA.keys, secrets.FERNET, old)
    assert rotation.new_generated_key() == 1
    new = json.loads(settings.DATA.keys.read_text())[secrets.FERNET]
    assert Fernet(new).decrypt(stored(source)) == b"token-of-a-source"
    with pytest.raises(InvalidToken):
        Fernet(old).decrypt(stored(source))


def test_a_value_that_fits_no_key_changes_nothing(source: Source) -> None:
    before = stored(source)
    with pytest.raises(InvalidToken):
        rotation.encrypt_again([Fernet.generate_key().decode()])
    assert stored(source) == before


def test_named_keys_are_rotated_by_the_command(
    source: Source, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = Fernet.generate_key().decode()
    settings.FERNET_KEYS = [fresh, *settings.FERNET_KEYS]
    monkeypatch.setenv("VITALS_FERNET_KEYS", ",".join(settings.FERNET_KEYS))
    call_command("rotate_keys")
    assert Fernet(fresh).decrypt(stored(source)) == b"token-of-a-source"
    assert capsys.readouterr().out == "1 values are encrypted with the first of VITALS_FERNET_KEYS now.\n"
