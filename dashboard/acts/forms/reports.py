"""Reports that a source makes and mails: on a schedule, or when somebody asks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from dashboard.acts.case import Case, name_of
from dashboard.acts.forms.base import DAYS, HOURS, ActForm, filled, hour_and_day, planned

MOST_RECIPIENTS = 50


class ReportForm(ActForm):
    """What a report is about, when it is made and who gets it."""

    only = dict.fromkeys(("day", "hour", "enabled"), ("when=schedule",))

    name = forms.CharField(max_length=200)
    days = forms.IntegerField(
        label="Days that it looks back", min_value=1, max_value=90, widget=forms.NumberInput({"step": "1"})
    )
    when = forms.ChoiceField(
        label="It is made", choices=(("demand", "when somebody asks"), ("schedule", "on a schedule, and when asked"))
    )
    day = forms.ChoiceField(choices=DAYS)
    hour = forms.ChoiceField(choices=HOURS)
    recipients = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea({"rows": 3}),
        help_text=f"Addresses that it is mailed to, one a line, at most {MOST_RECIPIENTS}; empty: it is only kept.",
    )
    enabled = forms.BooleanField(label="The schedule holds", required=False, initial=True)

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        thing = case.thing
        hour, day = hour_and_day(thing.get("schedule"))
        return {
            "name": name_of(thing),
            "days": thing.get("days") or 7,
            "when": "schedule" if thing.get("schedule") or not thing else "demand",
            "day": day if thing else "1",
            "hour": hour,
            "recipients": "\n".join(str(one) for one in thing.get("recipients") or ()),
            "enabled": thing.get("enabled") is not False,
        }

    def clean_recipients(self) -> list[str]:
        found = list(dict.fromkeys(self.cleaned_data["recipients"].replace(",", "\n").split()))
        if len(found) > MOST_RECIPIENTS:
            raise forms.ValidationError(f"At most {MOST_RECIPIENTS} addresses.")
        for one in found:
            try:
                validate_email(one)
            except ValidationError:
                raise forms.ValidationError(f"{one} is no e-mail address.") from None
        return found

    def body(self) -> dict[str, Any]:
        values = self.cleaned_data
        on_schedule = values["when"] == "schedule"
        wanted = {
            "name": values["name"],
            "days": values["days"],
            "recipients": values["recipients"],
            "schedule": planned(self, self.case.thing.get("schedule")) if on_schedule else None,
            "enabled": values["enabled"],
        }
        if self.case.thing:
            return wanted
        return filled(wanted) | {"enabled": values["enabled"], "deploymentIds": [self.case.watched.remote_id]}

    def sentence(self) -> str:
        others = len(self.case.thing.get("deploymentIds") or ()) - 1
        return f"It is also about {others} other deployment{'s' if others > 1 else ''}." if others > 0 else ""


class ReportRunForm(ActForm):
    """Makes it now."""

    def body(self) -> dict[str, Any]:
        return {"id": self.case.thing["id"]}
