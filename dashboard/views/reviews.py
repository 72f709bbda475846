"""Reviews of the reader's teams: when the next is due, which is open, what was signed; and the plans behind them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.noting import noted
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.reviews.forms import PlanForm, today
from monitoring.audit import facts
from monitoring.models import ActionItem, ActionState, AuditAction, Review, ReviewPlan, ReviewState, Role
from monitoring.reviews import meeting, schedule

SIGNED = 8
TOLD = (
    *("name", "cadence", "weekday", "hour", "minute", "time_zone", "starts_on"),
    *("attendees", "importances", "tags", "active"),
)


@dataclass(frozen=True)
class PlanRow:
    """One plan with its open meeting and its newest records."""

    plan: ReviewPlan
    next_due: datetime
    late: bool
    open: Review | None
    signed: tuple[tuple[Review, Counter[str]], ...]
    role: Role | None

    @property
    def may_act(self) -> bool:
        return self.role is not None and self.role.may_act

    @property
    def may_change(self) -> bool:
        return self.role is not None and self.role.may_change


@page
def listing(request: PageRequest) -> HttpResponse:
    """Every plan of the reader's teams: four queries however many meetings there were."""
    now = timezone.now()
    reader = request.reader
    plans = list(ReviewPlan.objects.filter(team__in=reader.team_ids).select_related("team"))
    actions = ActionItem.objects.filter(team__in=reader.team_ids, state=ActionState.OPEN).aggregate(
        open=Count("pk"),
        overdue=Count("pk", filter=Q(due_on__lt=today(now, reader))),
        mine=Count("pk", filter=Q(owner=reader.user)),
    )
    context = {
        "nav": "reviews",
        "now": now,
        "rows": rows(plans, reader, now),
        "actions": actions,
        "may_plan": any(m.may_change for m in reader.memberships),
    }
    return render(request, "dashboard/reviews.html", context)


def rows(plans: list[ReviewPlan], reader: Reader, now: datetime) -> list[PlanRow]:
    """Plans with what became of them; meetings that are open first, then by when the next is due."""
    open_ones = {
        one.plan_id: one for one in Review.objects.filter(plan__in=plans, state=ReviewState.OPEN).select_related("plan")
    }
    newest = Review.objects.filter(plan__in=plans, state=ReviewState.SIGNED).select_related("signed_by")
    signed: dict[int, list[Review]] = {}
    for one in newest.defer("calm").order_by("-number")[: SIGNED * max(1, len(plans)) * 2]:
        signed.setdefault(one.plan_id, []).append(one)
    found = []
    for plan in plans:
        records = tuple((one, verdicts(one)) for one in signed.get(plan.pk, [])[:SIGNED])
        last = schedule.last_due(plan, now)
        newest_due = max((one.due_at for one, _ in records), default=None)
        late = plan.active and last is not None and (newest_due is None or newest_due < last) and last > plan.created_at
        due = last if late and last is not None else schedule.next_due(plan, now)
        role = reader.role_in(plan.team_id)
        found.append(PlanRow(plan, due, late, open_ones.get(plan.pk), records, role))
    return sorted(found, key=lambda row: (row.open is None, not row.plan.active, row.next_due))


def verdicts(review: Review) -> Counter[str]:
    """How often each verdict was given in a signed review."""
    return Counter(one["verdict"] for one in review.record.get("items", ()))


@page
@require_http_methods(["GET", "POST"])
def add(request: PageRequest) -> HttpResponse:
    """A new plan, for owners and managers."""
    if not any(m.may_change for m in request.reader.memberships):
        raise PermissionDenied("Only owners and managers of a team plan its reviews.")
    now = timezone.now()
    first = ReviewPlan(created_by=request.reader.user, created_at=now, starts_on=today(now, request.reader))
    form = PlanForm(request.POST or None, instance=first, reader=request.reader)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            plan = form.save()
            noted(request, AuditAction.REVIEW_PLANNED, plan.name, team=plan.team, after=facts(plan, *TOLD))
        messages.success(request, f"{plan.name} is planned.", extra_tags="passing")
        return redirect("reviews")
    return render(request, "dashboard/review_plan.html", {"nav": "reviews", "form": form, "plan": None})


@page
@require_http_methods(["GET", "POST"])
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Changes a plan; what was held stays as it was."""
    plan = plan_or_404(request, pk)
    role = request.reader.role_in(plan.team_id)
    if role is None or not role.may_change:
        raise PermissionDenied("Only owners and managers of a team plan its reviews.")
    before = facts(plan, *TOLD)
    form = PlanForm(request.POST or None, instance=plan, reader=request.reader)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            plan = form.save()
            after = facts(plan, *TOLD)
            noted(request, AuditAction.REVIEW_REPLANNED, plan.name, team=plan.team, before=before, after=after)
        messages.success(request, "Saved.", extra_tags="passing")
        return redirect("reviews")
    return render(request, "dashboard/review_plan.html", {"nav": "reviews", "form": form, "plan": plan})


@page
@require_POST
def start(request: PageRequest, pk: int) -> HttpResponse:
    """Opens the meeting, or joins the one that is open."""
    plan = plan_or_404(request, pk)
    role = request.reader.role_in(plan.team_id)
    if role is None or not role.may_act:
        raise PermissionDenied("Your role is read only: somebody else has to open the review.")
    now = timezone.now()
    with transaction.atomic():
        review = meeting.open_review(plan, request.reader.user, now)
        if review.opened_at == now:  # else somebody had opened it
            noted(request, AuditAction.REVIEW_OPENED, str(review), team=plan.team, told={"review": review.pk})
    return redirect("review", review.pk)


def plan_or_404(request: PageRequest, pk: int) -> ReviewPlan:
    found = ReviewPlan.objects.filter(team__in=request.reader.team_ids, pk=pk).select_related("team").first()
    if found is None:
        raise Http404("There is no such review, or none of your teams.")
    return found
