"""One act: its form, and the command that follows from it. Dangerous ones say first what they will do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from dashboard import seen
from dashboard.acting import act_on
from dashboard.acts import forms
from dashboard.acts.case import Case, entries
from dashboard.acts.rows import ACTS, OPTIONAL_THING, Act
from dashboard.filters import View
from dashboard.pages import page, part, render
from dashboard.reader import PageRequest
from dashboard.shelf import Shelf, number
from monitoring import commands
from monitoring import questions as q
from monitoring.commands import KINDS, Kind, files
from monitoring.models import Command, CommandKind, TopicState, Watched
from monitoring.models.commands import new_key
from monitoring.questions import Question

#: What an address does not fill in: the name that is typed to agree, and what only a browser can choose.
NEVER_GIVEN = frozenset({"typed", "file"})
#: Where the page shows what was asked for, until it is decided and after.
ASKED = "#commands"


@page
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: PageRequest, pk: int, kind: str) -> HttpResponse:
    """The form of an act; posted, it becomes a command."""
    found = ACTS.get(kind)
    if found is None:
        raise Http404("There is no such act.")
    watched = request.reader.watched_or_404(pk)
    case = case_of(request, watched, found.form.asks, found)
    allowed(case, found.command)
    if request.method != "POST" or _unseen(case, found):
        return _page(request, case, _proposed(request, found.form(case=case, typed=found.typed)), found)
    try:
        case = _as_shown(request, case, found)
    except seen.NotSeen as told:
        return _page(request, case, found.form(case=case, typed=found.typed), found, refused=str(told))
    form = found.form(request.POST, request.FILES or None, case=case, typed=found.typed)
    if form.is_valid():
        command = _ask(request, case, found, form)
        if found.kind is CommandKind.MODEL_CHECK:
            return redirect("act-replace", pk, command.pk)
        return redirect(reverse("manage", args=[pk]) + ASKED)
    return _page(request, case, form, found)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def data(request: PageRequest, pk: int) -> HttpResponse:
    """Deleting monitoring data: which, then how many that is, then the name typed."""
    watched = request.reader.watched_or_404(pk)
    case = case_of(request, watched, forms.DataForm.asks)
    kind = KINDS[CommandKind.DATA_DELETE.value]
    allowed(case, kind)
    asked = request.POST if request.method == "POST" else request.GET if "start_at" in request.GET else None
    form = forms.DataForm(asked, case=case, typed=request.method == "POST")
    rows, coming = None, False
    if asked is not None and _counted(form):
        case.shelf.read([form.counts()])
        coming = form.counts() in case.shelf.want_missing(request.reader)
        rows = _rows(case, form.counts())
    if request.method == "POST" and form.is_valid() and rows is not None:
        act_on(request, watched, kind.slug, form.body(), name=watched.label)
        return redirect(reverse("manage", args=[pk]) + ASKED)
    context = {
        "nav": "deployment",
        "watched": watched,
        "form": form,
        "rows": rows,
        "coming": coming,
        "counted": form.told(rows) if rows is not None else "",
        "confirm": forms.DataForm(None, case=case, typed=True),
    }
    if request.htmx:
        return part(request, "dashboard/_act_data.html", context)
    return render(request, "dashboard/act_data.html", context, around=pk)


def allowed(case: Case, kind: Kind) -> None:
    """403 with the reason, for whom or where this cannot be asked for."""
    if reason := commands.obstacle(case.role, kind, case.capabilities):
        raise PermissionDenied(reason)
    if case.watched.gone_at is not None:
        left_out = case.watched.left_out_at is not None
        why = (
            "The team leaves this deployment unwatched." if left_out else "The source no longer lists this deployment."
        )
        raise PermissionDenied(why)


def case_of(request: PageRequest, watched: Watched, asks: tuple[Question, ...], found: Act | None = None) -> Case:
    """The case with its thing; what the form needs and is not known is asked for at once."""
    now = timezone.now()
    shelf = Shelf(watched, View.parse({}, now, request.reader.zone), now)
    optional = OPTIONAL_THING.get(found.kind.value) if found else None
    things = (found.things or optional) if found else None
    of, form = (found.of, found.form) if found else (None, forms.ActForm)
    shelf.read(asks, again=form.fresh)
    shelf.read([q.capabilities(), *(one for one in (things, of) if one is not None)])
    on_its_way = shelf.want_missing(request.reader)
    coming = any(one in on_its_way for one in asks)
    wanted = request.GET.get("thing", "")
    thing, parent = dict[str, Any](), dict[str, Any]()
    if of is not None:
        parent, thing = _run_of(shelf, of, wanted)
    elif things is not None and (optional is None or wanted):
        thing = _on_list(shelf, things, wanted)
    return Case(request.reader, watched, shelf, now, thing, parent, form.settings(watched, shelf), coming)


def _on_list(shelf: Shelf, things: Question, wanted: str) -> dict[str, Any]:
    for one in entries(shelf, things):
        if one["id"] == wanted:
            return one
    raise Http404("It is not on the list that the source last gave.")


def _proposed(request: PageRequest, form: forms.ActForm) -> forms.ActForm:
    """The form with what the address fills in."""
    form.initial.update(
        (name, request.GET[name]) for name in form.fields if name in request.GET and name not in NEVER_GIVEN
    )
    return form


def _as_shown(request: PageRequest, case: Case, found: Act) -> Case:
    """The case as it was when the form was shown. Raises NotSeen."""
    if not found.guarded:
        return case
    thing, settings = seen.opened(request.POST.get(seen.NAME, ""), *_about(case, found))
    return replace(case, thing=thing, settings=settings)


def _about(case: Case, found: Act) -> tuple[str, int, str]:
    return found.kind.value, case.watched.pk, case.target


def _unseen(case: Case, found: Act) -> bool:
    """Whether the present values that the form starts from are not known: nobody can have decided about them."""
    return found.form.shows is not None and not case.shelf.payload(found.form.shows)


def _waits(case: Case, found: Act) -> bool:
    """Whether the form is not shown yet: something of it is on its way, and did not fail when it was last asked."""
    failed = {TopicState.FAILED, TopicState.MALFORMED}
    lost = any(case.shelf.state(one) in failed for one in found.form.asks)
    return _unseen(case, found) or (case.coming and not lost)


def _run_of(shelf: Shelf, policies: Question, run_id: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The policy whose latest run it is, and the run."""
    for policy in entries(shelf, policies):
        run = policy.get("latestRun")
        if isinstance(run, dict) and run.get("id") == run_id and run_id:
            return policy, run
    raise Http404("It is not among the latest runs that the source last gave.")


def _ask(request: PageRequest, case: Case, found: Act, form: forms.ActForm) -> Command:
    """The command of a valid form."""
    body = form.body()
    if found.kind in {CommandKind.BATCH_LOCK, CommandKind.BATCH_UNLOCK}:
        body = {"isLocked": found.kind is CommandKind.BATCH_LOCK}
    if found.kind in {CommandKind.ACTIVATE, CommandKind.DEACTIVATE}:
        body = {"status": "active" if found.kind is CommandKind.ACTIVATE else "inactive"}
    target = form.target() or (case.target if "{" in found.command.path else "")
    read = form.read()
    if read is None:
        shown = case.thing if found.form.shows is None and case.thing else case.settings
        read = {name: shown[name] for name in found.reads if name in shown}
    if form.upload is None:
        return act_on(request, case.watched, found.kind, body, read, target=target, name=_name(case, form))
    return _with_file(request, case, found, form, body, target)


def _with_file(
    request: PageRequest, case: Case, found: Act, form: forms.ActForm, body: dict[str, Any], target: str
) -> Command:
    """The command with its file, which is kept first and taken away again where nothing became of it."""
    key = new_key()
    body = {"file": files.keep(key, form.upload), **body}
    made = None
    try:
        made = act_on(request, case.watched, found.kind, body, target=target, name=_name(case, form), key=key)
    finally:
        if made is None or made.key != key:  # not allowed, or the same form sent again
            files.drop(key)
    return made


def _name(case: Case, form: forms.ActForm) -> str:
    """What the command's sentence calls the thing."""
    if case.thing or case.of:
        return case.name
    values = form.cleaned_data
    package = values.get("package")
    chosen = dict(case.packages()).get(package) if package else None
    named = values.get("name") or values.get("batch_name") or chosen or package
    return str(named or case.watched.label)


def _page(request: PageRequest, case: Case, form: forms.ActForm, found: Act, refused: str = "") -> HttpResponse:
    on_list = bool(case.thing or case.of)
    word = found.word if on_list else found.for_new or found.word
    context = {
        "nav": "deployment",
        "watched": case.watched,
        "form": form,
        "title": found.title.format(name=case.name) if on_list or found.section == "deployment" else word,
        "word": word,
        "act": found,
        "warning": found.warns(case) if found.warns else "",
        "danger": found.typed,
        "waits": (request.method != "POST" and _waits(case, found)) or _unseen(case, found),
        "back": reverse("manage", args=[case.watched.pk]) + f"#{found.section}",
        "seen": seen.sealed([case.thing, case.settings], *_about(case, found)) if found.guarded else "",
        "refused": refused,
    }
    return render(request, "dashboard/act.html", context, around=case.watched.pk, status=422 if refused else 200)


def _counted(form: forms.DataForm) -> bool:
    """Whether the period and the model are there, whatever was typed."""
    form.is_valid()
    return not any(name in form.errors for name in ("start_at", "end_at", "model"))


def _rows(case: Case, question: Question) -> float | None:
    """How many predictions the period holds; None while it is not known."""
    if question in case.shelf.missing():
        return None
    return sum(number(bucket.values, "rowCount") or 0.0 for bucket in case.shelf.buckets(question))
