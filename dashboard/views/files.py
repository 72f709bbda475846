"""Files of a source, passed on to a person: found on a list of the deployment, fetched with the source's token."""

from __future__ import annotations

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

from dashboard.acts.section_files import KINDS, Found, find
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
    wanted = _wanted(request, watched, kind, file_id)
    try:
        found = downloads.begin(watched.source, wanted.path, wanted.name)
    except Unavailable as why:
        messages.error(request, str(why), extra_tags="failing")
        place = kind if kind in {"reports", "scoring"} else "exports"
        return redirect(reverse("manage", args=[pk]) + f"#{place}")
    try:
        audit.note(
            AuditAction.DOWNLOADED,
            request.reader.user,
            team=watched.source.team,
            about=f"{found.name} ({watched.label})",
            detail={"kind": kind, "file": file_id, "source": watched.source.name, "bytes": found.size},
            request=request,
        )
    except BaseException:
        found.close()  # nobody else gives its place back
        raise
    return _streamed(found)


def _wanted(request: PageRequest, watched: Watched, kind: str, file_id: str) -> Found:
    """The file; 404 unless a list of this deployment tells of it."""
    if kind not in KINDS:
        raise Http404("There is no such list of files.")
    now = timezone.now()
    wanted = find(Shelf(watched, View.parse({}, now, request.reader.zone), now), kind, file_id)
    if wanted is None:
        raise Http404("It is not on the list that the source last gave.")
    return wanted


def _streamed(found: Download) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(found, content_type=found.media_type)
    answer["Content-Disposition"] = content_disposition_header(True, found.name)
    answer["X-Content-Type-Options"] = "nosniff"
    if found.size is not None:
        answer["Content-Length"] = str(found.size)
    close_old_connections()  # the bytes may take minutes, and none of them comes from the database
    return answer
