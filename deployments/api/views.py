"""The base classes of all views."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from deployments.api import params
from deployments.api.permissions import Roles, enter
from deployments.api.renderers import OrjsonRenderer
from deployments.api.throttling import TokenThrottle
from deployments.models import ApiToken, Deployment, Job, Role, TokenScope

Q = TypeVar("Q", bound=params.Query)
S = TypeVar("S")


class AlwaysJson(BaseContentNegotiation):
    """JSON whatever the Accept header says: clients send all sorts, and none of them wants a 406."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ApiView(APIView):
    """A view behind a token. Bodies are read by `self.body`, queries by `self.read`."""

    permission_classes: Any = (IsAuthenticated,)
    throttle_classes = (TokenThrottle,)
    renderer_classes = (OrjsonRenderer,)
    content_negotiation_class = AlwaysJson
    # Weakest role that may call each method; read by the tests that walk all operations.
    roles: ClassVar[Roles] = {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        token = request.auth
        if isinstance(token, ApiToken) and not may_write(token) and request.method not in SAFE_METHODS:
            raise PermissionDenied("This token may only read.")

    def read(self, kind: type[Q]) -> Q:
        """The request's query as the given type; 422 if a value is wrong."""
        return params.read(kind, self.request.query_params, timezone.now())

    def body(self, kind: type[S]) -> S:
        """The request's JSON body as the given msgspec type; 422 if it does not fit."""
        return params.read_body(self.request.body, kind)

    def accepted(self, job: Job, body: Any = None) -> Response:
        """202 with the absolute address at which the job's progress can be asked."""
        where = self.request.build_absolute_uri(f"/api/v2/status/{job.public_id}/")
        return Response({} if body is None else body, status=202, headers={"Location": where})

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response


def may_write(token: ApiToken) -> bool:
    """A token for writing may do what its user may; a token for reading only reads."""
    return TokenScope(token.scope) is TokenScope.WRITE


class DeploymentView(ApiView):
    """A view of one deployment: `self.deployment` is there, and the caller's role suffices for the method."""

    deployment: Deployment
    role: Role

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        needed = self.roles.get(str(request.method))
        self.deployment, self.role = enter(request.user, kwargs["deployment_id"], needed)
