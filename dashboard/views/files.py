"""Files of a source, passed on to a person: found on a list of the deployment, fetched with the source's token."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import close_old_connections
from django.http import Http404, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from dashboard.acts.section_files import LISTS, file_name
from dashboard.filters import View
from dashboard.pages import page
from dashboard.reader import PageRequest
from dashboard.shelf import Shelf
from monitoring import audit, downloads
from monitoring.downloads import Download, Unavailable
from monitoring.models import AuditAction, Watched


@page  # type: ignore[arg-type]  # which says HttpResponse and needs no more than its headers
@require_GET
def download(request: PageRequest, pk: int, kind: str, file_id: str) -> HttpResponseBase:
    """The file of an export, as the source made it."""
    watched = request.reader.watched_or_404(pk)
    role = request.reader.role_in(watched.source.team_id)
    if role is None or not role.may_change:
        raise PermissionDenied("Only owners and managers of the team download files of the source.")
    name = _name(request, watched, kind, file_id)
    try:
        found = downloads.begin(watched.source, f"datasets/{file_id}/file/", name)
    except Unavailable as why:
        messages.error(request, str(why), extra_tags="failing")
        return redirect(reverse("manage", args=[pk]) + "#exports")
    audit.note(
        AuditAction.DOWNLOADED,
        request.reader.user,
        team=watched.source.team,
        about=f"{found.name} ({watched.label})",
        detail={"kind": kind, "file": file_id, "source": watched.source.name, "bytes": found.size},
        request=request,
    )
    return _streamed(found)


def _name(request: PageRequest, watched: Watched, kind: str, file_id: str) -> str:
    """What the file is called; 404 unless a list of this deployment tells of it, so that nothing else can be had."""
    if kind not in LISTS:
        raise Http404("There is no such list of files.")
    now = timezone.now()
    shelf = Shelf(watched, View.parse({}, now, request.reader.zone), now)
    shelf.read([LISTS[kind]], again=timedelta(minutes=5))
    name = file_name(shelf, kind, file_id)
    if name is None:
        raise Http404("It is not on the list that the source last gave.")
    return name


def _streamed(found: Download) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(found, content_type=found.media_type)
    answer["Content-Disposition"] = content_disposition_header(True, found.name)
    answer["X-Content-Type-Options"] = "nosniff"
    if found.size is not None:
        answer["Content-Length"] = str(found.size)
    close_old_connections()  # the bytes may take minutes, and none of them comes from the database
    return answer
