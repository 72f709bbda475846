"""The audit page: three lists as one, who sees what of it, narrowed, paged, and taken along as CSV."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deployments.models import AuditEntry as ServiceEntry
from monitoring.audit import note
from monitoring.commands import ask
from monitoring.models import AuditAction, AuditEntry, CommandKind
from tests.dashboard.world import PASSWORD, World


def lines(client: Client, **query: str) -> list[list[str]]:
    """The rows of the CSV without its head."""
    content = client.get(reverse("audit-csv"), query).content.decode()
    return list(csv.reader(io.StringIO(content)))[1:]


def words(client: Client, **query: str) -> list[str]:
    return [f"{row[1]} {row[2]} {row[3]}".strip() for row in lines(client, **query)]


@pytest.fixture
def busy(world: World) -> World:
    """Something of each kind, oldest first."""
    AuditEntry.objects.all().delete()
    note(AuditAction.TOKEN_CREATED, world.reader, about="Nightly job")
    note(AuditAction.MEMBER_INVITED, world.owner, team=world.team, about="ada@example.org")
    note(AuditAction.LOGIN_FAILED, actor="mal…")
    ask(world.owner, CommandKind.DETAILS, world.source, timezone.now(), watched=world.watched(), body={"label": "x"})
    ServiceEntry.objects.create(user=world.owner, action="healthSettings.updated", before={"a": 1}, after={"a": 2})
    return world


def seen_by(user: User, **query: str) -> list[str]:
    client = Client()
    client.force_login(user)
    return [one for one in words(client, **query) if "logged in" not in one]


def test_an_owner_sees_the_team_its_members_and_both_halves(busy: World) -> None:
    assert seen_by(busy.owner) == [
        "Ines health settings updated",
        "Ines asked the source: Change it (Flight delayed > 15 min): pending",
        "Ines invited ada@example.org",
        "Tomas created the API token Nightly job",
    ]


def test_others_see_what_they_did_themselves(busy: World) -> None:
    assert seen_by(busy.reader) == ["Tomas created the API token Nightly job"]
    assert seen_by(busy.outsider) == []


def test_an_administrator_sees_all_of_it(busy: World) -> None:
    root = User.objects.create_superuser("root")
    assert "mal… failed to log in" in seen_by(root)
    assert len(seen_by(root)) == 5


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"kind": "tokens"}, ["Tomas created the API token Nightly job"]),
        ({"kind": "members"}, ["Ines invited ada@example.org"]),
        ({"kind": "service"}, ["Ines health settings updated"]),
        ({"kind": "commands"}, ["Ines asked the source: Change it (Flight delayed > 15 min): pending"]),
        ({"kind": "commands", "who": "tom"}, []),
        ({"who": "TOMAS"}, ["Tomas created the API token Nightly job"]),
        ({"until": "2001-01-01"}, []),
        ({"since": "2999-01-01"}, []),
    ],
)
def test_it_narrows(busy: World, query: dict[str, str], expected: list[str]) -> None:
    assert seen_by(busy.owner, **query) == expected


def test_a_team_narrows_to_its_own(busy: World) -> None:
    assert [row.split(" ", 1)[0] for row in seen_by(busy.owner, team=str(busy.team.pk))] == ["Ines", "Ines"]


@pytest.mark.parametrize(
    "query", [{"kind": "x"}, {"team": "x"}, {"since": "x"}, {"until": "2024-02-31"}, {"before": "x"}]
)
def test_odd_addresses_do_no_harm(busy: World, inside: Client, query: dict[str, str]) -> None:
    assert inside.get(reverse("audit"), query).status_code == 200
    assert inside.get(reverse("audit-csv"), query).status_code == 200


def test_pages_follow_one_another_without_a_gap(world: World, inside: Client) -> None:
    AuditEntry.objects.all().delete()
    start = timezone.now() - timedelta(hours=2)
    for number in range(120):
        row = note(AuditAction.SOURCE_CHANGED, world.owner, team=world.team, about=f"n{number}")
        AuditEntry.objects.filter(pk=row.pk).update(at=start + timedelta(seconds=number))
    seen: list[str] = []
    url = reverse("audit") + "?kind=sources"
    while url:
        page = inside.get(url)
        seen += [one.about for one in page.context["rows"]]
        url = f"{reverse('audit')}?{page.context['older']}" if page.context["older"] else ""
    assert seen == [f"n{number}" for number in reversed(range(120))]


def test_a_cell_is_never_a_formula(world: World, inside: Client) -> None:
    note(AuditAction.SOURCE_ADDED, world.owner, team=world.team, about='=HYPERLINK("https://evil.example")')
    assert lines(inside, kind="sources")[0][3].startswith("'=")


def test_log_ins_are_written_down_with_their_address_and_never_a_password(world: World) -> None:
    AuditEntry.objects.all().delete()
    client = Client()
    client.post(reverse("login"), {"username": "ines", "password": "wrong-secret"}, REMOTE_ADDR="192.0.2.7")
    client.post(reverse("login"), {"username": PASSWORD, "password": "x"})
    client.post(reverse("login"), {"username": "ines", "password": PASSWORD}, REMOTE_ADDR="192.0.2.8")
    client.post(reverse("logout"))
    rows = list(AuditEntry.objects.order_by("pk").values_list("action", "user", "address"))
    assert rows == [
        (AuditAction.LOGIN_FAILED, world.owner.pk, "192.0.2.7"),
        (AuditAction.LOGIN_FAILED, None, "127.0.0.1"),
        (AuditAction.LOGGED_IN, world.owner.pk, "192.0.2.8"),
        (AuditAction.LOGGED_OUT, world.owner.pk, "127.0.0.1"),
    ]
    stored = str(list(AuditEntry.objects.values()))
    assert PASSWORD not in stored
    assert "wrong-secret" not in stored


def test_the_number_of_queries_does_not_grow_with_the_list(
    busy: World, inside: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(30):
        note(AuditAction.SOURCE_CHANGED, busy.owner, team=busy.team, about="Flights")
    with django_assert_num_queries(10):
        inside.get(reverse("audit"))
