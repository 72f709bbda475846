"""A person's tokens for the API of this installation: made, shown once, revoked."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.pages import page, render
from dashboard.reader import PageRequest
from dashboard.service_half import Desk, desk
from monitoring.audit import note
from monitoring.models import AuditAction

NAV = {"nav": "settings", "sub": "tokens"}
LIVES = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is revoked")]


class TokenForm(forms.Form):
    """What a token is for, what it may do, and for how long."""

    name = forms.CharField(max_length=100, widget=forms.TextInput({"placeholder": "Nightly scoring, laptop …"}))
    scope = forms.ChoiceField(choices=())
    days = forms.ChoiceField(label="Expires after", choices=LIVES, required=False, initial="90")

    def __init__(self, *args: object, counter: Desk, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)
        scope.choices = counter.scopes()


@page
def listing(request: PageRequest) -> HttpResponse:
    """The person's own tokens. A new one is shown in the answer to the form and never again."""
    counter = desk()
    if counter is None:
        return render(request, "dashboard/tokens.html", {**NAV, "absent": True})
    form = TokenForm(request.POST or None, counter=counter)
    fresh = ""
    if request.method == "POST" and form.is_valid():
        fresh = _made(request, counter, form)
        form = TokenForm(counter=counter)
    now = timezone.now()
    entries = [(token, token.expired(now)) for token in counter.tokens(request.reader.user)]
    return render(request, "dashboard/tokens.html", {**NAV, "form": form, "fresh": fresh, "entries": entries})


@page
@require_POST
def revoke(request: PageRequest, pk: int) -> HttpResponse:
    """Forgets a token of the person's own: whoever uses it gets 401 from then on."""
    counter = desk()
    with transaction.atomic():
        name = counter.revoke_token(request.reader.user, pk) if counter is not None else None
        if name is None:
            raise Http404("You have no such token.")
        note(AuditAction.TOKEN_REVOKED, request.reader.user, about=name, request=request)
    messages.success(request, f"{name} is revoked: it is not taken any more.", extra_tags="passing")
    return redirect("tokens")


def _made(request: PageRequest, counter: Desk, form: TokenForm) -> str:
    given = form.cleaned_data
    ends = timezone.now() + timedelta(days=int(given["days"])) if given["days"] else None
    detail = {"scope": given["scope"], "expires": ends.isoformat() if ends else None}
    with transaction.atomic():
        text = counter.issue_token(request.reader.user, given["name"], given["scope"], ends)
        note(AuditAction.TOKEN_CREATED, request.reader.user, about=given["name"], detail=detail, request=request)
    return text
