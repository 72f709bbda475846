"""Forms of reviews. What a person may choose is bounded by their teams."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.auth.models import User

from dashboard.reader import Reader
from monitoring.models import Cadence, Importance, Membership, ReviewPlan, Team, Weekday
from monitoring.reviews.meeting import TEXT_LENGTH


class PlanForm(forms.ModelForm[ReviewPlan]):
    """Name, cadence, weekday and hour, who attends, what it is about."""

    cadence = forms.ChoiceField(choices=Cadence.choices)
    weekday = forms.TypedChoiceField(choices=Weekday.choices, coerce=int)
    at = forms.TimeField(label="Time", widget=forms.TimeInput({"type": "time"}))
    starts_on = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))
    importances = forms.MultipleChoiceField(
        choices=Importance.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    tags = forms.CharField(required=False, max_length=400)

    class Meta:
        model = ReviewPlan
        fields = ("team", "name", "cadence", "weekday", "time_zone", "starts_on", "attendees", "importances", "active")
        widgets = {"attendees": forms.CheckboxSelectMultiple}

    def __init__(self, *args: Any, reader: Reader, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = [m.team_id for m in reader.memberships if m.may_change]
        names = sorted(name for name in available_timezones() if "/" in name or name == "UTC")
        self.fields["time_zone"] = forms.ChoiceField(choices=[(name, name.replace("_", " ")) for name in names])
        self.fields["attendees"] = PeopleField(teams if not self.instance.pk else [self.instance.team_id])
        if self.instance.pk:
            del self.fields["team"]
            self.initial["at"] = time(self.instance.hour, self.instance.minute).strftime("%H:%M")
            self.initial["tags"] = ", ".join(self.instance.tags)
        else:
            self.fields["team"] = forms.ModelChoiceField(Team.objects.filter(pk__in=teams), empty_label=None)
            usual = {"name": "Weekly review", "at": "09:00", "time_zone": reader.zone.key, "weekday": Weekday.MONDAY}
            self.initial.update(usual)

    def clean_tags(self) -> list[str]:
        """Names of tags, parted by commas."""
        return list(dict.fromkeys(tag.strip() for tag in self.cleaned_data["tags"].split(",") if tag.strip()))

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        team = cleaned.get("team") or (self.instance.team if self.instance.pk else None)
        if team is None:
            return cleaned
        others = ReviewPlan.objects.filter(team=team, name=cleaned.get("name")).exclude(pk=self.instance.pk)
        if others.exists():
            self.add_error("name", "The team has a review of this name already.")
        strangers = [
            user
            for user in cleaned.get("attendees", ())
            if not Membership.objects.filter(team=team, user=user).exists()
        ]
        if strangers:
            self.add_error("attendees", f"Not in the team: {', '.join(map(str, strangers))}.")
        return cleaned

    def save(self, commit: bool = True) -> ReviewPlan:
        at: time = self.cleaned_data["at"]
        self.instance.hour, self.instance.minute = at.hour, at.minute
        self.instance.tags = self.cleaned_data["tags"]
        return super().save(commit)


class PeopleField(forms.ModelMultipleChoiceField[User]):
    """Members of some teams, by name."""

    def __init__(self, teams: list[int]) -> None:
        people = User.objects.filter(memberships__team__in=teams, is_active=True).distinct().order_by("username")
        super().__init__(people, required=False, widget=forms.CheckboxSelectMultiple)

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.get_full_name() or obj.get_username())


class PromiseForm(forms.Form):
    """An action item: what, who, until when."""

    text = forms.CharField(max_length=TEXT_LENGTH, widget=forms.TextInput({"placeholder": "What is to be done"}))
    due_on = forms.DateField(widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"))

    def __init__(self, *args: Any, team_id: int, first: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(memberships__team=team_id, is_active=True).order_by("username")
        owner = OwnerField(people, required=False, empty_label="Nobody yet")
        self.fields["owner"] = owner
        self.first = first

    def clean_due_on(self) -> date:
        due: date = self.cleaned_data["due_on"]
        if due < self.first:
            raise forms.ValidationError("The due date lies in the past.")
        return due


class OwnerField(forms.ModelChoiceField[User]):
    """One member of the team, by name."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.get_full_name() or obj.get_username())


def today(now: datetime, reader: Reader) -> date:
    """The day that it is for the reader."""
    return now.astimezone(reader.zone).date()
