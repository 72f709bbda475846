"""What clients ask before anything else: the version, and whether the token works."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from deployments.api.openapi import describes
from deployments.api.pagination import Window, page_of_list
from deployments.api.views import ApiView

# The version of the reference that is spoken; clients refuse a major other than 2.
VERSION = {"major": 2, "minor": 36, "versionString": "2.36.0", "releasedVersion": "2.36.0"}


class VersionView(ApiView):
    """The first call of every client; open to all, since it says nothing that is not public."""

    authentication_classes = ()
    permission_classes = ()

    @describes("The version of the API.", answer=VERSION, extension=True, errors=())
    def get(self, request: Request) -> Response:
        return Response(VERSION)


class ProjectsView(ApiView):
    """Always empty: one client lists its projects to prove its token."""

    @describes("An empty list of projects.", answer={"count": 0, "data": []}, extension=True, errors=(401,))
    def get(self, request: Request) -> Response:
        empty: list[object] = []
        return Response(page_of_list(request, empty, Window(0, 100)))
