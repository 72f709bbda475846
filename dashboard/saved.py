"""Saved views as the fleet shows them: the person's own, those of the teams, and the one it opens with."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.http import QueryDict

from dashboard.narrowing import canonical
from dashboard.reader import Reader
from monitoring.models import DefaultView, SavedView

MOST = 40


def of_reader(reader: Reader) -> QuerySet[SavedView]:
    """What a person may open: the own views and those of the teams."""
    return SavedView.objects.filter(Q(user=reader.user) | Q(team__in=reader.team_ids)).select_related("team")


def opening(reader: Reader) -> str:
    """What the fleet opens with for this person; "" for everything."""
    found = DefaultView.objects.filter(Q(view__user=reader.user) | Q(view__team__in=reader.team_ids), user=reader.user)
    return found.values_list("view__query", flat=True).first() or ""


def shelf(reader: Reader, query: QueryDict) -> dict[str, Any]:
    """The views beside the fleet, and what can be saved of the present address."""
    here = canonical(query)
    found = list(of_reader(reader)[:MOST])
    return {
        "own_views": [(view, view.query == here) for view in found if view.team_id is None],
        "team_views": [(view, view.query == here) for view in found if view.team_id is not None],
        "canonical": here,
        "sharing": any(membership.may_change for membership in reader.memberships),
        "acting_teams": [membership.team for membership in reader.memberships if membership.may_act],
    }
