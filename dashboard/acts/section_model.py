"""What the deployed model runs with, where, and as what it can be taken along."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from dashboard.acts.buttons import Button
from dashboard.acts.case import Case, name_of
from dashboard.acts.section import Line, Section, buttons, listed, told
from dashboard.acts.section_files import SCORING, may_download
from dashboard.charts import words
from monitoring import questions as q
from monitoring.clock import parse_time
from monitoring.commands import KINDS, id_of, obstacle
from monitoring.models import CommandKind as C
from monitoring.models import Role


def runtime(case: Case) -> Section:
    """Each parameter with what holds."""
    question = q.runtime_parameters()
    rows = [one for one in case.shelf.entries(question) if isinstance(one.get("fieldName"), str)]
    known, refused = told(case, question)
    return Section(
        "runtime",
        "Runtime parameters",
        text="What this deployment passes to its model, within what the model's package defines." if rows else "",
        lines=tuple(_parameter(one) for one in rows),
        buttons=buttons(case, C.RUNTIME) if rows else (),
        empty="The model's package defines no runtime parameters.",
        known=known,
        refused=refused,
    )


def _parameter(one: dict[str, Any]) -> Line:
    own, default = one.get("overrideValue"), one.get("defaultValue")
    holds = own if own is not None else default
    facts = (
        str(one.get("type") or ""),
        "nothing set" if holds is None else f"now {_said(holds)}",
        f"the package says {_said(default)}" if own is not None and default is not None else "",
        str(one.get("description") or ""),
    )
    return Line(str(one["fieldName"]), facts, tag="set here" if own is not None else "")


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return words.number(value) if isinstance(value, int | float) else words.shortened(str(value), 60)


def secondary(case: Case) -> Section:
    """The sets that can be chosen, the one in use first told."""
    use = next(iter(case.shelf.entries(q.secondary_in_use())), {})

    def line(case: Case, one: dict[str, Any]) -> Line:
        rows = [row for row in one.get("secondaryDatasets") or () if isinstance(row, dict)]
        made, used = parse_time(one.get("created")), one["id"] == use.get("configId")
        facts = (
            ", ".join(str(row.get("identifier")) for row in rows[:6]),
            f"made {made:%Y-%m-%d} UTC" if made else "",
            "deleted" if one.get("isDeleted") else "",
        )
        gone = one.get("isDeleted") is True
        kinds = () if gone else (C.SECONDARY_DELETE,) if used else (C.SECONDARY_USE, C.SECONDARY_DELETE)
        return Line(name_of(one), facts, buttons(case, *kinds, thing=one), tag="in use" if used else "")

    return listed(
        *(case, q.secondary_sets(), "secondary", "Secondary datasets", line),
        buttons=buttons(case, C.SECONDARY_CREATE),
        empty="No set yet: a set says in which datasets the model looks things up when it predicts.",
    )


def servers(case: Case) -> Section:
    """Where predictions are made, this deployment's first."""
    own = case.shelf.payload(q.details()).get("defaultPredictionServer")
    mine = id_of(own) if isinstance(own, dict) else None
    question = q.prediction_servers()
    rows = sorted(case.shelf.entries(question), key=lambda one: (id_of(one) != mine, str(one.get("url"))))
    return Section(
        "servers",
        "Prediction servers",
        lines=tuple(_server(one, mine) for one in rows),
        empty="The source names no prediction server: predictions are made elsewhere and sent to it.",
        known=bool(case.shelf.payload(question)) or question.path in case.shelf.refused(),
        refused="The source does not offer this." if question.path in case.shelf.refused() else "",
    )


def _server(one: dict[str, Any], mine: Any) -> Line:
    work = one.get("batchPredictions")
    work = work if isinstance(work, dict) else {}
    facts = tuple(
        f"{words.count(value, 'batch prediction')} {word}"
        for word, value in (("under way", work.get("processing")), ("waiting", work.get("queued")))
        if isinstance(value, int)
    )
    return Line(str(one.get("url") or ""), facts, tag="this deployment's" if mine and id_of(one) == mine else "")


def scoring(case: Case) -> Section:
    """The model as an archive, where its package came with one."""
    why = obstacle(Role.OWNER, KINDS[C.SCORING_CODE.value], case.capabilities)  # the source's objection alone
    offered: tuple[Button, ...] = ()
    if may_download(case) and not why:
        base = [case.watched.pk, "scoring"]
        offered = tuple(Button(word, reverse("download", args=[*base, key])) for key, (word, _, _) in SCORING.items())
    return Section(
        "scoring",
        "Scoring code",
        text="The model as a program that predicts without a server."
        if not why
        else "The model was registered without a program that predicts without a server.",
        buttons=(*buttons(case, C.SCORING_CODE), *offered) if not why else (),
    )
