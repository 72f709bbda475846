"""The first run: which step a person is at follows from what is stored, so it can be left and taken up again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from dashboard.reader import Reader
from dashboard.usernames import check_username
from dashboard.views.sources import SourceForm
from dashboard.zones import zone_field
from monitoring.models import Command, CommandKind, Role, Source, Team, WorkState

SLOW = timedelta(seconds=20)
"""A test that nobody has begun for this long means that no worker is there to do it."""


class Step(StrEnum):
    """In order; `DONE` is the fleet."""

    PERSON = "person"
    TEAM = "team"
    SOURCE = "source"
    TEST = "test"
    DONE = "done"


WORDS = {Step.PERSON: "You", Step.TEAM: "Your team", Step.SOURCE: "What to watch", Step.TEST: "Connection"}


def step_of(reader: Reader) -> Step:
    """What a person who has an account still has to do: nothing, unless nobody else can."""
    if not reader.memberships:
        founding = reader.user.is_superuser and not Team.objects.exists()
        return Step.TEAM if founding else Step.DONE
    found = list(reader.sources()[:2])
    if not found:
        return Step.SOURCE if reader.may_add else Step.DONE
    first = found[0]
    role = reader.role_in(first.team_id)
    unheard = len(found) == 1 and first.last_ok_at is None and first.enabled
    return Step.TEST if unheard and role is not None and role.may_change else Step.DONE


class PersonForm(forms.Form):
    """The first account, an administrator's."""

    code = forms.CharField(max_length=60, widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}))
    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput({"autocomplete": "username"}))
    email = forms.EmailField(label="E-mail", max_length=254, widget=forms.EmailInput({"autocomplete": "email"}))
    password = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )
    again = forms.CharField(
        label="Password again",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    time_zone = zone_field("Times on pages and in mail.")

    def clean_username(self) -> str:
        """By the rule that the accounts themselves keep: letters, digits and @/./+/-/_."""
        return check_username(str(self.cleaned_data["username"]))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        password = found.get("password")
        if password and password != found.get("again"):
            self.add_error("again", "The two passwords differ.")
        elif password:
            user = get_user_model()(username=found.get("username", ""), email=found.get("email", ""))
            try:
                validate_password(password, user)
            except ValidationError as error:
                self.add_error("password", error)
        return found


class TeamForm(forms.Form):
    """The name of a team, free of others'."""

    name = forms.CharField(label="Team", max_length=120)

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        if Team.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError("There is a team of this name already.")
        return name


class FarForm(SourceForm):
    """Another server as the first source: of the person's own team, so the form does not ask for it."""

    def __init__(self, *args: Any, reader: Reader, **kwargs: Any) -> None:
        super().__init__(*args, reader=reader, **kwargs)
        del self.fields["team"]


def own_team(reader: Reader) -> Team:
    """The first team in which the person may add sources."""
    return next(m.team for m in reader.memberships if Role(m.role).may_change)


@dataclass(frozen=True)
class Trial:
    """How the test of the connection stands."""

    source: Source
    test: Command | None
    now: datetime

    @property
    def running(self) -> bool:
        return self.test is not None and self.test.state in (WorkState.PENDING, WorkState.RUNNING)

    @property
    def ok(self) -> bool:
        return self.test is not None and self.test.state == WorkState.DONE

    @property
    def slow(self) -> bool:
        """Whether no worker seems to be there."""
        return self.running and self.test is not None and self.now - self.test.asked_at > SLOW


def trial_of(reader: Reader, now: datetime) -> Trial | None:
    """The newest test of the first source that the person may change; None before there is one.

    Whoever may only read has nothing to set up: how sources answer is told on their page.
    """
    source = reader.changeable_sources().order_by("pk").first()
    if source is None:
        return None
    tests = source.commands.filter(kind=CommandKind.TEST_SOURCE)
    return Trial(source, tests.order_by("-asked_at", "-pk").first(), now)
