"""Rows from files, and reports."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from dashboard.acts.buttons import Button
from dashboard.acts.case import Case, entries, name_of
from dashboard.acts.forms.base import DAYS, WEEK
from dashboard.acts.section import OLD, Line, Section, buttons, told
from dashboard.acts.section_files import is_plain, may_download, reports_of
from dashboard.charts import words
from dashboard.shelf import number
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.models import CommandKind as C


def sending(case: Case) -> Section:
    """The two ways in for files."""
    return Section(
        "sending",
        "Rows from a file",
        text="What was predicted, or what came true, from a CSV, NDJSON or Parquet file. All of its rows are taken "
        "in, or none, and what is wrong is told by line.",
        buttons=buttons(case, C.PREDICTIONS_DATASET, C.ACTUALS_DATASET),
    )


def reported(case: Case) -> Section:
    """The reports that are about this deployment, each with the last page that it made."""
    mine = reports_of(case.shelf)
    case.shelf.read([q.report_runs(one["id"]) for one in mine], again=OLD)
    question = q.scheduled_reports()
    known, refused = told(case, question)
    return Section(
        "reports",
        "Reports",
        text="Pages about the health of deployments that the source makes and mails by itself.",
        lines=tuple(_report(case, one) for one in mine),
        buttons=buttons(case, C.REPORT_CREATE) if not refused else (),
        empty="No report yet: it is made on a schedule, or when somebody asks for it.",
        known=known,
        refused=refused,
    )


def _report(case: Case, one: dict[str, Any]) -> Line:
    people = one.get("recipients") or []
    following = parse_time(one.get("nextAt"))
    others = len(one.get("deploymentIds") or ()) - 1
    facts = (
        _when(one.get("schedule")),
        f"next {following:%Y-%m-%d %H:%M} UTC" if following else "",
        f"looks back {words.count(int(number(one, 'days') or 0), 'day')}",
        f"to {', '.join(map(str, people[:3]))}{' …' if len(people) > 3 else ''}" if people else "mailed to nobody",
        f"and about {words.count(others, 'other deployment')}" if others > 0 else "",
    )
    last, page = _last(case, one["id"])
    kinds = (C.REPORT_RUN, C.REPORT_UPDATE, C.REPORT_DELETE)
    offered = (*page, *buttons(case, *kinds, thing=one))
    return Line(name_of(one), (*facts, last), offered, tag="" if one.get("enabled") is not False else "off")


def _last(case: Case, report_id: str) -> tuple[str, tuple[Button, ...]]:
    """How the last run went, and its page."""
    run = next(iter(entries(case.shelf, q.report_runs(report_id))), None)
    if run is None:
        return "never made", ()
    due, mails = parse_time(run.get("dueAt")), [one for one in run.get("mails") or () if isinstance(one, dict)]
    lost = sum(one.get("state") == "failed" for one in mails)
    last = f"last {str(run.get('status') or '').lower()}{f' {due:%Y-%m-%d %H:%M} UTC' if due else ''}"
    last += f", {words.count(lost, 'mail')} not delivered" if lost else ""
    file_id = run.get("datasetId")
    if not is_plain(file_id) or not may_download(case):
        return last, ()
    return last, (Button("Download the page", reverse("download", args=[case.watched.pk, "reports", file_id])),)


def _when(plan: Any) -> str:
    """`every Monday at 06:00 UTC`; schedules of another shape are told as they are."""
    if not isinstance(plan, dict) or not plan:
        return "made when asked"
    minutes, hours, days = (plan.get(part) for part in ("minute", "hour", "dayOfWeek"))
    week = dict(DAYS)
    single = all(isinstance(one, list) and len(one) == 1 for one in (minutes, hours, days))
    if single and all(plan.get(part) in (["*"], None) for part in ("dayOfMonth", "month")):
        day, hour, minute = WEEK.get(str(days[0]).lower()[:3], str(days[0])), str(hours[0]), str(minutes[0])  # type: ignore[index]
        if day in week and hour.isdecimal() and minute.isdecimal():
            name = week[day] if day == "*" else f"every {week[day]}"
            return f"{name} at {int(hour):02d}:{int(minute):02d} UTC"
    return "on a schedule of its own"
