"""Which review a person may see and act in."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404

from dashboard.reader import PageRequest
from monitoring.models import Review


def review_or_404(request: PageRequest, pk: int) -> Review:
    """The review; what other teams hold does not exist."""
    mine = Review.objects.filter(plan__team__in=request.reader.team_ids, pk=pk)
    found = mine.select_related("plan__team", "previous__plan", "signed_by").first()
    if found is None:
        raise Http404("There is no such review, or none of your teams.")
    return found


def may_act(request: PageRequest, review: Review) -> bool:
    """Whether the person may decide in it."""
    role = request.reader.role_in(review.plan.team_id)
    return role is not None and role.may_act


def acting(request: PageRequest, pk: int) -> Review:
    """The review, for somebody who may decide in it."""
    review = review_or_404(request, pk)
    if not may_act(request, review):
        raise PermissionDenied("Your role is read only: you may follow the review, not decide in it.")
    return review
