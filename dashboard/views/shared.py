"""What a share link opens, without logging in: one page, its charts as files where that was chosen, nothing else."""

from __future__ import annotations

from datetime import datetime

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render as bare

from dashboard.sharing.guest import opened
from dashboard.sharing.pages import page_of, tab_of
from dashboard.sharing.wall import wall
from dashboard.views.charts import table_of, text
from monitoring.models import ShareKind, ShareLink

#: A page is made once in this time, however many people look.
KEPT = 20


@opened(ShareKind.DEPLOYMENT, ShareKind.FLEET, ShareKind.INCIDENT, ShareKind.WALL)
def show(request: HttpRequest, link: ShareLink | None, token: str = "", now: datetime | None = None) -> HttpResponse:
    """The page of a link; ended, revoked and invented ones look alike."""
    if link is None or now is None:
        return bare(request, "shared/gone.html", {"theme": "system"}, status=404)
    if link.kind == ShareKind.WALL:
        return wall(request, [link.team_id], link.query, link.team.name, link.time_zone, now, people=False)
    key = f"shared-page:{link.pk}:{request.GET.get('page', '')[:6]}"
    html = cache.get(key)
    if html is None:
        try:
            html = page_of(request, link, token, now)
        except Http404:
            return bare(request, "shared/gone.html", {"theme": "system"}, status=404)
        cache.set(key, html, KEPT)
    return HttpResponse(html)


@opened(ShareKind.DEPLOYMENT)
def csv_file(
    request: HttpRequest, link: ShareLink | None, name: str, token: str = "", now: datetime | None = None
) -> HttpResponse:
    """The numbers of one chart of the shared tab, if the link was made with files."""
    if link is None or now is None or not link.with_csv:
        return HttpResponse("There is no such file.", status=404, content_type="text/plain; charset=utf-8")
    try:
        rows = table_of(tab_of(link, now)[1], name)
    except Http404:
        return HttpResponse("There is no such file.", status=404, content_type="text/plain; charset=utf-8")
    response = HttpResponse(text(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{link.tab}-{name}.csv"'
    return response
