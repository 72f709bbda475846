"""How to get in is printed, kept for its owner only, and stays the same while it works."""

import json
import stat
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from demo import access
from deployments.api.authentication import digest
from deployments.models import ApiToken

URL = "http://127.0.0.1:8000"


@pytest.fixture(autouse=True)
def data_folder(settings: object, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    return tmp_path


@pytest.mark.django_db
def test_the_file_has_the_five_keys_and_is_for_its_owner_only(data_folder: Path) -> None:
    way_in = access.granted(URL)
    file = data_folder / "demo.json"
    assert json.loads(file.read_text()) == {
        "url": URL,
        "apiUrl": f"{URL}/api/v2",
        "username": "demo",
        "password": way_in.password,
        "apiToken": way_in.apiToken,
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.django_db
def test_the_password_and_the_token_open_the_doors() -> None:
    way_in = access.granted(URL)
    user = User.objects.get(username=way_in.username)
    assert user.check_password(way_in.password)
    assert ApiToken.objects.get(user=user).digest == digest(way_in.apiToken)


@pytest.mark.django_db
def test_a_second_start_on_another_port_keeps_password_and_token() -> None:
    first, second = access.granted(URL), access.granted("http://127.0.0.1:8100")
    assert (first.password, first.apiToken) == (second.password, second.apiToken)
    assert second.apiUrl == "http://127.0.0.1:8100/api/v2"


@pytest.mark.django_db
def test_a_changed_password_gets_a_new_way_in_and_the_old_token_ends() -> None:
    first = access.granted(URL)
    user = User.objects.get(username=first.username)
    user.set_password("another")
    user.save()
    second = access.granted(URL)
    assert second.apiToken != first.apiToken
    assert list(ApiToken.objects.filter(user=user).values_list("digest", flat=True)) == [digest(second.apiToken)]


@pytest.mark.django_db
@pytest.mark.parametrize("content", ["", "{", "[]", '{"url": "x"}', '{"other": 1}'])
def test_a_broken_file_is_written_anew(data_folder: Path, content: str) -> None:
    (data_folder / "demo.json").write_text(content)
    assert access.granted(URL).password


@pytest.mark.django_db
def test_the_box_shows_all_of_it() -> None:
    way_in = access.granted(URL)
    for value in (way_in.url, way_in.apiUrl, way_in.username, way_in.password, way_in.apiToken):
        assert value in way_in.box
    assert len({len(line) for line in way_in.box.splitlines()}) == 1
