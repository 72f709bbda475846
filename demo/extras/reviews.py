"""The team's reviews: one held a week ago and signed, one open now, both built from the flights' own history.

They are made by the functions that people use, in the order in which people take the steps. What is decided follows
from the verdicts by one rule, so that nothing is said that the flights do not show.
"""

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.utils import timezone

from demo import watching
from demo.sending import Sender
from monitoring.models import (
    AgendaSection,
    Review,
    ReviewItem,
    ReviewPlan,
    ReviewState,
    ReviewVerdict,
    Status,
    Team,
    Watched,
)
from monitoring.reviews import meeting, schedule

NAME = "Weekly review"
ZONE = "America/New_York"
HOUR = 9
PATIENCE = 90.0
"""Seconds to wait for the watcher to judge the days before; without them the next load makes the reviews."""
DECIDED = {Status.FAILING: ReviewVerdict.ACT, Status.WARNING: ReviewVerdict.WATCH}
PROMISE = "Look whether a model trained on a window that holds this season does better"
HELD = timedelta(minutes=40)


def add(sender: Sender) -> None:
    """Hold last week's review and open this week's, as far as they are missing."""
    now = timezone.now()
    team, user = Team.objects.get(name=watching.TEAM), User.objects.get(username=watching.USERNAME)
    if _held(team) or _judged(team):
        hold(team, user, now)


def _held(team: Team) -> bool:
    """Whether last week's review is there: then the past is not waited for."""
    return Review.objects.filter(plan__team=team, state=ReviewState.SIGNED).exists()


def hold(team: Team, user: User, now: datetime) -> Review:
    """Last week's review, signed, then this week's, open; answers the open one."""
    plan = _plan(team, user, now)
    if not plan.reviews.filter(state=ReviewState.SIGNED).exists():
        _finish(meeting.open_review(plan, user, now, schedule.last_due(plan, now - timedelta(days=6))), user)
    return meeting.open_review(plan, user, now)


def _plan(team: Team, user: User, now: datetime) -> ReviewPlan:
    """Weekly on the weekday of seven days ago, so that one meeting lies a week back and the next one is due."""
    day = (now - timedelta(days=7)).astimezone(ZoneInfo(ZONE)).date()
    values = {
        "weekday": day.weekday(),
        "hour": HOUR,
        "time_zone": ZONE,
        "starts_on": day - timedelta(days=28),
        "created_by": user,
        "created_at": now - timedelta(days=28),
    }
    plan, made = ReviewPlan.objects.get_or_create(team=team, name=NAME, defaults=values)
    if made:
        plan.attendees.set([user])
    return plan


def _finish(review: Review, user: User) -> None:
    """Decide about every deployment, promise something about the worst, sign."""
    at = review.known_at
    meeting.attend(review, user, at)
    for item in review.items.filter(version=0):
        verdict = DECIDED.get(item.status, ReviewVerdict.ACCEPT)
        meeting.decide(item, user, item.version, verdict, note(item), at + HELD / 2)
    worst = review.items.filter(section=AgendaSection.DISCUSS, verdict=ReviewVerdict.ACT).first()
    if worst is not None and not review.actions.exists():
        due = (at + timedelta(days=6)).date()
        meeting.promise(review, worst, PROMISE, user, due, user, at + HELD / 2)
    meeting.accept_calm(review)
    meeting.sign(review, user, at + HELD)


def note(item: ReviewItem) -> str:
    """What the figures say, as somebody would write it down: `Data drift failing on 30 of 30 days.`"""
    told = []
    for area in item.areas:
        strip = item.figures["strips"][area.value]
        for letter, word in (("f", "failing"), ("w", "at risk")):
            if days := strip.count(letter):
                told.append(f"{area.label} {word} on {days} of {len(strip)} days")
    return f"{'; '.join(told)}." if told else ""


def _judged(team: Team) -> bool:
    """Whether the watcher has judged the past days by whole windows; waits a while for it."""
    watched = Watched.objects.filter(source__team=team, gone_at=None, batch_monitoring=False)
    past = watched.filter(last_prediction_at__isnull=False)
    deadline = time.monotonic() + PATIENCE
    while not (there := past.exists() and not past.filter(history_at=None).exists()):
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    return there
