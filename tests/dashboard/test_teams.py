"""Teams in the browser: founded, renamed, deleted; members invited, changed, removed; never without an owner."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core import mail as outbox
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from dashboard.views.invitations import NewAccountForm
from deployments.models import ApiToken
from monitoring import teams
from monitoring.mail import send_due
from monitoring.mail.carriers.sealed import opened
from monitoring.models import (
    AuditAction,
    AuditEntry,
    Invitation,
    Membership,
    Message,
    ReviewPlan,
    Role,
    Team,
    Watched,
)
from monitoring.retention import prune
from tests.dashboard.test_access import hold_reviews
from tests.dashboard.world import PASSWORD, World

NEW = {"username": "ada", "password": "nine owls in a barn"}


def invite(world: World, client: Client, email: str = "ada@example.org", role: str = "member") -> str:
    """The path of the link that the owner is shown; "" where the mail carries it."""
    page = client.post(reverse("invite", args=[world.team.pk]), {"email": email, "role": role}).content.decode()
    found = re.search(rf'id="fresh-link">{re.escape(django_settings.PUBLIC_URL)}([^<]+)<', page)
    return found[1] if found is not None else ""


def invited(world: World, client: Client, email: str = "ada@example.org", role: str = "member") -> str:
    path = invite(world, client, email, role)
    assert path
    return path


def actions() -> list[str]:
    entries = AuditEntry.objects.exclude(action__in=[AuditAction.LOGGED_IN, AuditAction.LOGGED_OUT])
    return list(entries.order_by("pk").values_list("action", flat=True))


def test_the_link_stands_nowhere_in_the_clear_and_is_forgotten_once_sent(
    world: World, inside: Client, settings: Settings
) -> None:
    settings.MAIL_IS_SENT = True
    assert invite(world, inside) == ""
    row = Message.objects.get(why="invited")
    stored = f"{row.text} {row.html} {row.subject} {row.headers} {row.payload} {row.message_id}"
    assert re.findall(r"/join/[^\s\"<]+", stored) == ["/join/…/"] * 2
    nonce = Invitation.objects.get().nonce
    assert nonce not in f"{stored} {bytes(row.link_encrypted or b'')!r}"
    page = inside.get(reverse("mail-body", args=[row.pk])).content.decode()
    assert re.findall(r"/join/[^\s\"<]+", page) == ["/join/…/"]
    assert send_due(timezone.now()) == 1
    (sent,) = outbox.outbox
    link = re.search(r"https?://[^/]+(/join/[^\s]+)", str(sent.body))
    assert link is not None
    assert link[0] in str(sent.message())
    assert "Join Flight ops" in Client().get(link[1]).content.decode()
    row.refresh_from_db()
    assert (row.state, row.link_encrypted) == ("sent", None)


def test_a_link_that_ended_before_its_mail_could_be_sent_is_not_sent(
    world: World, inside: Client, settings: Settings
) -> None:
    settings.MAIL_IS_SENT = True
    invite(world, inside)
    later = timezone.now() + timedelta(days=7, minutes=1)
    send_due(later)
    row = Message.objects.get(why="invited")
    assert (row.state, outbox.outbox) == ("failed", [])
    assert "ended" in row.problem
    prune(later)
    row.refresh_from_db()
    assert row.link_encrypted is None


def test_links_that_stood_in_the_clear_are_sealed_where_they_are_still_to_be_sent(world: World) -> None:
    migration = import_module("monitoring.migrations.0031_seal_invitations")
    link = "https://vitals.example/join/WzEsInNlY3JldCJd:1abc:XyZ_-/"
    texts = {"text": f"Accept: {link}\n", "html": f'<a href="{link}">Accept</a>', "why": "invited"}
    when = {"team": world.team, "created_at": world.now, "not_before": world.now}
    for state in ("pending", "sent", "kept"):
        Message.objects.create(**texts, **when, state=state, message_id=state, recipient="a@example.org", subject="x")
    migration.seal(apps, None)
    for row in Message.objects.filter(why="invited"):
        assert (row.text, row.html) == (
            "Accept: https://vitals.example/join/…/\n",
            '<a href="https://vitals.example/join/…/">Accept</a>',
        )
        assert (row.link_encrypted is not None) is (row.state == "pending")
    assert opened(Message.objects.get(state="pending"), world.now) == (texts["text"], texts["html"])


def test_an_invited_person_makes_an_account_and_is_in(world: World, inside: Client) -> None:
    path = invited(world, inside, role="manager")
    mail = Message.objects.get(why="invited")
    assert mail.recipient == "ada@example.org"
    assert [path in body for body in (mail.text, mail.html)] == [False, False]
    assert [path in body for body in opened(mail, timezone.now())] == [True, True]
    guest = Client()
    assert "Join Flight ops" in guest.get(path).content.decode()
    assert not User.objects.filter(username="ada").exists()
    assert guest.post(path, NEW)["Location"] == "/"
    ada = User.objects.get(username="ada")
    assert ada.email == "ada@example.org"
    assert Membership.objects.get(user=ada, team=world.team).role == Role.MANAGER
    assert guest.get("/").status_code == 200
    assert actions() == [AuditAction.MEMBER_INVITED, AuditAction.MEMBER_JOINED]


def test_a_link_works_once(world: World, inside: Client) -> None:
    path = invited(world, inside)
    Client().post(path, NEW)
    assert Client().get(path).status_code == 404
    assert Client().post(path, {**NEW, "username": "bob"}).status_code == 404
    assert not User.objects.filter(username="bob").exists()


def test_an_account_that_is_there_joins_after_logging_in(world: World, inside: Client) -> None:
    path = invited(world, inside, email="eve@example.org")
    guest = Client()
    page = guest.get(path).content.decode()
    assert "Log in and join" in page
    assert 'name="password"' not in page
    guest.post(path, NEW)
    assert not User.objects.filter(username="ada").exists()
    at_login = guest.post(reverse("login"), {"username": "eve", "password": PASSWORD, "next": path})
    assert at_login["Location"] == path
    guest.post(path)
    assert Membership.objects.filter(user=world.outsider, team=world.team, role=Role.MEMBER).exists()


def test_a_member_never_becomes_less_by_an_invitation(world: World, inside: Client) -> None:
    path = invited(world, inside, role="readonly")
    inside.post(path)
    assert Membership.objects.get(user=world.owner, team=world.team).role == Role.OWNER


@pytest.mark.parametrize("end", ["expired", "revoked", "resent", "forged"])
def test_a_link_that_ended_opens_nothing(world: World, inside: Client, end: str) -> None:
    path = invited(world, inside)
    row = Invitation.objects.get()
    if end == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif end == "forged":
        path = path.replace("/join/", "/join/x")
    else:
        name = "invitation-revoke" if end == "revoked" else "invitation-resend"
        inside.post(reverse(name, args=[row.pk]))
    assert Client().get(path).status_code == 404
    assert Client().post(path, NEW).status_code == 404
    assert not User.objects.filter(username="ada").exists()


def test_a_resent_link_opens_the_team_for_another_week(world: World, inside: Client) -> None:
    invited(world, inside)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    inside.post(reverse("invitation-resend", args=[Invitation.objects.get().pk]))
    newest = Message.objects.filter(why="invited").order_by("-pk")[0]
    link = re.search(r"(/join/[^/]+/)", opened(newest, timezone.now())[0])
    assert link is not None
    assert Client().post(link[1], NEW)["Location"] == "/"


def test_other_members_do_not_read_the_link_in_the_list_of_mail(world: World, inside: Client) -> None:
    path = invited(world, inside, role="owner")
    reader = Client()
    reader.force_login(world.reader)
    mail = Message.objects.get(why="invited")
    for name in ("mail", "mail-body"):
        assert path not in reader.get(reverse(name, args=[mail.pk])).content.decode()


@pytest.mark.parametrize("email", ["tomas@example.org", "TOMAS@example.org", "nowhere", ""])
def test_members_and_what_is_no_address_are_not_invited(world: World, inside: Client, email: str) -> None:
    page = inside.post(reverse("invite", args=[world.team.pk]), {"email": email, "role": "member"})
    assert page.status_code == 200
    assert "errorlist" in page.content.decode()
    assert not Invitation.objects.exists()


def test_the_same_person_is_not_invited_twice_at_once(world: World, inside: Client) -> None:
    invited(world, inside)
    page = inside.post(reverse("invite", args=[world.team.pk]), {"email": "ADA@example.org", "role": "member"})
    assert "invited already" in page.content.decode()
    Invitation.objects.update(expires_at=timezone.now())
    invited(world, inside)


def test_inviting_is_slowed_down(world: World, inside: Client) -> None:
    for number in range(django_settings.RATE_LIMIT_INVITE):
        invited(world, inside, email=f"p{number}@example.org")
    page = inside.post(reverse("invite", args=[world.team.pk]), {"email": "last@example.org", "role": "member"})
    assert "Too many attempts" in page.content.decode()
    assert not Invitation.objects.filter(email="last@example.org").exists()


def test_trying_links_is_slowed_down(world: World, client: Client) -> None:
    for number in range(django_settings.RATE_LIMIT_LOGIN):
        assert client.get(f"/join/x{number}/").status_code == 404
    assert client.get("/join/another/").status_code == 429


def test_an_owner_takes_a_member_out(world: World, inside: Client) -> None:
    member = Membership.objects.get(user=world.reader)
    inside.post(reverse("member-remove", args=[member.pk]))
    assert not Membership.objects.filter(user=world.reader).exists()
    assert User.objects.filter(pk=world.reader.pk).exists()
    assert actions() == [AuditAction.MEMBER_REMOVED]


def test_a_member_leaves(world: World, client: Client) -> None:
    client.force_login(world.reader)
    client.post(reverse("member-remove", args=[Membership.objects.get(user=world.reader).pk]))
    assert not Membership.objects.filter(user=world.reader).exists()
    assert actions() == [AuditAction.MEMBER_LEFT]


def test_the_last_owner_stays(world: World, inside: Client) -> None:
    own = Membership.objects.get(user=world.owner)
    page = inside.post(reverse("member-remove", args=[own.pk]), follow=True).content.decode()
    assert "keeps at least one owner" in page
    inside.post(reverse("member-change", args=[own.pk]), {"role": "member"})
    own.refresh_from_db()
    assert own.role == Role.OWNER
    Membership.objects.filter(user=world.reader).update(role=Role.OWNER)
    inside.post(reverse("member-remove", args=[own.pk]))
    assert not Membership.objects.filter(pk=own.pk).exists()


def test_a_change_of_role_is_written_down_with_before_and_after(world: World, inside: Client) -> None:
    member = Membership.objects.get(user=world.reader)
    inside.post(reverse("member-change", args=[member.pk]), {"role": "manager", "wants_mail": "on"})
    entry = AuditEntry.objects.exclude(action=AuditAction.LOGGED_IN).get()
    assert (entry.action, entry.about, entry.actor) == (AuditAction.MEMBER_CHANGED, "Tomas", "Ines")
    assert entry.detail == {"before": "readonly", "after": "manager"}


def test_a_team_is_founded_by_who_may(world: World, inside: Client) -> None:
    inside.post(reverse("team-add"), {"name": "Night shift"})
    team = Team.objects.get(name="Night shift")
    assert Membership.objects.get(team=team).user == world.owner
    page = inside.post(reverse("team-add"), {"name": "night SHIFT"}).content.decode()
    assert "There is a team of this name already" in page
    assert Team.objects.count() == 3


def test_a_team_is_renamed_unless_the_name_is_taken(world: World, inside: Client) -> None:
    url = reverse("team-change", args=[world.team.pk])
    page = inside.post(url, {"name": "somebody ELSE"}, follow=True).content.decode()
    assert "There is a team called" in page
    inside.post(url, {"name": "Flight operations"})
    world.team.refresh_from_db()
    assert world.team.name == "Flight operations"


def test_a_team_goes_with_all_that_is_its_own_once_its_name_is_typed(world: World, inside: Client) -> None:
    hold_reviews(world)
    url = reverse("team-remove", args=[world.team.pk])
    assert "1 signed review." in inside.get(url).content.decode()
    assert "nothing was deleted" in inside.post(url, {"name": "flight ops"}).content.decode()
    assert inside.post(url, {"name": "Flight ops"}).status_code == 302
    assert not Team.objects.filter(pk=world.team.pk).exists()
    assert not Watched.objects.exists()
    assert not ReviewPlan.objects.exists()
    entry = AuditEntry.objects.get(action=AuditAction.TEAM_DELETED)
    assert (entry.team, entry.about) == (None, "Flight ops")
    assert entry.detail["deployments"] > 0


def test_the_page_asks_the_same_number_of_queries_whatever_the_team(world: World, inside: Client) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            inside.get(reverse("teams"))
        return len(found)

    invited(world, inside, email="one@example.org")
    before = queries()
    for number in range(5):
        user = User.objects.create_user(f"more{number}")
        Membership.objects.create(team=world.team, user=user)
        invited(world, inside, email=f"{number}@example.org")
    assert queries() == before


def test_a_name_that_is_taken_in_the_same_moment_is_told(
    world: World, inside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = teams.change

    def late(team: Team, by: User, **more: Any) -> None:
        Team.objects.create(name=more["name"])
        change(team, by, **more)

    monkeypatch.setattr(teams, "change", late)
    page = inside.post(reverse("team-change", args=[world.team.pk]), {"name": "Quick"}, follow=True)
    assert "There is a team called Quick already." in page.content.decode()


def test_a_user_name_that_is_taken_in_the_same_moment_is_told(
    world: World, inside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = invited(world, inside)
    monkeypatch.setattr(NewAccountForm, "clean_username", lambda form: form.cleaned_data["username"])
    page = Client().post(link, {"username": "ines", "password": PASSWORD})
    assert page.status_code == 200
    assert page.context["form"].errors["username"] == ["Somebody has this user name already."]
    assert not Membership.objects.filter(user__email="ada@example.org").exists()


def test_a_team_takes_the_token_of_its_watcher_along(world: World, inside: Client) -> None:
    inside.post(reverse("source-own"), {"team": world.team.pk})
    assert ApiToken.objects.exists()
    inside.post(reverse("team-remove", args=[world.team.pk]), {"name": world.team.name})
    assert not ApiToken.objects.exists()
