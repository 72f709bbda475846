"""The form of an act, and the fields that several share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

from dashboard.acts.case import Case
from dashboard.shelf import Shelf
from monitoring.clock import format_time
from monitoring.configuration.present import listed
from monitoring.models import Watched
from monitoring.questions import Question

DAYS = (
    ("*", "every day"),
    *(("1", "Monday"), ("2", "Tuesday"), ("3", "Wednesday"), ("4", "Thursday")),
    *(("5", "Friday"), ("6", "Saturday"), ("0", "Sunday")),
)
#: Schedules may name their days.
WEEK = {word.lower()[:3]: number for number, word in DAYS[1:]}
HOURS = tuple((str(hour), f"{hour:02d}:00 UTC") for hour in range(24))


class ActForm(forms.Form):
    """What an act asks; without fields it is only a confirmation.

    `asks`: what must be known to show it. `shows`: the one of them whose present values the fields start from: it was
    read so, and nothing is sent before it is known. `guards`: whether `read` says what must still stand. `fresh`: how
    old the answers may be. `typed`: the name has to be typed before anything is sent. `only`: fields that belong to
    some choices of others, as `field=value`: the page shows such a field while each other field that is named has one
    of its named values (acts.css).
    """

    asks: ClassVar[tuple[Question, ...]] = ()
    shows: ClassVar[Question | None] = None
    guards: ClassVar[bool] = False
    fresh: ClassVar[timedelta] = timedelta(minutes=5)
    only: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: MultiValueDict[str, UploadedFile[Any]] | None = None,
        *,
        case: Case,
        typed: bool = False,
    ) -> None:
        self.case, self.typed = case, typed
        super().__init__(data, files, initial=self.start(case))
        self.prepare()
        for name, field in self.fields.items():
            field.only = " ".join(self.only.get(name, ()))  # type: ignore[attr-defined]
        if typed:
            self.fields["typed"] = forms.CharField(
                label=f"Type “{case.name}” to confirm", max_length=600, widget=forms.TextInput({"autocomplete": "off"})
            )

    @classmethod
    def start(cls, case: Case) -> dict[str, Any]:
        """What the fields show at first: the present values."""
        return {}

    @classmethod
    def settings(cls, watched: Watched, shelf: Shelf) -> dict[str, Any]:
        """The settings that the form is about: the deployment's own where it `shows` no others."""
        if cls.shows is not None:
            return shelf.payload(cls.shows)
        own = {"label": watched.label, "importance": watched.importance or None, "status": watched.deployment_status}
        return own | listed(watched)

    def prepare(self) -> None:
        """Fills in what there is to choose from."""

    def body(self) -> dict[str, Any]:
        """What is sent."""
        return {}

    def target(self) -> str:
        """The ids in the path, where the form chooses them; "" for those of the thing."""
        return ""

    def read(self) -> dict[str, Any] | None:
        """What the person saw, where it is not told by fields of the thing or of the settings; None otherwise."""
        return None

    @property
    def upload(self) -> Any:
        """The file that goes with it, None without one."""
        return None

    def sentence(self) -> str:
        """What else the person should know before it is sent."""
        return ""

    def clean_typed(self) -> str:
        """The name, letter by letter."""
        typed: str = self.cleaned_data["typed"]
        if typed.strip() != self.case.name.strip():
            raise forms.ValidationError("This is not its name; nothing was sent.")
        return typed


_MOMENTS = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


class MomentField(forms.DateTimeField):
    """A time in UTC, to the minute."""

    def __init__(self, **more: Any) -> None:
        widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(**{"widget": widget, "help_text": "UTC.", **more})

    def prepare_value(self, value: Any) -> Any:
        """Times are shown in UTC, whatever the reader's zone."""
        return value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) and value.tzinfo else value

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        for style in _MOMENTS:
            try:
                found = datetime.strptime(str(value), style).replace(tzinfo=UTC)
            except ValueError:
                continue
            return self.checked(found)
        raise forms.ValidationError("Not a time such as 2026-01-05T09:00.")

    def checked(self, found: datetime) -> datetime:
        """The time, if it is one that is wanted."""
        return found


class HourField(MomentField):
    """A whole hour in UTC, as the source wants periods."""

    def __init__(self, **more: Any) -> None:
        widget = forms.DateTimeInput({"type": "datetime-local", "step": "3600"}, format="%Y-%m-%dT%H:00")
        super().__init__(widget=widget, help_text="UTC, on the hour.", **more)

    def checked(self, found: datetime) -> datetime:
        if (found.minute, found.second) != (0, 0):
            raise forms.ValidationError("Must be the top of an hour.")
        return found


def told(moment: datetime | None) -> str | None:
    """A time as it is sent."""
    return None if moment is None else format_time(moment)


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was left empty."""
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def schedule(hour: str, day: str) -> dict[str, Any]:
    """At a full hour, every day or on one day of the week, in the reference's five lists."""
    week: int | str = day if day == "*" else int(day)
    return {"minute": [0], "hour": [int(hour)], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": [week]}


def planned(form: forms.Form, present: Any) -> dict[str, Any]:
    """The schedule of a form with `hour` and `day`.

    While nobody touches them the present one stays, whatever its shape: a form shows only one hour and one day of it.
    """
    if isinstance(present, dict) and present and not {"hour", "day"} & set(form.changed_data):
        return present
    return schedule(form.cleaned_data["hour"], form.cleaned_data["day"])


def hour_and_day(given: Any) -> tuple[str, str]:
    """The first hour and day of a schedule; 6 o'clock every day where there is none to read."""
    plan = given if isinstance(given, dict) else {}
    hours, days = plan.get("hour"), plan.get("dayOfWeek")
    hour = str(hours[0]) if isinstance(hours, list) and hours else "6"
    day = str(days[0]).lower() if isinstance(days, list) and days else "*"
    day = WEEK.get(day[:3], day)
    known = {value for value, _ in DAYS}
    return (hour if hour.isdecimal() else "6"), (day if day in known else "*")
