"""The first run: from an empty database to a source that answers, left and taken up again at any step."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployments.models import ApiToken
from monitoring import setup
from monitoring.commands import run_due
from monitoring.models import (
    AuditAction,
    AuditEntry,
    Command,
    CommandKind,
    Membership,
    Role,
    SetupCode,
    Source,
    Team,
    UserPreference,
    WorkState,
)
from tests.dashboard import flights
from tests.dashboard.world import World

PASSWORD = "nine owls in a barn"


def person(code: str | None, **changes: str) -> dict[str, str]:
    given = {"code": code or "", "username": "ada", "email": "ada@example.org", "time_zone": "Europe/Zurich"}
    return given | {"password": PASSWORD, "again": PASSWORD} | changes


def claimed(client: Client) -> User:
    assert client.post(reverse("setup"), person(setup.code())).status_code == 302
    return User.objects.get()


def with_team(client: Client) -> Team:
    claimed(client)
    client.post(reverse("setup"), {"name": "Flight ops"})
    return Team.objects.get()


def page_of(client: Client) -> str:
    return client.get(reverse("setup"), follow=True).content.decode()


def test_an_empty_installation_leads_to_its_first_page(db: None, client: Client) -> None:
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/setup/"
    assert "Nobody has an account here yet" in page_of(client)


def test_without_the_code_nobody_gets_in(db: None, client: Client) -> None:
    setup.code()
    page = client.post(reverse("setup"), person("AAAA-BBBB-CCCC-DDDD-EEEE"))
    assert "This is not the code" in page.content.decode()
    assert not User.objects.exists()


def test_a_code_that_nobody_has_printed_opens_nothing(db: None, client: Client) -> None:
    client.post(reverse("setup"), person(""))
    client.post(reverse("setup"), person("x"))
    assert not User.objects.exists()


def test_guessing_the_code_is_slowed_down(db: None, client: Client) -> None:
    code = setup.code()
    for _ in range(settings.RATE_LIMIT_LOGIN):
        client.post(reverse("setup"), person("wrong"))
    assert client.post(reverse("setup"), person(code)).status_code == 429
    assert not User.objects.exists()


@pytest.mark.parametrize("write", [str, str.lower, lambda code: code.replace("-", " ")])
def test_the_code_may_be_typed_in_any_way(db: None, client: Client, write: type[str]) -> None:
    client.post(reverse("setup"), person(write(setup.code() or "")))
    user = User.objects.get()
    assert user.is_superuser
    assert user.check_password(PASSWORD)
    assert UserPreference.objects.get(user=user).time_zone == "Europe/Zurich"
    assert [entry.action for entry in AuditEntry.objects.order_by("pk")] == [AuditAction.SETUP, AuditAction.LOGGED_IN]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "a b"),
        ("email", "nowhere"),
        ("password", "12345678"),
        ("again", "another one"),
        ("time_zone", "Mars/Olympus"),
    ],
)
def test_a_wrong_field_is_named_and_stores_nothing(db: None, client: Client, field: str, value: str) -> None:
    both = {"password": value, "again": value} if field == "password" else {field: value}
    page = client.post(reverse("setup"), person(setup.code(), **both))
    assert page.status_code == 200
    assert page.context["form"].errors[field]
    assert not User.objects.exists()
    assert SetupCode.objects.exists()


def test_the_code_works_once(db: None, client: Client) -> None:
    code = setup.code()
    claimed(client)
    assert not SetupCode.objects.exists()
    response = Client().post(reverse("setup"), person(code, username="eve"))
    assert response["Location"] == "/login/?next=/setup/"
    assert [user.username for user in User.objects.all()] == ["ada"]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_claim_at_once_one_gets_in() -> None:
    code = setup.code() or ""

    def claim(name: str) -> bool:
        try:
            setup.claim(code, username=name, email=f"{name}@example.org", password=PASSWORD)
        except setup.SetupRefused:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(claim, ["ada", "bob", "cy", "dee"])) == 1
    assert User.objects.count() == 1


def test_with_an_account_the_first_page_is_gone(world: World, client: Client) -> None:
    assert setup.code() is None
    assert client.get(reverse("setup"))["Location"] == "/login/?next=/setup/"
    assert client.get("/", follow=True).redirect_chain[-1][0] == "/login/?next=/"


def test_after_createsuperuser_the_team_comes_next(db: None, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", "root@example.org", PASSWORD))
    assert client.get("/")["Location"] == "/setup/"
    assert "Name of the team" in page_of(client)


def test_an_ordinary_person_without_a_team_founds_none_here(db: None, client: Client) -> None:
    client.force_login(User.objects.create_user("eve"))
    client.post(reverse("setup"), {"name": "Mine"})
    assert not Team.objects.exists()


def test_the_team_belongs_to_who_founds_it(db: None, client: Client) -> None:
    team = with_team(client)
    membership = Membership.objects.get()
    assert (membership.team, membership.role) == (team, Role.OWNER)
    assert "What to watch" in page_of(client)


def test_this_installation_is_a_source_ready_made(db: None, client: Client) -> None:
    with_team(client)
    client.post(reverse("setup"), {"kind": "own"})
    source = Source.objects.get()
    assert source.built_in
    assert source.base_url == f"{settings.SERVICE_URL}/api/v2"
    assert ApiToken.objects.get().user == User.objects.get()
    answer = client.get("/api/v2/deployments/", headers={"Authorization": f"Bearer {source.token}"})
    assert answer.json()["data"] == []
    assert "Testing the connection" in page_of(client)


def far(**changes: str) -> dict[str, str]:
    return {"kind": "far", "name": "Flights", "base_url": flights.BASE, "token": "tok-1"} | changes


def test_another_server_is_tested_and_said_what_was_reached(db: None, client: Client) -> None:
    with_team(client)
    client.post(reverse("setup"), far())
    api = flights.Source(timezone.now(), flights.DEPLOYMENTS)
    run_due(timezone.now(), transport=api.transport)
    page = client.get(reverse("setup-test")).content.decode()
    assert "Flights answers" in page
    assert flights.BASE in page
    assert f"<dd>{len(flights.DEPLOYMENTS)}</dd>" in page
    assert "To the fleet" in page
    assert "hx-trigger" not in page


def test_what_went_wrong_is_said_with_what_to_do_and_can_be_mended(db: None, client: Client) -> None:
    with_team(client)
    client.post(reverse("setup"), far(token="mistyped"))
    Command.objects.update(
        state=WorkState.REFUSED,
        problem="The token was refused.",
        result={"error": "Unauthorised"},
        asked_at=timezone.now(),
    )
    page = page_of(client)
    assert "The token was refused." in page
    assert "Make a new API token" in page
    assert flights.BASE in client.get(reverse("setup") + "?change=1").content.decode()
    client.post(reverse("setup") + "?change=1", far(token="right"))
    source = Source.objects.get()
    assert source.token == "right"
    assert source.commands.get().state == WorkState.PENDING


def test_a_test_that_no_worker_takes_says_so(db: None, client: Client) -> None:
    with_team(client)
    client.post(reverse("setup"), far())
    assert "Is the poller running?" not in page_of(client)
    Command.objects.update(asked_at=timezone.now() - timedelta(seconds=30))
    assert "Is the poller running?" in page_of(client)


@pytest.mark.parametrize("address", ["http://169.254.169.254/api/v2", "ftp://x/api/v2", "http://10.0.0.8/api/v2"])
def test_an_address_that_may_not_be_called_leaves_nothing_behind(db: None, client: Client, address: str) -> None:
    with_team(client)
    assert client.post(reverse("setup"), far(base_url=address)).status_code == 200
    assert not Source.objects.exists()
    assert not Command.objects.filter(kind=CommandKind.TEST_SOURCE).exists()


def test_it_ends_on_a_fleet_that_says_what_happens_next(db: None, client: Client) -> None:
    with_team(client)
    client.post(reverse("setup"), {"kind": "own"})
    assert "asked for its deployments for the first time" in client.get("/").content.decode()
    Source.objects.update(last_ok_at=timezone.now())
    assert client.get(reverse("setup"))["Location"] == "/"
    assert "lists no deployment so far" in client.get("/").content.decode()


def test_the_built_in_source_follows_the_address_of_a_start(world: World) -> None:
    other = world.source.base_url
    own = setup.built_in(world.team, world.owner, token="t", api_url="http://127.0.0.1:8000/api/v2")
    Source.objects.filter(pk=own.pk).update(failures=7, open_until=timezone.now())
    assert setup.follow("http://127.0.0.1:8123/api/v2") == 1
    own.refresh_from_db()
    assert (own.base_url, own.failures, own.open_until) == ("http://127.0.0.1:8123/api/v2", 0, None)
    assert Source.objects.get(pk=world.source.pk).base_url == other
    assert setup.follow("http://127.0.0.1:8123/api/v2") == 0


def reads_beside(world: World, manager: User) -> Source:
    """A silent source of a team in which the manager of another team reads only."""
    other = Team.objects.create(name="Elsewhere")
    Membership.objects.create(team=other, user=manager, role=Role.READONLY)
    source = Source(team=other, name="Theirs", base_url=flights.BASE)
    source.token = "secret"
    source.save()
    return source


def test_what_one_only_reads_is_neither_replaced_nor_tested(world: World, client: Client) -> None:
    Source.objects.all().delete()
    theirs = reads_beside(world, world.owner)
    client.force_login(world.owner)
    client.post(reverse("setup") + "?change=1", far(name="Mine"))
    assert Source.objects.filter(pk=theirs.pk).exists()
    client.post(reverse("setup-test"))
    assert not Command.objects.exists()


def test_a_replaced_source_is_written_down_and_its_token_ends(db: None, client: Client) -> None:
    with_team(client)
    client.post(reverse("setup"), {"kind": "own"})
    token = Source.objects.get().token
    client.post(reverse("setup") + "?change=1", far())
    deeds = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))[-5:]
    assert deeds == ["token-created", "source-added", "source-removed", "token-revoked", "source-added"]
    assert not ApiToken.objects.exists()
    assert client.get("/api/v2/deployments/", headers={"Authorization": f"Bearer {token}"}).status_code == 401
