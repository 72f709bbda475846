"""Who may see what: every page against every kind of person, as one table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from dashboard.acting import new_nonce
from dashboard.urls import urlpatterns
from monitoring import invitations
from monitoring import questions as q
from monitoring.channels import aim
from monitoring.models import (
    ActionItem,
    Bulk,
    Carrier,
    Channel,
    Command,
    CommandKind,
    HandoverPlan,
    Incident,
    Invitation,
    MailState,
    Message,
    Note,
    NotificationRule,
    NotifyReason,
    Registration,
    Review,
    ReviewPlan,
    SavedView,
    SettingsChange,
    ShareLink,
    Silence,
    TopicState,
    WorkState,
)
from monitoring.models import Role as TeamRole
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from monitoring.reviews import meeting
from tests.dashboard.world import World
from tests.monitoring.factories import make_incident

OPEN, FOUND, HIDDEN, REFUSED, GOES_ON = 200, 200, 404, 403, 302


@dataclass(frozen=True)
class Row:
    """One page: its name, what it is about, and the answer for owner, read-only member and outsider."""

    name: str
    about: str = ""
    owner: int = FOUND
    reader: int = FOUND
    outsider: int = FOUND
    method: str = "get"


TABLE = (
    Row("fleet"),
    Row("fleet-rows"),
    Row("fleet-choices"),
    Row("state"),
    Row("tv"),
    Row("shares"),
    Row("share-add", "shared tab", reader=REFUSED, outsider=HIDDEN),
    Row("share-revoke", "share", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("blind-spots"),
    Row("blind-spot", "blind spot", outsider=HIDDEN),
    Row("views"),
    Row("view-add", owner=GOES_ON, reader=GOES_ON, outsider=GOES_ON, method="post"),
    Row("view-change", "view", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("view-remove", "view that goes", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    *(Row(tab, "watched", outsider=HIDDEN) for tab in ("overview", "service", "accuracy", "drift", "predictions")),
    Row("batches", "watched", outsider=HIDDEN),
    *(Row(tab, "watched", outsider=HIDDEN) for tab in ("challengers", "jobs", "history")),
    Row("jobs-fleet"),
    Row("note-add", "watched", reader=REFUSED, outsider=HIDDEN),
    Row("note-change", "note", reader=REFUSED, outsider=HIDDEN),
    Row("note-remove", "removable note", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    *(Row(tab, "watched", outsider=HIDDEN) for tab in ("segments", "map", "data")),
    *(Row(tab, "watched", outsider=HIDDEN) for tab in ("fairness", "humility", "custom")),
    Row("settings", "watched", outsider=HIDDEN),
    Row("settings-save", "section", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("settings-alike", "saved setting", reader=REFUSED, outsider=HIDDEN),
    Row("settings-alike-tried", "saved setting", reader=REFUSED, outsider=HIDDEN),
    Row("settings-tried", "section", outsider=HIDDEN, method="post"),
    Row("settings-yaml", "watched", outsider=HIDDEN),
    Row("configuration"),
    Row("policies"),
    Row("policy", "team", reader=REFUSED, outsider=HIDDEN),
    Row("policy-tried", "team", reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("configuration-plan", reader=REFUSED, method="post"),
    Row("configuration-apply", owner=GOES_ON, reader=REFUSED, outsider=GOES_ON, method="post"),
    Row("team-yaml", "team", outsider=HIDDEN),
    Row("settings-proposal", "section", outsider=HIDDEN),
    Row("settings-restore", "changed setting", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("refresh", "watched", owner=GOES_ON, reader=GOES_ON, outsider=HIDDEN, method="post"),
    Row("chart-csv", "chart", outsider=HIDDEN),
    Row("incidents"),
    Row("incident", "incident", outsider=HIDDEN),
    Row("incident-act", "acting", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("incident-act", "reopening", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("silences"),
    Row("silence-add", reader=REFUSED),
    Row("silence-cancel", "silence", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("reviews"),
    Row("review-plan-add", reader=REFUSED),
    Row("review-plan", "plan", reader=REFUSED, outsider=HIDDEN),
    Row("review-open", "plan", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("review", "review", outsider=HIDDEN),
    Row("review-item", "item", outsider=HIDDEN),
    Row("review-agenda", "review", outsider=HIDDEN),
    Row("review-compare", "review", outsider=HIDDEN),
    Row("review-print", "record", outsider=HIDDEN),
    Row("review-record", "record", outsider=HIDDEN),
    Row("review-save", "item", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("review-promise", "item", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    *(
        Row(name, "review", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post")
        for name in ("review-accept", "review-discuss", "review-rebuild", "review-sign")
    ),
    Row("actions"),
    Row("action-change", "action", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("mails"),
    Row("mail", "mail", outsider=HIDDEN),
    Row("mail-body", "mail", outsider=HIDDEN),
    Row("mail-again", "mail", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("glossary"),
    Row("palette"),
    Row("term", "term", owner=GOES_ON, reader=GOES_ON, outsider=GOES_ON),
    Row("register", reader=REFUSED),
    Row("registration", "registration", reader=REFUSED, outsider=HIDDEN),
    Row("registration-state", "registration", reader=REFUSED, outsider=HIDDEN),
    Row("registration-describe", "registration", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("registration-deploy", "registration", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("registration-token", "registration", owner=HIDDEN, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("registration-forget", "dropped", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("watch"),
    Row("sources"),
    Row("source-add", reader=REFUSED),
    Row("source-own", owner=HIDDEN, reader=HIDDEN, outsider=HIDDEN, method="post"),
    Row("source-change", "source", reader=REFUSED, outsider=HIDDEN),
    Row("source-row", "source", outsider=HIDDEN),
    Row("source-remove", "source", reader=REFUSED, outsider=HIDDEN),
    Row("source-test", "source", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("channels"),
    Row("channel-add", reader=REFUSED),
    Row("channel-change", "channel", reader=REFUSED, outsider=HIDDEN),
    Row("channel-test", "channel", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("channel-secret", "channel", reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("channel-remove", "removable", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("rules"),
    Row("rule-add", "team", reader=REFUSED, outsider=HIDDEN),
    Row("rule-change", "rule", reader=REFUSED, outsider=HIDDEN),
    Row("rule-remove", "rule", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("handover"),
    Row("handover-team", "team", outsider=HIDDEN),
    Row("handover-plan", "team", reader=REFUSED, outsider=HIDDEN),
    Row("handover-remove", "shift", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("noise"),
    Row("noise-proposal", "rule of a deployment", outsider=HIDDEN),
    Row("commands", "watched", outsider=HIDDEN),
    Row("manage", "watched", outsider=HIDDEN),
    Row("star", "watched", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("watching", "watched", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("bulk", "chosen"),
    Row("bulk-progress", "bulk", reader=HIDDEN, outsider=HIDDEN),
    Row("act-on", "act", reader=REFUSED, outsider=HIDDEN),
    Row("download", "file", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN),
    Row("act-data", "watched", reader=REFUSED, outsider=HIDDEN),
    Row("act-replace", "check", reader=REFUSED, outsider=HIDDEN),
    Row("command-dismiss", "command", owner=GOES_ON, reader=GOES_ON, outsider=HIDDEN, method="post"),
    Row("command-again", "lost command", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("bell", "watched", owner=GOES_ON, reader=GOES_ON, outsider=HIDDEN, method="post"),
    Row("teams"),
    Row("team-add", owner=FOUND, reader=REFUSED, outsider=FOUND, method="post"),
    Row("team-change", "team", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("team-remove", "team", reader=REFUSED, outsider=HIDDEN),
    Row("invite", "team", reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("invitation-resend", "invitation", reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("invitation-revoke", "gone invitation", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("member-remove", "member", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("audit"),
    Row("audit-csv"),
    Row("tokens"),
    Row("token-revoke", "nobody's", owner=HIDDEN, reader=HIDDEN, outsider=HIDDEN, method="post"),
    Row("setup", owner=GOES_ON, reader=GOES_ON),
    Row("setup-test", reader=HIDDEN, outsider=HIDDEN),
    Row("member-change", "member", owner=GOES_ON, reader=REFUSED, outsider=HIDDEN, method="post"),
    Row("preferences"),
    Row("preferences-test", owner=GOES_ON, reader=GOES_ON, outsider=GOES_ON, method="post"),
    Row("theme", owner=204, reader=204, outsider=204, method="post"),
)
#: Figures travel as data: no browser runs or styles by them.
DATA = re.compile(r'<script[^>]* type="application/json"[^>]*>.*?</script>', re.DOTALL)
PUBLIC = {"shared", "shared-csv", "badge-svg", "badge-json"} | {"login", "logout", "unsubscribe", "act", "join"}


def address(world: World, row: Row) -> str:
    """The address of a row's page in the test's installation; what it is about is made if it is gone."""
    query = f"?kind=deployment&deployment={world.watched().pk}&tab=drift" if row.about == "shared tab" else ""
    query = "?do=star" if row.name == "bulk" else query
    return reverse(row.name, args=_arguments(world)[row.about]()) + query


def hold_all(world: World) -> None:
    """Whatever a page may be about is there from the start, so that every page has much to show."""
    for make in _arguments(world).values():
        make()


def _arguments(world: World) -> dict[str, Callable[[], list[int | str]]]:
    mail = Message.objects.first()
    member = world.team.memberships.get(user=world.owner)
    review, record = Review.objects.filter(state="open").first(), Review.objects.filter(state="signed").first()
    item, action = review.items.first() if review else None, ActionItem.objects.first()
    assert review is not None
    assert record is not None
    assert item is not None
    assert action is not None
    return {
        "": list,
        "term": lambda: ["auc"],
        "registration": lambda: [_registration(world, "Who buys")],
        "dropped": lambda: [_registration(world, "Nobody buys")],
        "watched": lambda: [world.watched().pk],
        "chart": lambda: [world.watched().pk, "accuracy", "main"],
        "mail": lambda: [mail.pk if mail else 0],
        "source": lambda: [world.source.pk],
        "member": lambda: [member.pk],
        "plan": lambda: [review.plan_id],
        "review": lambda: [review.pk],
        "record": lambda: [record.pk],
        "item": lambda: [review.pk, item.pk],
        "action": lambda: [action.pk],
        "incident": lambda: [_incident(world)],
        "acting": lambda: [_incident(world), "acknowledge"],
        "reopening": lambda: [_incident(world), "reopen"],
        "silence": lambda: [_silence(world)],
        "note": lambda: [_note(world, "stays")],
        "removable note": lambda: [_note(world, "gone soon")],
        "team": lambda: [world.team.pk],
        "section": lambda: [world.watched().pk, "drift"],
        "saved setting": lambda: _command(world, CommandKind.HEALTH_SETTINGS),
        "changed setting": lambda: [world.watched().pk, _changed(world)],
        "rule of a deployment": lambda: [world.watched().pk, "drift"],
        "rule": lambda: [NotificationRule.objects.get_or_create(team=world.team, name="Nights")[0].pk],
        "shift": lambda: [HandoverPlan.objects.get_or_create(team=world.team, name="Morning")[0].pk],
        "command": lambda: _command(world),
        "lost command": lambda: _command(world),
        "act": lambda: [world.watched().pk, "deactivate"],
        "file": lambda: [world.watched().pk, "predictions", _file(world)],
        "chosen": list,
        "bulk": lambda: [_bulk(world)],
        "check": lambda: _command(world, CommandKind.MODEL_CHECK),
        "channel": lambda: [_channel(world, "hook")],
        "nobody's": lambda: [0],
        "invitation": lambda: [_invitation(world, "ada@example.org")],
        "gone invitation": lambda: [_invitation(world, "bob@example.org")],
        "removable": lambda: [_channel(world, "gone soon")],
        "shared tab": list,
        "share": lambda: [_share(world)],
        "blind spot": lambda: [world.watched().pk, "fairness"],
        "view": lambda: [_view(world, "Risky")],
        "view that goes": lambda: [_view(world, "Gone soon")],
    }


def _share(world: World) -> int:
    end = {"created_at": world.now, "expires_at": world.now + timedelta(days=1)}
    made, _ = ShareLink.objects.get_or_create(
        team=world.team, kind="fleet", name="the board", digest="0" * 64, defaults=end
    )
    return made.pk


def _note(world: World, text: str) -> int:
    values = {"at": world.now, "written_at": world.now, "author": world.owner}
    return Note.objects.get_or_create(watched=world.watched(), text=text, defaults=values)[0].pk


def _bulk(world: World) -> int:
    return Bulk.objects.get_or_create(user=world.owner, act="star", nonce="walked", defaults={"at": world.now})[0].pk


def _command(world: World, kind: CommandKind = CommandKind.DETAILS) -> list[int | str]:
    made, _ = Command.objects.get_or_create(
        source=world.source,
        watched=world.watched(),
        kind=kind,
        state=WorkState.FAILED,
        defaults={"asked_at": world.now, "finished_at": world.now, "asked_by": world.owner},
    )
    return [world.watched().pk, made.pk]


def _file(world: World) -> str:
    """A file that the source told of; who may have it is led on, since nobody answers at its address."""
    export = {"id": "e1", "status": "SUCCEEDED", "data": [{"id": "d1", "name": "rows.csv"}]}
    asked = ask_of((q.prediction_exports(),), None)
    save([Outcome(world.watched().pk, asked, TopicState.OK, {"data": [export]})], now=timezone.now(), lags={})
    return "d1"


def _changed(world: World) -> int:
    """A change whose former value stands there again."""
    values = {"kind": "health_settings", "path": "dataDrift.driftThreshold", "before": 0.15, "after": 0.2}
    return SettingsChange.objects.get_or_create(watched=world.watched(), seen_at=world.now, defaults=values)[0].pk


def _registration(world: World, name: str) -> int:
    """A model whose columns wait to be described."""
    column = {"name": "late", "kind": "Numeric", "distinct": 2, "missing": 0, "unique": False, "examples": ["0", "1"]}
    made, _ = Registration.objects.get_or_create(
        source=world.source,
        name=name,
        defaults={
            "asked_at": world.now,
            "columns": [{**column, "values": ["0", "1"]}],
            "files": {"training": {"name": "training.csv", "path": "", "bytes": 1}},
            "spec": {"target": {"name": "late", "type": "Binary", "classNames": ["0", "1"]}, "features": []},
        },
    )
    return made.pk


def _channel(world: World, name: str) -> int:
    channel = Channel.objects.filter(team=world.team, name=name).first() or Channel(team=world.team, name=name)
    channel.carrier = Carrier.WEBHOOK
    aim(channel, "https://example.org/hook")
    channel.save()
    return channel.pk


def _view(world: World, name: str) -> int:
    when = {"defaults": {"created_at": world.now}}
    return SavedView.objects.get_or_create(team=world.team, name=name, **when)[0].pk


@pytest.fixture
def mailed(world: World) -> World:
    """The installation with one mail in its list."""
    hold_mail(world)
    hold_reviews(world)
    hold_all(world)
    return world


def hold_mail(world: World) -> None:
    """One mail about a deployment."""
    Message.objects.create(
        team=world.team,
        user=world.owner,
        watched=world.watched(),
        why=NotifyReason.OPENED,
        recipient="ines@example.org",
        subject="[FAILING] Flight delayed",
        text="Pressure has drifted.",
        html='<p>Pressure has drifted.</p><img src="cid:chart">',
        pictures={"chart": "iVBORw0KGgo="},
        message_id="<1@vitals>",
        state=MailState.KEPT,
        created_at=world.now,
        not_before=world.now,
    )


def _incident(world: World) -> int:
    made = Incident.objects.filter(watched=world.watched(), area="service").first() or make_incident(
        world.watched(), area="service"
    )
    return made.pk


def _invitation(world: World, email: str) -> int:
    open_one = Invitation.objects.filter(team=world.team, email=email, revoked_at=None).first()
    return (open_one or invitations.invite(world.team, email, TeamRole.MEMBER, world.owner, world.now)[0]).pk


def _silence(world: World) -> int:
    until = world.now + timedelta(days=1)
    made, _ = Silence.objects.get_or_create(
        team=world.team, reason="storm", defaults={"starts_at": world.now, "ends_at": until, "created_at": world.now}
    )
    return made.pk


def hold_reviews(world: World) -> None:
    """A signed review, and an open one in which a verdict was given and something was promised."""
    plan = ReviewPlan.objects.create(
        team=world.team, name="Weekly review", starts_on=world.now.date(), created_at=world.now
    )
    first = meeting.open_review(plan, world.owner, world.now)
    for item in first.items.all():
        meeting.decide(item, world.owner, 0, "act", "", world.now)
    meeting.accept_calm(first)
    meeting.sign(first, world.owner, world.now)
    second = meeting.open_review(plan, world.owner, world.now)
    item = second.items.all()[0]
    meeting.decide(item, world.owner, 0, "act", "", world.now)
    meeting.promise(second, item, "Retrain", world.owner, world.now.date(), world.owner, world.now)


def test_the_table_names_every_page() -> None:
    assert {p.name for p in urlpatterns} == {row.name for row in TABLE} | PUBLIC


def test_each_person_gets_what_the_table_says(mailed: World) -> None:
    people = {"owner": mailed.owner, "reader": mailed.reader, "outsider": mailed.outsider}
    for role, user in people.items():
        client = Client()
        client.force_login(user)
        for row in TABLE:
            form = {"nonce": new_nonce(user)} if row.method == "post" else {}
            response = getattr(client, row.method)(address(mailed, row), form)
            assert response.status_code == getattr(row, role), f"{role} at {row.name}"


def test_nobody_sees_anything_without_logging_in(mailed: World, client: Client) -> None:
    for row in TABLE:
        url = address(mailed, row)
        response = getattr(client, row.method)(url)
        assert response.status_code == 302, row.name
        assert response["Location"].startswith("/login/?next="), row.name


def test_the_fleet_of_an_outsider_names_nothing_of_another_team(world: World, client: Client) -> None:
    client.force_login(world.outsider)
    for name in ("fleet", "watch", "sources", "mails", "teams"):
        page = client.get(reverse(name)).content.decode()
        assert "Flight delayed" not in page
        assert "Flight ops" not in page
        assert "flights.example" not in page


def test_a_form_without_its_token_is_refused(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.owner)
    assert client.post(reverse("source-test", args=[world.source.pk])).status_code == 403


def test_pages_are_kept_out_of_caches_and_say_what_may_run(inside: Client) -> None:
    response = inside.get("/")
    assert "no-store" in response["Cache-Control"]
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy


def test_no_page_has_an_inline_script_style_or_handler(mailed: World, client: Client) -> None:
    client.force_login(mailed.owner)
    for row in TABLE:
        if row.method != "get" or row.name in {"chart-csv", "mail-body", "review-record", "audit-csv", "state"}:
            continue
        page = DATA.sub("", client.get(address(mailed, row)).content.decode())
        assert " style=" not in page, row.name
        assert " onclick=" not in page, row.name
        assert "javascript:" not in page, row.name
        assert "https://cdn" not in page, row.name
        assert page.count("<script>") == 0, row.name


def test_every_address_ends_in_a_slash_or_is_a_file() -> None:
    routes = [str(p.pattern) for p in get_resolver("dashboard.urls").url_patterns]
    assert all(route == "" or route.endswith(("/", ".csv", ".json", ".svg", ".yaml")) for route in routes)
