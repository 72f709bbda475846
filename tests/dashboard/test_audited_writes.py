"""Every form of the pages leaves a line in the audit list, or stands below with the reason why it leaves none."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboard.acting import new_nonce
from dashboard.urls import urlpatterns
from deployments.models import ApiToken
from monitoring import invitations
from monitoring.mail import Addressee, links
from monitoring.models import (
    AlertPolicy,
    AuditAction,
    AuditEntry,
    Command,
    IncidentNotice,
    Membership,
    Message,
    NoticeKind,
    Registration,
    RegistrationStep,
    Review,
    Role,
    Severity,
    Source,
    Status,
    WorkState,
)
from monitoring.reviews import meeting
from tests.dashboard import test_access as walk
from tests.dashboard.hidden import carried
from tests.dashboard.test_hearing import preferences, rule_form
from tests.dashboard.test_incidents import values as silence_form
from tests.dashboard.world import World, person
from tests.monitoring.factories import make_incident

A = AuditAction
#: Forms that store nothing, or nothing that anybody would ask about.
UNAUDITED = {
    "theme": "light or dark on the own screen",
    "star": "a mark that only its owner sees, and that changes nothing else",
    "refresh": "asks the source sooner what it is asked anyway",
    "settings-tried": "replays the past; stores nothing",
    "policy-tried": "replays the past; stores nothing",
    "configuration-plan": "shows what a document would change; stores nothing",
    "review-save": "saved at every pause in typing; the item names who and when, and the signed record freezes it",
}
#: Forms whose only way to store anything is a command, which writes the line itself; `act-on` below shows it.
BY_COMMAND = {"act-data", "act-replace", "settings-save", "settings-restore", "settings-alike", "configuration-apply"}
ASKS = ("act_on(", "ask_for(", "bulk.run(")
#: Forms for people who are not inside yet; tests of their own show the line.
ELSEWHERE = {
    "setup": ("test_setup", A.SETUP),
    "login": ("test_audit", A.LOGGED_IN),
    "logout": ("test_audit", A.LOGGED_OUT),
}


def views() -> dict[str, Callable[..., Any]]:
    return {str(one.name): inspect.unwrap(one.callback) for one in urlpatterns}


def taking_forms() -> set[str]:
    """The names of the views that look at what is posted."""
    return {name for name, view in views().items() if "POST" in inspect.getsource(view)}


# --- What is posted -----------------------------------------------------------------------------------------------


def policy_form() -> dict[str, object]:
    """The form of the default policy with one value changed."""
    policy = AlertPolicy()
    names = [field.name for field in AlertPolicy._meta.get_fields() if hasattr(policy, field.name)]
    given = {name: getattr(policy, name) for name in names if name not in {"id", "team", "areas"}}
    return {name: value for name, value in given.items() if value is not False} | {"escalate_minutes": "45"}


def _link(world: World) -> str:
    """The path of an Acknowledge button in a mail to the owner."""
    member = Membership.objects.get(user=world.owner, team=world.team)
    row = make_incident(world.watched(), area="custom_metrics")
    notice = IncidentNotice.objects.create(
        incident=row, kind=NoticeKind.OPENED, key="walk", at=world.now, status=Status.FAILING, severity=Severity.HIGH
    )
    return "/act/" + links.link_to(links.Act.ACKNOWLEDGE, Addressee(member=member), notice).rsplit("/", 2)[1] + "/"


def _failed(world: World) -> str:
    mail = Message.objects.filter(team=world.team).first()
    assert mail is not None
    Message.objects.filter(pk=mail.pk).update(state="failed")
    return reverse("mail-again", args=[mail.pk])


def _registered(world: World, step: RegistrationStep, name: str) -> str:
    pk = walk._registration(world, f"{name} {step}")
    Registration.objects.filter(pk=pk).update(step=step, results={"deploymentId": "d1"})
    return reverse(name, args=[pk])


def _token(world: World) -> str:
    Source.objects.filter(pk=world.source.pk).update(built_in=True)
    return _registered(world, RegistrationStep.DONE, "registration-token")


def _dismissible(world: World) -> str:
    command = Command.objects.create(
        source=world.source,
        watched=world.watched(),
        kind="details",
        state=WorkState.FAILED,
        asked_at=world.now,
        finished_at=world.now,
    )
    return reverse("command-dismiss", args=[world.watched().pk, command.pk])


def _discussed(world: World) -> dict[str, object]:
    """A deployment that is held to be calm."""
    review = Review.objects.get(state="open")
    item = review.items.latest("position")
    Review.objects.filter(pk=review.pk).update(calm=[{"id": item.watched_id}])
    item.delete()
    return {"watched": item.watched_id}


def _signable(world: World) -> str:
    review = Review.objects.get(state="open")
    for item in review.items.filter(verdict=""):
        meeting.decide(item, world.owner, item.version, "act", "", world.now)
    meeting.accept_calm(review)
    return reverse("review-sign", args=[review.pk])


def _openable(world: World) -> str:
    _signable(world)
    review = Review.objects.get(state="open")
    meeting.sign(review, world.owner, world.now)
    return reverse("review-open", args=[review.plan_id])


def _revocable(world: World) -> str:
    client = Client()
    client.force_login(world.owner)
    client.post(reverse("tokens"), {"name": "Nightly", "scope": "write", "days": ""})
    return reverse("token-revoke", args=[ApiToken.objects.latest("pk").pk])


def _shown(world: World, name: str) -> dict[str, str]:
    """What the form at the address carries."""
    client = Client()
    client.force_login(world.owner)
    return carried(client, _address(world, name))


def _joining(world: World) -> str:
    _, link = invitations.invite(world.team, "eve@example.org", Role.MEMBER, world.owner, timezone.now())
    return "/join/" + link.rsplit("/", 2)[1] + "/"


def _goes(world: World) -> Membership:
    return Membership.objects.get(user=person("leo", world.team))


def _plan() -> dict[str, object]:
    fields = {"name": "Monthly", "cadence": "weekly", "weekday": "3", "at": "09:30", "time_zone": "Europe/Berlin"}
    return fields | {"starts_on": "2026-01-01", "importances": ["HIGH"], "active": "on"}


def _tomorrow(world: World) -> str:
    return (world.now.date() + timedelta(days=2)).isoformat()


Where = Callable[[World], str]
What = Callable[[World], dict[str, Any]]
CHANNEL = {"carrier": "webhook", "name": "On call", "target": "https://hooks.example.org/s3cret", "time_zone": "UTC"}
CSV = b"age,bought\n1,yes\n2,no\n3,yes\n"
DEEDS: dict[str, tuple[AuditAction, What | dict[str, Any], Where | None]] = {
    "act": (A.INCIDENT_ACKNOWLEDGED, {}, _link),
    "act-on": (A.CHANGE_ASKED, lambda w: _shown(w, "act-on"), None),
    "action-change": (A.ACTION_CHANGED, {"state": "done"}, None),
    "bell": (A.HEARING_CHANGED, {}, None),
    "bulk": (
        A.SILENCED,
        lambda w: {"picked": [w.watched().pk], "reason": "storm", "hours": "4", "until": f"{_tomorrow(w)}T10:00"},
        lambda w: reverse("bulk") + "?do=silence",
    ),
    "channel-add": (A.CHANNEL_ADDED, lambda w: {**CHANNEL, "team": w.team.pk}, None),
    "channel-change": (A.CHANNEL_CHANGED, {**CHANNEL, "name": "hook", "off": "1"}, None),
    "channel-remove": (A.CHANNEL_REMOVED, {}, None),
    "channel-secret": (A.CHANNEL_SECRET, {}, None),
    "channel-test": (A.TEST_SENT, {}, None),
    "command-again": (A.CHANGE_DISMISSED, {}, None),
    "command-dismiss": (A.CHANGE_DISMISSED, {}, _dismissible),
    "handover": (
        A.HANDED_OVER,
        lambda w: {"members": [w.team.memberships.get(user=w.owner).pk], "note": "Calm."},
        None,
    ),
    "handover-team": (
        A.HANDED_OVER,
        lambda w: {"members": [w.team.memberships.get(user=w.owner).pk], "note": "Calm."},
        None,
    ),
    "handover-plan": (
        A.SHIFT_PLANNED,
        lambda w: {"name": "Evening", "at": "20:00", "time_zone": "UTC", "members": [w.team.memberships.all()[0].pk]},
        None,
    ),
    "handover-remove": (A.SHIFT_REMOVED, {}, None),
    "incident-act": (A.INCIDENT_ACKNOWLEDGED, {}, None),
    "invitation-resend": (A.INVITATION_RESENT, {}, None),
    "invitation-revoke": (A.INVITATION_REVOKED, {}, None),
    "invite": (A.MEMBER_INVITED, {"email": "new@example.org", "role": "member"}, None),
    "join": (A.MEMBER_JOINED, {}, _joining),
    "mail-again": (A.MAIL_REPEATED, {}, _failed),
    "member-change": (A.HEARING_CHANGED, {"role": "owner"}, None),
    "member-remove": (A.MEMBER_REMOVED, {}, lambda w: reverse("member-remove", args=[_goes(w).pk])),
    "note-add": (A.NOTE_WRITTEN, {"text": "The feed moved."}, None),
    "note-change": (A.NOTE_CHANGED, {"text": "The feed moved back."}, None),
    "note-remove": (A.NOTE_REMOVED, {}, None),
    "policy": (A.POLICY_CHANGED, lambda w: policy_form(), None),
    "preferences": (A.HEARING_CHANGED, lambda w: preferences(w), None),
    "preferences-test": (A.TEST_SENT, {}, None),
    "register": (
        A.MODEL_BEGUN,
        lambda w: {"source": w.source.pk, "name": "Who pays", "training": SimpleUploadedFile("training.csv", CSV)},
        None,
    ),
    "registration-deploy": (
        A.MODEL_DEPLOYED,
        {"label": "Buyers", "importance": "HIGH"},
        lambda w: _registered(w, RegistrationStep.READY, "registration-deploy"),
    ),
    "registration-describe": (A.MODEL_DESCRIBED, {"target": "late", "target_type": "Binary"}, None),
    "registration-forget": (A.MODEL_DROPPED, {}, None),
    "registration-token": (A.TOKEN_CREATED, {}, _token),
    "review-accept": (A.REVIEW_ACCEPTED, {}, None),
    "review-discuss": (A.REVIEW_TAKEN_UP, _discussed, None),
    "review-open": (A.REVIEW_OPENED, {}, _openable),
    "review-plan": (A.REVIEW_REPLANNED, lambda w: _plan(), None),
    "review-plan-add": (A.REVIEW_PLANNED, lambda w: {**_plan(), "team": w.team.pk}, None),
    "review-promise": (
        A.ACTION_PROMISED,
        lambda w: {"text": "Retrain", "owner": w.owner.pk, "due_on": _tomorrow(w)},
        None,
    ),
    "review-rebuild": (A.REVIEW_REBUILT, {}, None),
    "review-sign": (A.REVIEW_SIGNED, {}, _signable),
    "rule-add": (A.RULE_ADDED, rule_form(), None),
    "rule-change": (A.RULE_CHANGED, rule_form(), None),
    "rule-remove": (A.RULE_REMOVED, {}, None),
    "setup-test": (A.SOURCE_TESTED, {}, None),
    "share-add": (A.SHARE_CREATED, lambda w: {"kind": "fleet", "name": "the board", "days": "7"}, None),
    "share-revoke": (A.SHARE_REVOKED, {}, None),
    "silence-add": (A.SILENCED, lambda w: silence_form(w, watched=w.watched().pk), None),
    "silence-cancel": (A.SILENCE_ENDED, {}, None),
    "source-add": (
        A.SOURCE_ADDED,
        lambda w: {"team": w.team.pk, "name": "Far", "base_url": "https://far.example/api/v2", "token": "t0ken"},
        None,
    ),
    "source-change": (
        A.SOURCE_CHANGED,
        lambda w: {"name": "Flights II", "base_url": w.source.base_url, "token": "n3w"},
        None,
    ),
    "source-own": (A.SOURCE_ADDED, lambda w: {"team": w.team.pk}, None),
    "source-remove": (A.SOURCE_REMOVED, lambda w: {"name": w.source.name}, None),
    "source-test": (A.SOURCE_TESTED, {}, None),
    "team-add": (A.TEAM_CREATED, {"name": "Night shift"}, None),
    "team-change": (A.TEAM_CHANGED, {"name": "Flight operations"}, None),
    "team-remove": (A.TEAM_DELETED, lambda w: {"name": w.team.name}, None),
    "token-revoke": (A.TOKEN_REVOKED, {}, _revocable),
    "tokens": (A.TOKEN_CREATED, {"name": "Nightly", "scope": "write", "days": ""}, None),
    "unsubscribe": (
        A.HEARING_CHANGED,
        {},
        lambda w: reverse("unsubscribe", args=[w.team.memberships.get(user=w.owner).mail_token]),
    ),
    "view-add": (A.VIEW_SAVED, lambda w: {"name": "Mine", "query": "q=flight", "owner": w.team.pk}, None),
    "view-change": (A.VIEW_RENAMED, {"name": "Most risky"}, None),
    "view-remove": (A.VIEW_REMOVED, {}, None),
    "watching": (A.LEFT_OUT, {"reason": "Being retired"}, None),
}
LOGS_IN_AS = {"join": "outsider"}


def test_every_form_is_audited_or_has_its_reason() -> None:
    assert taking_forms() == {*DEEDS, *UNAUDITED, *BY_COMMAND, *ELSEWHERE}
    assert len(DEEDS) + len(UNAUDITED) + len(BY_COMMAND) + len(ELSEWHERE) == len(taking_forms())


def test_forms_that_only_ask_a_source_do_ask_it_by_a_command() -> None:
    for name in BY_COMMAND:
        module = inspect.getsource(inspect.getmodule(views()[name]))  # type: ignore[arg-type]
        assert any(ask in module for ask in ASKS), name


def test_forms_from_outside_are_shown_to_be_audited_by_tests_of_their_own() -> None:
    for name, (module, action) in ELSEWHERE.items():
        with open(inspect.getfile(walk).replace("test_access", module), encoding="utf-8") as source:
            assert f"AuditAction.{action.name}" in source.read(), name


def test_every_form_writes_down_who_did_what(world: World) -> None:
    walk.hold_mail(world)
    walk.hold_reviews(world)
    walk.hold_all(world)
    silent = {}
    for name in DEEDS:
        with transaction.atomic():  # each is done in the same installation, and undone
            told = _silence_of(world, name)
            transaction.set_rollback(True)
        if told:
            silent[name] = told
    assert not silent


def _silence_of(world: World, name: str) -> str:
    """What happened instead of a line by the person who did it; "" where there is one."""
    action, given, where = DEEDS[name]
    user = getattr(world, LOGS_IN_AS.get(name, "owner"))
    client = Client()
    client.force_login(user)
    url = where(world) if where is not None else _address(world, name)
    form = given(world) if callable(given) else given
    AuditEntry.objects.all().delete()
    answer = client.post(url, {"nonce": new_nonce(user), **form})
    found = list(AuditEntry.objects.values_list("action", "user"))
    return "" if (action.value, user.pk) in found else f"{answer.status_code} {found}"


def _address(world: World, name: str) -> str:
    return walk.address(world, next(row for row in walk.TABLE if row.name == name))
