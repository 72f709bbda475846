"""Challengers, replays, and the champion's place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms

from dashboard.acts.case import Case, name_of
from dashboard.acts.forms.base import DAYS, HOURS, ActForm, HourField, hour_and_day, planned, told
from monitoring import questions as q

REASONS = (
    ("ACCURACY", "Accuracy"),
    ("DATA_DRIFT", "Data drift"),
    ("ERRORS", "Errors"),
    ("SCHEDULED_REFRESH", "Scheduled refresh"),
    ("SCORING_SPEED", "Scoring speed"),
    ("DEPRECATION", "Deprecation"),
    ("OTHER", "Another reason"),
)
KNOWN_HINT = "A registered model with the same target."
PACKAGE_HINT = f"{KNOWN_HINT} Its id stands on the page where it was registered."
NONE_HINT = "The source lists no other model with the same target: register one first, or give its id."


class PackageForm(ActForm):
    """A registered model, chosen from the list of the source where it has one."""

    asks = (q.model_packages(), q.champion_package())
    fresh = timedelta(seconds=30)  # a model that was just registered must be there

    package = forms.CharField(label="Model package", max_length=64, help_text=PACKAGE_HINT)

    def prepare(self) -> None:
        known = self.case.packages()
        if known:
            self.fields["package"] = forms.ChoiceField(
                label="Model package", choices=[("", "–"), *known], help_text=KNOWN_HINT
            )
        elif self.case.shelf.payload(q.model_packages()):
            self.fields["package"].help_text = NONE_HINT

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        package = case.thing.get("modelPackage")
        return {"package": package.get("id") if isinstance(package, dict) else ""}


class ChallengerForm(PackageForm):
    """A model beside the champion."""

    name = forms.CharField(max_length=200)

    def body(self) -> dict[str, Any]:
        return {"modelPackageId": self.cleaned_data["package"], "name": self.cleaned_data["name"]}


class NameForm(ActForm):
    """Another name."""

    name = forms.CharField(max_length=200)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        return {"name": name_of(case.thing)}

    def body(self) -> dict[str, Any]:
        return {"name": self.cleaned_data["name"]}


class ReplayForm(ActForm):
    """From when on requests are scored again."""

    since = HourField(label="Requests from", required=False)

    def body(self) -> dict[str, Any]:
        since = told(self.cleaned_data["since"])
        return {} if since is None else {"timestamp": since}

    def sentence(self) -> str:
        return "Without a time all stored requests are scored with every challenger."


class ReplaySettingsForm(ActForm):
    """Whether challengers are replayed by themselves, and when."""

    asks = (q.replay_settings(),)
    shows = q.replay_settings()
    only = {"day": ("enabled=on",), "hour": ("enabled=on",)}

    enabled = forms.BooleanField(label="Replay by itself", required=False)
    day = forms.ChoiceField(choices=DAYS)
    hour = forms.ChoiceField(choices=HOURS)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        present = case.settings
        hour, day = hour_and_day(present.get("schedule"))
        return {"enabled": present.get("enabled") is True, "hour": hour, "day": day}

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        if not values["enabled"]:
            return {"enabled": False}
        return {"enabled": True, "schedule": planned(self, self.case.settings.get("schedule"))}


class CheckForm(PackageForm):
    """Which model is to be checked."""

    def body(self) -> dict[str, Any]:
        return {"modelPackageId": self.cleaned_data["package"]}


class ReplaceForm(ActForm):
    """Why the checked model takes over; which one it is comes with the check."""

    reason = forms.ChoiceField(choices=REASONS)

    def body(self) -> dict[str, Any]:
        return {"reason": self.cleaned_data["reason"]}
