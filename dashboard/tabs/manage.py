"""Everything that can be done with a deployment at its source, in one place."""

from __future__ import annotations

from dashboard.acts.sections import sections
from dashboard.incidents import person
from dashboard.tabs.parts import Tab
from dashboard.tabs.subject import Subject


def build(subject: Subject) -> Tab:
    """The sections of the reader; only owners and managers get buttons, everybody sees what there is."""
    role = subject.reader.role_in(subject.watched.source.team_id)
    may = role is not None and role.may_change
    watched = subject.watched
    more = {
        "sections": sections(subject),
        "may_change": may,
        "gone": watched.gone_at is not None,
        "away": watched.left_out_at is not None,
        "left_by": person(watched.left_out_by) if watched.left_out_at is not None else "",
    }
    return Tab("dashboard/tab_manage.html", timeless=True, more=more)
