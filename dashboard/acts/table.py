"""Who may do what, as a table: the documentation holds it, a test compares, another walks it."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard.acts.rows import ACTS
from monitoring.bulk import BULKS
from monitoring.commands import KINDS
from monitoring.models import CommandKind, Role

#: Commands that have a page of their own instead of an act.
PAGES = (CommandKind.MODEL_REPLACE, CommandKind.DATA_DELETE, CommandKind.SETTINGS, CommandKind.HEALTH_SETTINGS)

#: Write operations of the reference that no page asks for, and why.
ELSEWHERE = {
    "POST actuals/fromJSON/": "Programs send actuals as they come true; people send a file (*Rows from a file*).",
    "POST deployments/fromLearningModel/": "*Register a model* makes the deployment of a registered model, with the "
    "same fields, and shows its baselines first.",
    "PATCH deletedDeployments/": "It erases deployments of anybody for good and is for administrators of the service; "
    "a page of one team does not offer it.",
}


def elsewhere() -> str:
    """The reasons as a table for docs/operations.md."""
    head = "| operation | why no page asks for it |\n| --- | --- |\n"
    return head + "".join(f"| `{operation}` | {why} |\n" for operation, why in ELSEWHERE.items())


def rows() -> Iterator[tuple[str, str, str, str]]:
    """(what, roles, how it is asked, what happens when the answer is lost) of every change at a source."""
    managers = _roles(changes=True)
    for slug, act in ACTS.items():
        first = "at once" if act.at_once else "after a form that says what will happen" if act.warns else "after a form"
        how = f"{first}, the name typed" if act.typed else first
        yield _words(act.command.does), managers, how, str(KINDS[slug].repeat.value)
    for kind in PAGES:
        how = "after the 19 checks" if kind is CommandKind.MODEL_REPLACE else "after a form"
        how = "after the count, the name typed" if kind is CommandKind.DATA_DELETE else how
        yield _words(KINDS[kind.value].does), managers, how, str(KINDS[kind.value].repeat.value)
    yield "Download a file of an export", managers, "at once", "nothing is changed"
    for bulk in BULKS.values():
        yield f"Many at once: {bulk.word.lower()}", _roles(changes=bulk.changes), "after a list of what happens", "safe"


def markdown() -> str:
    """The table as it stands in docs/operations.md."""
    head = "| what | who | how | answer lost |\n| --- | --- | --- | --- |\n"
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows())


def _roles(*, changes: bool) -> str:
    return ", ".join(role.label.lower() for role in Role if (role.may_change if changes else role.may_act))


def _words(does: str) -> str:
    return does.format(name="…")


__all__ = ["ELSEWHERE", "elsewhere", "markdown", "rows"]
