"""What happened to a deployment, on one line of time and as a list; and what people wrote about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from urllib.parse import quote

from dashboard.charts.history import HISTORY, Happening, HistoryPoints
from dashboard.charts.words import shortened
from dashboard.story import Entry, Kind, entries
from dashboard.tabs.parts import Tab
from dashboard.tabs.subject import Subject
from monitoring import notes
from monitoring import questions as q
from monitoring.poll.areas import plain_ids
from monitoring.questions import Question

AGAIN = timedelta(minutes=10)
MOST_POLICIES = 5
MOST_LISTED = 300


@dataclass(frozen=True)
class Filter:
    """One kind that the list can be narrowed to."""

    word: str
    href: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Line:
    """One entry of the list, with what the reader may do to it."""

    entry: Entry
    may_change: bool = False

    @property
    def kind(self) -> str:
        return self.entry.kind.value


def build(subject: Subject, chosen: str = "", text: str = "") -> Tab:
    """The line of time of everything, then the list of the chosen kinds that holds the text."""
    read(subject)
    found = entries(subject)
    kinds = [kind for kind in Kind if kind.value in chosen.split(",")]
    wanted = text.strip().lower()
    shown = [one for one in found if (not kinds or one.kind in kinds) and wanted in f"{one.fact} {one.detail}".lower()]
    view = HISTORY.view(
        "history-main",
        points(subject, shown),
        caption="Everything that the watcher saw, the source told and people wrote, by the time at which it happened",
        foot="A line behind a mark: how long it lasted. Shapes and colours: the status.",
        csv_url=subject.csv_url("history", "main", f"kind={quote(chosen)}" if chosen else ""),
    )
    listed = [_line(subject, one) for one in shown[:MOST_LISTED]]
    role = subject.reader.role_in(subject.watched.source.team_id)
    return Tab(
        "dashboard/tab_history.html",
        {"main": view},
        more={
            "days": by_day(listed, subject),
            "filters": filters(subject, found, kinds, text),
            "total": len(shown),
            "left_out": max(0, len(shown) - MOST_LISTED),
            "kind": chosen,
            "text": text,
            "may_write": role is not None and role.may_act,
            "longest": notes.LONGEST,
            "at_value": subject.anchor.astimezone(subject.reader.zone).strftime("%Y-%m-%dT%H:%M"),
        },
    )


def read(subject: Subject) -> None:
    """What only the source can tell; the runs of a policy are known once the policies are."""
    asked: list[Question] = [q.model_history(), q.retraining_policies()]
    if subject.watched.batch_monitoring:
        asked.append(q.batches())
    subject.shelf.read(asked, again=AGAIN)
    known = plain_ids(subject.shelf.entries(q.retraining_policies()))
    subject.shelf.read([q.retraining_runs(policy) for policy in known[:MOST_POLICIES]], again=AGAIN)


def points(subject: Subject, shown: Sequence[Entry]) -> HistoryPoints:
    """A row for each kind of which something happened."""
    kinds = [kind for kind in Kind if any(one.kind is kind for one in shown)]
    clock = subject.clock
    return HistoryPoints(
        clock.start,
        clock.step,
        clock.n,
        tuple(kind.label for kind in kinds),
        tuple(
            Happening(one.at, kinds.index(one.kind), shortened(one.fact, 90), one.status, one.until) for one in shown
        ),
    )


def by_day(listed: Sequence[Line], subject: Subject) -> list[tuple[date, list[Line]]]:
    """The list, day by day of the reader."""
    zone = subject.reader.zone

    def day(one: Line) -> date:
        at: datetime = one.entry.at.astimezone(zone)
        return at.date()

    return [(when, list(lines)) for when, lines in groupby(listed, key=day)]


def filters(subject: Subject, found: Sequence[Entry], kinds: Sequence[Kind], text: str) -> list[Filter]:
    """`All`, then every kind of which something happened; each link adds or takes away its kind."""
    more = f"&text={quote(text)}" if text else ""

    def href(wanted: Sequence[Kind]) -> str:
        base = subject.url("history")
        query = f"kind={','.join(wanted)}" if wanted else ""
        joined = "&".join(part for part in (query, more.lstrip("&")) if part)
        return base + (("&" if "?" in base else "?") + joined if joined else "")

    listed = [Filter("All", href(()), len(found), not kinds)]
    for kind in Kind:
        count = sum(1 for one in found if one.kind is kind)
        if count or kind in kinds:
            toggled = [one for one in Kind if (one in kinds) is not (one is kind)]
            listed.append(Filter(kind.label, href(toggled), count, kind in kinds))
    return listed


def _line(subject: Subject, entry: Entry) -> Line:
    if entry.note is None:
        return Line(entry)
    role = subject.reader.role_in(subject.watched.source.team_id)
    return Line(entry, notes.may_change(entry.note, subject.reader.user, role))
