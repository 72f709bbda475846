"""What is, was and will be worked at for a deployment: each job a row, live while one is at work."""

from __future__ import annotations

from datetime import timedelta

from dashboard.charts import words
from dashboard.jobs import CHOICES, JobLine, lines
from dashboard.tabs.parts import Tab, Tile
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring.models import Status, TopicState

AGAIN = timedelta(minutes=2)
AT_WORK = timedelta(seconds=5)
"""How old the list may be while a job is at work."""


def build(subject: Subject, state: str = "") -> Tab:
    """Tiles, then the list: those at work first."""
    found = read(subject)
    shown = [one for one in found if one.fits(state)]
    base = subject.url("jobs")
    join = "&" if "?" in base else "?"
    choices = [(word, base + (f"{join}state={name}" if name else ""), name == state) for name, word in CHOICES]
    return Tab(
        "dashboard/tab_jobs.html",
        {},
        tiles(found),
        {"jobs": shown, "choices": choices, "offered": offered(subject), "call": subject.api_url(q.jobs())},
    )


def read(subject: Subject) -> list[JobLine]:
    """The jobs as last told; asked again within seconds while one is at work."""
    subject.shelf.read([q.jobs()], again=AGAIN)
    found = lines(subject.shelf.payload(q.jobs()), subject.watched)
    if any(one.is_open for one in found):
        subject.shelf.ask_again(q.jobs(), AT_WORK)
    return found


def offered(subject: Subject) -> bool:
    """Whether the source has such a list; it is an extension of the reference."""
    return subject.shelf.state(q.jobs()) is not TopicState.REFUSED


def tiles(found: list[JobLine]) -> tuple[Tile, ...]:
    """How many are at work, done and failed among those that are listed."""
    if not found:
        return ()
    at_work = sum(1 for one in found if one.is_open)
    failed = sum(1 for one in found if one.state == "ERROR")
    done = sum(1 for one in found if one.state == "COMPLETED")
    note = f"of the newest {words.count(len(found), 'job')}"
    return (
        Tile("At work", words.number(at_work, 0), note="waiting or running"),
        Tile("Done", words.number(done, 0), note=note),
        Tile("Failed", words.number(failed, 0), note=note, status=Status.FAILING if failed else ""),
    )
