"""What single areas have of their own in the alert policy: a form a row, and the same in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms

from dashboard.minutes import Minutes, in_words
from monitoring.incidents.policy import MINUTE, AreaPolicy
from monitoring.models import Area, Delivery, Status, Whom

#: As many steps up or down are offered.
_STEPS = ((0, "by importance"), (1, "one step more"), (-1, "one step less"), (-2, "two steps less"))


class AreaForm(forms.Form):
    """One area; every field that is left alone holds what holds everywhere."""

    opens_at = forms.ChoiceField(
        label="Trouble is",
        required=False,
        choices=(("", "as above"), (Status.WARNING, "at risk or failing"), (Status.FAILING, "failing only")),
    )
    pending_minutes = Minutes(label="Opens after", least=0, required=False)
    severity = forms.ChoiceField(label="Weighs", required=False, choices=_STEPS)
    delivery = forms.ChoiceField(label="Told", required=False, choices=(("", "by the default"), *Delivery.choices))
    whom = forms.ChoiceField(label="To", required=False, choices=((Whom.EVERYBODY, "everybody"), *Whom.choices[1:]))

    def __init__(self, data: Any, *, area: Area, initial: Mapping[str, Any]) -> None:
        super().__init__(data, prefix=area.value, initial=dict(initial))
        self.area = area
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{area.label}: {str(field.label).lower()}"
        self.fields["pending_minutes"].widget.attrs["placeholder"] = "as above"

    def own(self) -> AreaPolicy:
        """What the valid form says."""
        found = self.cleaned_data
        minutes = found["pending_minutes"]
        return AreaPolicy(
            opens_at=Status(found["opens_at"]) if found["opens_at"] else None,
            pending=minutes * MINUTE if minutes is not None else None,
            severity=int(found["severity"] or 0),
            delivery=Delivery(found["delivery"]) if found["delivery"] else None,
            whom=Whom(found["whom"] or Whom.EVERYBODY),
        )


class AreaForms:
    """A form for each area."""

    def __init__(self, data: Any, present: Mapping[str, AreaPolicy]) -> None:
        self.forms = [AreaForm(data, area=area, initial=_initial(present.get(area))) for area in Area]

    def __iter__(self) -> Iterator[AreaForm]:
        return iter(self.forms)

    def is_valid(self) -> bool:
        valid = [form.is_valid() for form in self.forms]  # all of them, so that each tells what is wrong
        return all(valid)

    @property
    def is_used(self) -> bool:
        """Whether any area has something of its own, or something wrong."""
        return any(form.errors or any(form[name].value() not in _EMPTY for name in form.fields) for form in self.forms)

    def stored(self) -> dict[str, Any]:
        """As the policy keeps it: only areas that have something of their own."""
        own = {form.area.value: form.own() for form in self.forms}
        return {area: one.to_json() for area, one in own.items() if not one.is_default}


_EMPTY = (None, "", 0, "0", Whom.EVERYBODY)


def _initial(own: AreaPolicy | None) -> dict[str, Any]:
    own = own or AreaPolicy()
    return {
        "opens_at": own.opens_at or "",
        "pending_minutes": in_words(int(own.pending / MINUTE)) if own.pending is not None else "",
        "severity": own.severity,
        "delivery": own.delivery or "",
        "whom": own.whom,
    }


def sentences(areas: Mapping[str, AreaPolicy]) -> list[str]:
    """`Data drift: failing only, after 1 h, one step less, in the digest.`"""
    return [f"{Area(name).label}: {', '.join(_parts(own))}." for name, own in areas.items() if not own.is_default]


def _parts(own: AreaPolicy) -> Iterator[str]:
    if own.opens_at is not None:
        yield "failing only" if own.opens_at is Status.FAILING else "at risk or failing"
    if own.pending is not None:
        yield f"opens after {in_words(int(own.pending / MINUTE))}"
    if own.severity:
        yield f"weighs {dict(_STEPS).get(own.severity, own.severity)}"
    if own.delivery is not None:
        yield f"told {own.delivery.label.lower()}"
    if own.whom is not Whom.EVERYBODY and own.delivery is not Delivery.NEVER:
        yield f"to {own.whom.label[0].lower()}{own.whom.label[1:]}"
