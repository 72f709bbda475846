"""The settings tab: sections at the left, one form in the middle, what it would have done at the right."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import QueryDict

from dashboard import seen
from dashboard.controls import history, present
from dashboard.controls.form import SectionForm, section_form
from dashboard.tabs.parts import Tab
from dashboard.tabs.subject import Subject
from monitoring import alike
from monitoring.configuration.edits import Edit, Payload
from monitoring.configuration.fields import BY_SLUG, HEALTH_SECTIONS, MONITORING_SECTIONS, SECTIONS, Section
from monitoring.configuration.loosening import Loosening
from monitoring.configuration.present import QUESTIONS
from monitoring.configuration.values import Known
from monitoring.models import CommandKind

FIRST, CHANGES = "drift", "changes"


@dataclass(frozen=True)
class Asking:
    """What the page asks before it saves: what lets more pass, or what was changed at the source meanwhile.

    `unseen`: why it is not known what the person saw.
    """

    loosens: tuple[Loosening, ...] = ()
    moved: tuple[Edit, ...] = ()
    unseen: str = ""


def build(subject: Subject, query: QueryDict) -> Tab:
    """The section of the address; fields that the address names are filled in as proposed."""
    if query.get("section") == CHANGES:
        return _changes(subject)
    section = BY_SLUG.get(query.get("section", FIRST), BY_SLUG[FIRST])
    form = section_form(section, load(subject, section), known(subject), query)
    return tab(subject, form)


def load(subject: Subject, section: Section) -> Payload:
    """The present answer of the section."""
    subject.shelf.read([QUESTIONS[section.kind]])
    return present.payload(subject, section.kind)


def known(subject: Subject) -> Known:
    """What there is to choose from."""
    return present.known(subject.watched, subject.anchor)


def tab(subject: Subject, form: SectionForm, asking: Asking | None = None) -> Tab:
    """The tab around a form that may hold what was posted."""
    last = history.changed(subject, known(subject), section=form.section, limit=1)
    return Tab(
        "dashboard/tab_settings.html",
        timeless=True,
        more={
            "form": form,
            "last": last[0] if last else None,
            "section": form.section,
            "lists": _lists(subject, form.section.slug),
            "asking": asking,
            "seen": seen.sealed(form.shown, *about(subject, form.section)),
            "may_change": may_change(subject),
            "alike": _alike(subject, form.section),
            "past": subject.view.as_of,
        },
    )


def about(subject: Subject, section: Section) -> tuple[str, str, int]:
    """Which form it is that somebody saw."""
    return "settings", section.slug, subject.watched.pk


def may_change(subject: Subject) -> bool:
    """Owners and managers, about the present, where there is something to change."""
    role = subject.reader.role_in(subject.watched.source.team_id)
    there = subject.watched.gone_at is None and subject.view.as_of is None
    return there and role is not None and role.may_change


def _alike(subject: Subject, section: Section) -> int:
    """How many deployments are like this one, where a change may be carried to them."""
    return alike.like(subject.watched).count() if section.kind in alike.KINDS and may_change(subject) else 0


def _changes(subject: Subject) -> Tab:
    """What was changed, by whom, and a way back."""
    subject.shelf.read(QUESTIONS.values())
    found = history.changed(subject, known(subject))
    more = {"changes": found, "lists": _lists(subject, CHANGES), "may_change": may_change(subject)}
    return Tab("dashboard/tab_changes.html", timeless=True, more=more)


def address(subject: Subject, slug: str, **values: str) -> str:
    """The tab at a section; `values` fill fields in."""
    base = subject.url("settings")
    return f"{base}{'&' if '?' in base else '?'}{urlencode({'section': slug, **values})}"


def _lists(subject: Subject, current: str) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """(heading, [(word, address, chosen)]) of the left side."""
    about = tuple(one for one in SECTIONS if one.kind is CommandKind.DETAILS)
    found = [
        (heading, [(one.word, address(subject, one.slug), one.slug == current) for one in sections])
        for heading, sections in (("Health", HEALTH_SECTIONS), ("Monitoring", MONITORING_SECTIONS), ("About", about))
    ]
    found[-1][1].append(("Changes", address(subject, CHANGES), current == CHANGES))
    return found
