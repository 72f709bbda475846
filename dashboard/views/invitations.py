"""Invitations: made, sent again and taken back by owners; accepted with an account that is there, or with a new one."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as bare
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import limits
from dashboard.pages import page
from dashboard.reader import PageRequest, Reader
from dashboard.sign_on.entering import enter
from dashboard.sign_on.proof import mark_unproven
from dashboard.usernames import check_username
from dashboard.views.teams import InviteForm, owned_or_refused, shown
from monitoring import invitations
from monitoring.models import Invitation, Role, UserPreference

TAKEN = "Somebody has this user name already."


class NewAccountForm(forms.Form):
    """A new account for who was invited; its address is the invited one."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput({"autocomplete": "username"}))
    password = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def clean_username(self) -> str:
        name = check_username(str(self.cleaned_data["username"]))
        if get_user_model().objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(TAKEN)
        return name

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("password"):
            try:
                validate_password(found["password"], get_user_model()(username=found.get("username", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return found


@page
@require_POST
def invite(request: PageRequest, team_pk: int) -> HttpResponse:
    """Owners invite by mail; the link is also shown once, for an installation that sends no mail."""
    team = owned_or_refused(request.reader, team_pk)
    form = InviteForm(request.POST)
    counters = limits.keys("invite", request, request.reader.user.get_username())
    if limits.too_many(counters, settings.RATE_LIMIT_INVITE):
        form.add_error(None, limits.TOO_MANY)
        return shown(request, invite_form=form, inviting=team.pk)
    if not form.is_valid():
        return shown(request, invite_form=form, inviting=team.pk)
    limits.count(counters)
    given = form.cleaned_data
    try:
        row, link = invitations.invite(
            team, given["email"], Role(given["role"]), request.reader.user, timezone.now(), request=request
        )
    except invitations.InvitationRefused as error:
        form.add_error("email", str(error))
        return shown(request, invite_form=form, inviting=team.pk)
    return _told(request, row, link)


@page
@require_POST
def resend(request: PageRequest, pk: int) -> HttpResponse:
    """A new link for another week; the former one stops working."""
    row = _owned(request.reader, pk)
    counters = limits.keys("invite", request, request.reader.user.get_username())
    if limits.too_many(counters, settings.RATE_LIMIT_INVITE):
        messages.error(request, limits.TOO_MANY, extra_tags="failing")
        return redirect("teams")
    limits.count(counters)
    try:
        link = invitations.resend(row, request.reader.user, timezone.now(), request=request)
    except invitations.InvitationRefused as error:
        messages.error(request, str(error), extra_tags="failing")
        return redirect("teams")
    return _told(request, row, link)


@page
@require_POST
def revoke(request: PageRequest, pk: int) -> HttpResponse:
    """Its link opens nothing from then on."""
    row = _owned(request.reader, pk)
    if invitations.revoke(row, request.reader.user, timezone.now(), request=request):
        messages.success(request, f"The invitation of {row.email} is taken back.", extra_tags="passing")
    else:
        messages.error(request, "It was used or taken back before.", extra_tags="failing")
    return redirect("teams")


@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Asks before it acts, since mail scanners follow links. The link in itself is the right to join."""
    counters = limits.keys("join", request)
    if limits.too_many(counters, settings.RATE_LIMIT_LOGIN):
        return _answer(request, {"refusal": limits.TOO_MANY}, status=429)
    row = invitations.found(token, timezone.now())
    if row is None:
        limits.count(counters)
        return _answer(request, {"refusal": "It was used, taken back or sent anew, or its week is over."}, status=404)
    return _inside(request, row) if request.user.is_authenticated else _outside(request, row, token)


def _inside(request: HttpRequest, row: Invitation) -> HttpResponse:
    if request.method == "POST":
        try:
            invitations.accept(row, request.user, timezone.now(), request=request)
        except invitations.InvitationRefused as error:
            return _answer(request, {"refusal": str(error)}, status=404)
        messages.success(request, f"You are in {row.team.name}.", extra_tags="passing")
        return redirect("fleet")
    return _answer(request, {"invitation": row, "role": Role(row.role)})


def _outside(request: HttpRequest, row: Invitation, token: str) -> HttpResponse:
    """Log in, or (where passwords are taken and nobody has the invited address yet) a new account."""
    known = not settings.LOCAL_LOGIN or get_user_model().objects.filter(email__iexact=row.email).exists()
    form = NewAccountForm(request.POST or None)
    if request.method == "POST" and not known and form.is_valid():
        try:
            user = _created(request, row, form)
        except invitations.InvitationRefused as error:
            return _answer(request, {"refusal": str(error)}, status=404)
        except IntegrityError:
            form.add_error("username", TAKEN)
        else:
            return enter(request, user)
    return _answer(request, {"invitation": row, "role": Role(row.role), "form": form, "known": known, "token": token})


def _created(request: HttpRequest, row: Invitation, form: NewAccountForm) -> Any:
    """The account and the membership, both or neither."""
    with transaction.atomic():
        user = get_user_model().objects.create_user(
            form.cleaned_data["username"], row.email, form.cleaned_data["password"]
        )
        UserPreference.objects.create(user=user)
        if not invitations.is_mailed(row):
            mark_unproven(user)
        invitations.accept(row, user, timezone.now(), request=request)
    return user


def _told(request: PageRequest, row: Invitation, link: str) -> HttpResponse:
    """The link only where no mail carries it: who reads it there has not shown that the address is theirs."""
    return shown(request, fresh=link if not invitations.is_mailed(row) else "", fresh_for=row)


def _answer(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = bare(request, "account/join.html", {"theme": "system", **context}, status=status)
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _owned(reader: Reader, pk: int) -> Invitation:
    row = Invitation.objects.filter(team__in=reader.team_ids, pk=pk).select_related("team").first()
    if row is None:
        raise Http404("There is no such invitation in your teams.")
    if reader.role_in(row.team_id) is not Role.OWNER:
        raise PermissionDenied("Only owners of the team invite.")
    return row
