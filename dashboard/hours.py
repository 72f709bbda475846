"""Fields that several forms share: hours, and members by their names."""

from __future__ import annotations

from typing import Any

from django import forms

from monitoring.models import Membership

WEEKDAYS = [(str(number), name) for number, name in enumerate(("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))]


class MembersField(forms.ModelMultipleChoiceField[Membership]):
    """Members of a team, each by the person's name."""

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.user.get_full_name() or obj.user.get_username())


class HoursForm(forms.Form):
    """Weekdays and times; both times or neither. `cleaned_hours` gives the fields of a row."""

    days = forms.MultipleChoiceField(choices=WEEKDAYS, required=False, widget=forms.CheckboxSelectMultiple)
    from_time = forms.TimeField(required=False, label="From", widget=forms.TimeInput({"type": "time"}))
    to_time = forms.TimeField(required=False, label="To", widget=forms.TimeInput({"type": "time"}))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        start, end = found.get("from_time"), found.get("to_time")
        if (start is None) != (end is None) and not self.errors:
            self.add_error("to_time", "Give both times or neither.")
        return found

    def put_hours(self, row: Any) -> None:
        """Writes the hours onto a row that has them; it is not saved."""
        row.days = sorted(int(one) for one in self.cleaned_data["days"])
        row.from_time, row.to_time = self.cleaned_data["from_time"], self.cleaned_data["to_time"]


def initial_hours(row: Any) -> dict[str, Any]:
    """What the form shows of a row."""
    return {"days": [str(one) for one in row.days], "from_time": row.from_time, "to_time": row.to_time}
