"""Channels: where a team's messages go beside its members' own mail, tested and switched by owners and managers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard import limits
from dashboard.noting import Facts, noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.zones import zone_field
from monitoring import mail
from monitoring.audit import facts
from monitoring.channels import TargetRefused, aim, renew_secret
from monitoring.mail.carriers.service import SERVICES
from monitoring.models import AuditAction, Carrier, Channel, Role, Team

NAV = {"nav": "settings", "sub": "channels"}
#: What may be told of a channel; target and secret are secrets.
TOLD = ("name", "carrier", "shown", "time_zone", "enabled")


class ChannelForm(forms.Form):
    """Name, way and target. The target is never shown again; left empty on a change it stays."""

    team = forms.ModelChoiceField(Team.objects.none(), empty_label=None)
    carrier = forms.ChoiceField(label="Way", choices=Carrier)
    name = forms.CharField(max_length=120)
    target = forms.CharField(
        max_length=2000, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}), strip=True
    )
    time_zone = zone_field("Its messages speak this time zone.")

    def __init__(self, *args: Any, reader: Reader, existing: Channel | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = [m.team_id for m in reader.memberships if Role(m.role).may_change]
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)
        team.queryset = Team.objects.filter(pk__in=allowed)
        if existing is not None:
            del self.fields["team"], self.fields["carrier"]
            self.fields["target"].required = False


@page
def listing(request: PageRequest) -> HttpResponse:
    """All channels of the reader's teams, with how the last send ended."""
    rows = Channel.objects.filter(team__in=request.reader.team_ids).select_related("team")
    entries = [(row, _may(request.reader, row)) for row in rows]
    return render(request, "dashboard/channels.html", {**NAV, "entries": entries, "may_add": request.reader.may_add})


@page
def add(request: PageRequest) -> HttpResponse:
    """A new channel; a webhook's signing secret is shown once."""
    if not request.reader.may_add:
        raise PermissionDenied("Only owners and managers of a team add channels.")
    form = ChannelForm(request.POST or None, reader=request.reader, initial={"time_zone": request.reader.zone.key})
    if request.method == "POST" and form.is_valid():
        fields = {name: form.cleaned_data[name] for name in ("team", "name", "carrier", "time_zone")}
        channel = Channel(**fields, created_by=request.reader.user)
        secret = _aimed(channel, form)
        if secret is not None and _saved(request, channel, form, None):
            return _after(request, channel, secret)
    return render(request, "dashboard/channel_form.html", _form_context(form))


@page
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Name, target, time zone; or switch it off and on."""
    channel = _changeable(request.reader, pk)
    start, before = {"name": channel.name, "time_zone": channel.time_zone}, facts(channel, *TOLD)
    form = ChannelForm(request.POST or None, initial=start, reader=request.reader, existing=channel)
    if request.method == "POST" and form.is_valid():
        channel.name, channel.time_zone = form.cleaned_data["name"], form.cleaned_data["time_zone"]
        channel.enabled = "off" not in request.POST
        secret: str | None = ""
        if form.cleaned_data["target"]:
            secret = _aimed(channel, form)
        if secret is not None and _saved(request, channel, form, before):
            messages.success(request, f"Saved {channel.name}.", extra_tags="passing")
            return redirect("channels")
    return render(request, "dashboard/channel_form.html", _form_context(form, channel))


@page
@require_POST
def test(request: PageRequest, pk: int) -> HttpResponse:
    """Puts a test message into the outbox; it goes out within seconds, by the same way as every other."""
    channel = _changeable(request.reader, pk)
    if limits.reached("test-mail", request, request.reader.user.get_username(), settings.RATE_LIMIT_INVITE):
        messages.error(request, limits.TOO_MANY, extra_tags="failing")
        return redirect("channels")
    with transaction.atomic():
        message = mail.send_test(mail.Addressee(channel=channel), timezone.now())
        noted(request, AuditAction.TEST_SENT, channel.name, team=channel.team)
    return redirect("mail", message.pk)


@page
@require_POST
def secret(request: PageRequest, pk: int) -> HttpResponse:
    """A new signing secret, shown once."""
    channel = _changeable(request.reader, pk)
    if channel.carrier != Carrier.WEBHOOK:
        raise Http404("Only webhooks are signed.")
    made = renew_secret(channel)
    with transaction.atomic():
        channel.save(update_fields=["secret_encrypted"])
        noted(request, AuditAction.CHANNEL_SECRET, channel.name, team=channel.team)
    return _after(request, channel, made)


@page
@require_POST
def remove(request: PageRequest, pk: int) -> HttpResponse:
    """Takes the channel away; what it was sent stays in the list of mail."""
    channel = _changeable(request.reader, pk)
    with transaction.atomic():
        noted(request, AuditAction.CHANNEL_REMOVED, channel.name, team=channel.team, before=facts(channel, *TOLD))
        channel.delete()
    messages.success(request, f"{channel.name} is removed.", extra_tags="passing")
    return redirect("channels")


def _aimed(channel: Channel, form: ChannelForm) -> str | None:
    """A new signing secret or ""; None, with the form saying why, for a target that is refused."""
    try:
        return aim(channel, form.cleaned_data["target"])
    except TargetRefused as error:
        form.add_error("target", str(error))
        return None


def _saved(request: PageRequest, channel: Channel, form: ChannelForm, before: Facts | None) -> bool:
    """Stores it and says so in the audit list; False, with the form saying why, for a name that is taken."""
    action = AuditAction.CHANNEL_ADDED if before is None else AuditAction.CHANNEL_CHANGED
    more = {"new_target": True} if before is not None and form.cleaned_data["target"] else {}
    try:
        with transaction.atomic():
            channel.save()
            noted(
                request, action, channel.name, team=channel.team, before=before, after=facts(channel, *TOLD), told=more
            )
    except IntegrityError:
        form.add_error("name", "The team already has a channel of this name.")
        return False
    return True


def _after(request: PageRequest, channel: Channel, secret: str) -> HttpResponse:
    if secret:
        return render(request, "dashboard/channel_secret.html", {**NAV, "channel": channel, "secret": secret})
    messages.success(request, f"{channel.name} is added; send it a test.", extra_tags="passing")
    return redirect("channels")


def _form_context(form: ChannelForm, channel: Channel | None = None) -> dict[str, Any]:
    return {**NAV, "form": form, "channel": channel, "services": sorted(set(SERVICES.values()))}


def _may(reader: Reader, channel: Channel) -> bool:
    role = reader.role_in(channel.team_id)
    return role is not None and role.may_change


def _changeable(reader: Reader, pk: int) -> Channel:
    channel = Channel.objects.filter(team__in=reader.team_ids, pk=pk).select_related("team").first()
    if channel is None:
        raise Http404("There is no such channel in your teams.")
    if not _may(reader, channel):
        raise PermissionDenied("Only owners and managers of the team change or test its channels.")
    return channel
