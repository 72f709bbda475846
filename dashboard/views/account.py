"""Log in, log out, and what a person prefers to see."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, logout
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as bare
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from dashboard import limits
from dashboard.hours import HoursForm, initial_hours
from dashboard.noting import noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest
from dashboard.sign_on.entering import enter
from dashboard.zones import zone_field
from monitoring import audit, mail, setup
from monitoring.audit import facts
from monitoring.models import AuditAction, Breaks, DigestPace, Membership, Theme, UserPreference

TOLD = (
    *("time_zone", "theme", "digest", "digest_hour", "digest_when_empty"),
    *("days", "from_time", "to_time", "breaks_through"),
)


class LoginForm(forms.Form):
    """User name or e-mail and password."""

    username = forms.CharField(max_length=254, widget=forms.TextInput({"autocomplete": "username", "autofocus": True}))
    password = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput({"autocomplete": "current-password"})
    )


class PreferenceForm(HoursForm):
    """Time zone, theme, digest, and the hours in which everything comes at once."""

    time_zone = zone_field()
    theme = forms.ChoiceField(choices=Theme, widget=forms.RadioSelect)
    digest = forms.ChoiceField(choices=DigestPace, required=False)
    digest_hour = forms.IntegerField(min_value=0, max_value=23, required=False)
    digest_when_empty = forms.BooleanField(required=False)
    breaks_through = forms.ChoiceField(choices=Breaks, required=False)

    def put(self, row: UserPreference) -> None:
        """Stores the form; a digest that a short form does not name stays."""
        found = self.cleaned_data
        row.time_zone, row.theme = found["time_zone"], found["theme"]
        if found["digest"]:
            row.digest, row.digest_when_empty = found["digest"], found["digest_when_empty"]
            row.digest_hour = found["digest_hour"] if found["digest_hour"] is not None else row.digest_hour
            row.breaks_through = found["breaks_through"] or row.breaks_through
            self.put_hours(row)
        row.save()


def _shown(row: UserPreference) -> dict[str, Any]:
    names = ("time_zone", "theme", "digest", "digest_hour", "digest_when_empty", "breaks_through")
    return {name: getattr(row, name) for name in names} | initial_hours(row)


@require_http_methods(["GET", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """Says the same for an unknown name and a wrong password; slows down who tries often."""
    target = _target(request)
    if request.user.is_authenticated:
        return redirect(target)
    if request.method == "GET" and setup.is_empty():
        return redirect("setup")
    if request.method == "POST" and not settings.LOCAL_LOGIN:
        raise PermissionDenied("Passwords are not taken here: use the single sign-on.")
    form = LoginForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        counters = limits.keys("login", request, form.cleaned_data["username"])
        if limits.too_many(counters, settings.RATE_LIMIT_LOGIN):
            form.add_error(None, limits.TOO_MANY)
            status = 429
        else:
            user = authenticate(
                request, username=_name(form.cleaned_data["username"]), password=form.cleaned_data["password"]
            )
            if user is not None:
                return enter(request, user, target)
            limits.count(counters)
            form.add_error(None, "User name or password is wrong.")
    context = {"form": form, "next": target, "installation": urlsplit(settings.PUBLIC_URL).netloc, "theme": "system"}
    context |= {"local": settings.LOCAL_LOGIN, "providers": settings.OIDC_APPS}
    response = bare(request, "account/login.html", context, status=status)
    response["Cache-Control"] = "no-store, private"
    return response


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("login")


@page
def preferences(request: PageRequest) -> HttpResponse:
    """Time zone, theme, in which teams the person wants mail, and when."""
    preference, _ = UserPreference.objects.get_or_create(user=request.reader.user)
    form = PreferenceForm(request.POST or None, initial=_shown(preference))
    if request.method == "POST" and form.is_valid():
        _put(request, form, preference)
        messages.success(request, "Saved.", extra_tags="passing")
        return redirect("preferences")
    return render(request, "account/preferences.html", {"nav": "settings", "sub": "preferences", "form": form})


def _put(request: PageRequest, form: PreferenceForm, preference: UserPreference) -> None:
    """Stores the form and in which teams the person wants mail."""
    mine = request.reader.memberships
    before = {**facts(preference, *TOLD), "mail": [str(one.team) for one in mine if one.wants_mail]}
    wanted = [one for one in mine if str(one.team_id) in request.POST.getlist("mail")]
    with transaction.atomic():
        form.put(preference)
        for membership in mine:
            Membership.objects.filter(pk=membership.pk).update(wants_mail=membership in wanted)
        after = {**facts(preference, *TOLD), "mail": [str(one.team) for one in wanted]}
        noted(request, AuditAction.HEARING_CHANGED, "them", before=before, after=after)


@page
@require_POST
def test_mail(request: PageRequest) -> HttpResponse:
    """A test mail to oneself."""
    membership = request.reader.memberships[0] if request.reader.memberships else None
    if membership is None or not request.reader.user.email:
        messages.error(request, "You are in no team yet, or have no e-mail address.", extra_tags="failing")
        return redirect("preferences")
    if limits.reached("test-mail", request, request.reader.user.get_username(), settings.RATE_LIMIT_INVITE):
        messages.error(request, limits.TOO_MANY, extra_tags="failing")
        return redirect("preferences")
    with transaction.atomic():
        message = mail.send_test(mail.Addressee(member=membership), timezone.now())
        noted(request, AuditAction.TEST_SENT, "themselves")
    return redirect("mail", message.pk)


@page
@require_POST
def theme(request: PageRequest) -> HttpResponse:
    """The switch in the corner: remembers light, dark or system."""
    chosen = request.POST.get("theme", "")
    if chosen in Theme.values:
        UserPreference.objects.update_or_create(user=request.reader.user, defaults={"theme": chosen})
    return HttpResponse(status=204)


@csrf_exempt  # The token in the address is the secret; one-click mail programs post without a form.
@require_http_methods(["GET", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Confirmed by a button, since mail scanners follow links; one-click mail programs POST."""
    membership = Membership.objects.filter(mail_token=token).select_related("team", "user").first()
    done = False
    if membership is not None and request.method == "POST":
        with transaction.atomic():
            if Membership.objects.filter(pk=membership.pk, wants_mail=True).update(wants_mail=False):
                told = {"by": "the link in a mail", **audit.moved({"mail": True}, {"mail": False})}
                action, team = AuditAction.HEARING_CHANGED, membership.team
                about = f"them of {team}"
                audit.note(action, membership.user, team=team, about=about, detail=told, request=request)
        done = True
    context = {"membership": membership, "done": done, "theme": "system"}
    return bare(request, "account/unsubscribe.html", context, status=200 if membership else 404)


def _target(request: HttpRequest) -> str:
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else settings.LOGIN_REDIRECT_URL


def _name(text: str) -> str:
    """The user name that belongs to an e-mail address; the text itself for anything else."""
    if "@" not in text:
        return text
    found = list(User.objects.filter(email__iexact=text, is_active=True).values_list("username", flat=True)[:2])
    return found[0] if len(found) == 1 else text
