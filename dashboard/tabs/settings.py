"""The settings tab: sections at the left, one form in the middle, what it would have done at the right."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from dashboard.controls import present
from dashboard.controls.form import SectionForm, section_form
from dashboard.tabs.parts import Tab
from dashboard.tabs.subject import Subject
from monitoring.configuration.edits import Edit, Payload
from monitoring.configuration.fields import BY_SLUG, HEALTH_SECTIONS, MONITORING_SECTIONS, SECTIONS, Section
from monitoring.configuration.loosening import Loosening
from monitoring.configuration.values import Known
from monitoring.models import CommandKind

FIRST = "drift"


@dataclass(frozen=True)
class Asking:
    """What the page asks before it saves: what lets more pass, or what was changed at the source meanwhile."""

    loosens: tuple[Loosening, ...] = ()
    moved: tuple[Edit, ...] = ()


def build(subject: Subject, query: QueryDict) -> Tab:
    """The section of the address; fields that the address names are filled in as proposed."""
    section = BY_SLUG.get(query.get("section", FIRST), BY_SLUG[FIRST])
    form = section_form(section, load(subject, section), known(subject), query)
    return tab(subject, form)


def load(subject: Subject, section: Section) -> Payload:
    """The present answer of the section."""
    subject.shelf.read([present.QUESTIONS[section.kind]])
    return present.payload(subject, section.kind)


def known(subject: Subject) -> Known:
    """What there is to choose from."""
    return present.known(subject.watched, subject.anchor)


def tab(subject: Subject, form: SectionForm, asking: Asking | None = None) -> Tab:
    """The tab around a form that may hold what was posted."""
    return Tab(
        "dashboard/tab_settings.html",
        timeless=True,
        more={
            "form": form,
            "section": form.section,
            "lists": _lists(subject, form.section),
            "asking": asking,
            "may_change": may_change(subject),
            "past": subject.view.as_of,
        },
    )


def may_change(subject: Subject) -> bool:
    """Owners and managers, about the present, where there is something to change."""
    role = subject.reader.role_in(subject.watched.source.team_id)
    there = subject.watched.gone_at is None and subject.view.as_of is None
    return there and role is not None and role.may_change


def _lists(subject: Subject, current: Section) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """(heading, [(word, address, chosen)]) of the left side."""
    about = tuple(one for one in SECTIONS if one.kind is CommandKind.DETAILS)
    base = subject.url("settings")
    join = "&" if "?" in base else "?"
    return [
        (
            heading,
            [(one.word, f"{base}{join}section={one.slug}", one is current) for one in sections],
        )
        for heading, sections in (("Health", HEALTH_SECTIONS), ("Monitoring", MONITORING_SECTIONS), ("About", about))
    ]
