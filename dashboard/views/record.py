"""What was signed: the record, the paper that it makes, and two records side by side."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.shortcuts import render as bare
from django.utils import timezone

from dashboard.charts.theme import STATUS_WORDS, STATUSES
from dashboard.pages import page, render
from dashboard.reader import PageRequest, Reader
from dashboard.reviews import record as records
from dashboard.reviews.access import review_or_404
from dashboard.reviews.paper import STYLE
from dashboard.reviews.standing import number_line
from monitoring.models import Review, ReviewState, Status
from monitoring.reviews import compare
from monitoring.reviews.records import promises_of

#: The paper stands alone: one file with its styles in it, that runs nothing and loads nothing.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox allow-modals"


def show(request: PageRequest, review: Review) -> HttpResponse:
    """The record with what is known now beside it."""
    now = timezone.now()
    context = contents(request.reader, review, now)
    context |= {"nav": "reviews", "following": review.following.filter(state=ReviewState.SIGNED).first()}
    return render(request, "dashboard/record.html", context, neighbours=False)


def contents(reader: Reader, review: Review, now: datetime, *, live: bool = True) -> dict[str, Any]:
    """Everything that the record's page and its paper show."""
    listed = records.entries(reader, review, now, live=live)
    before = review.previous
    compared = compare.compare(compare.standings(before), compare.standings(review)) if before is not None else None
    counts = Counter(one.verdict_word for one in listed)
    return {
        "review": review,
        "record": review.record,
        "now": now,
        "entries": listed,
        "verdict_counts": sorted(counts.items(), key=lambda pair: -pair[1]),
        "calm": records.calm_lines(review),
        "calm_count": len(review.record.get("calm", ())),
        "promises": records.promises(review),
        "team_actions": records.team_actions(review, now.date()),
        "compared": compared,
        "intact": review.is_intact,
    }


@page
def paper(request: PageRequest, pk: int) -> HttpResponse:
    """One page to print or to keep as a file: nothing but what was known then."""
    review = review_or_404(request, pk)
    if not review.is_signed:
        return redirect("review", pk)
    context = contents(request.reader, review, timezone.now(), live=False)
    response = bare(request, "dashboard/record_paper.html", context | {"style": STYLE, "reader": request.reader})
    response["Content-Security-Policy"] = POLICY
    return response


@page
def content(request: PageRequest, pk: int) -> HttpResponse:
    """The record as it was hashed, byte by byte."""
    review = review_or_404(request, pk)
    if not review.is_signed:
        raise Http404("This review is not signed yet: there is no record.")
    response = HttpResponse(review.content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="review-{review.pk}.json"'
    return response


@page
def comparison(request: PageRequest, pk: int) -> HttpResponse:
    """This review and the one before it."""
    review = review_or_404(request, pk)
    if review.previous is None:
        raise Http404("This is the first review of its kind: there is none before it.")
    items = list(review.items.all())
    mine = compare.standings(review) if review.is_signed else compare.open_standings(items, review.calm)
    found = compare.compare(compare.standings(review.previous), mine)
    groups = [
        ("Got worse", "failing", [_line(pair) for pair in found.worse]),
        ("Got better", "", [_line(pair) for pair in found.better]),
        ("New", "", [_line(pair) for pair in found.came]),
        ("No longer there", "", [_line(pair) for pair in found.went]),
        ("Did not change", "", [_line(pair) for pair in found.same if pair.now and pair.now.verdict != "calm"]),
    ]
    context = {
        "nav": "reviews",
        "review": review,
        "compared": found,
        "groups": [group for group in groups if group[2]],
        "matrix": matrix(found),
        "heads": [STATUS_WORDS[status] for status in _seen(found)],
        "promises": promises_of(review.previous),
        "today": timezone.now().astimezone(request.reader.zone).date(),
        "calm": sum(1 for pair in found.same if pair.now and pair.now.verdict == "calm"),
    }
    return render(request, "dashboard/record_compare.html", context, neighbours=False)


def matrix(found: compare.Comparison) -> list[tuple[str, list[tuple[int, str]]]]:
    """Rows by status then, cells by status now: how many areas, and whether that is better or worse."""
    seen = _seen(found)
    rows = []
    for then in seen:
        cells = []
        for now in seen:
            n = found.matrix.get((Status(then), Status(now)), 0)
            step = Status(now).severity - Status(then).severity
            cells.append((n, "" if not n or not step else "failing" if step > 0 else "passing"))
        rows.append((then, cells))
    return rows


def _seen(found: compare.Comparison) -> list[str]:
    """The statuses that occur, worst first."""
    there = {status for pair in found.matrix for status in pair}
    return [status for status in STATUSES if Status(status) in there]


def _line(pair: compare.Pair) -> dict[str, Any]:
    then, now = pair.then, pair.now
    numbers = []
    if then is not None and now is not None:
        moved = compare.moves({"measures": then.measures}, {"measures": now.measures})
        numbers = [number_line(one, None) for one in moved if one.key in {"accuracy", "drift"} and one.change]
    return {
        "label": pair.label,
        "watched": (now or then).watched_id if (now or then) else None,  # type: ignore[union-attr]
        "then": then.worst.value if then else "",
        "now": now.worst.value if now else "",
        "verdict_then": then.verdict if then else "",
        "verdict_now": now.verdict if now else "",
        "numbers": numbers,
    }
