"""The command that makes and forgets API tokens."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_printed_token_opens_the_api_until_it_is_forgotten(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    User.objects.create_user("ada")
    call_command("api_token", "ada", name="ci")
    bearer = {"authorization": f"Bearer {capsys.readouterr().out.strip()}"}
    assert client.get("/api/v2/version/", headers=bearer).status_code == 200
    assert client.get("/api/v2/deployments/", headers=bearer).status_code == 200
    call_command("api_token", "ada", name="ci", revoke=True)
    assert capsys.readouterr().out == "1 token named ci forgotten.\n"
    assert client.get("/api/v2/deployments/", headers=bearer).status_code == 401


def test_an_unknown_person_gets_none() -> None:
    with pytest.raises(CommandError, match="There is no user eve"):
        call_command("api_token", "eve")
