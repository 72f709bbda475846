"""Everything that can be done with a deployment at its source, in one place."""

from __future__ import annotations

from dashboard.acts.sections import sections
from dashboard.tabs.parts import Tab
from dashboard.tabs.subject import Subject


def build(subject: Subject) -> Tab:
    """The sections of the reader; only owners and managers get buttons, everybody sees what there is."""
    role = subject.reader.role_in(subject.watched.source.team_id)
    may = role is not None and role.may_change
    more = {"sections": sections(subject), "may_change": may, "gone": subject.watched.gone_at is not None}
    return Tab("dashboard/tab_manage.html", timeless=True, more=more)
