"""`scoringCode/` and `scoringCodeBuilds/`, and the way in ✚: `modelPackages/{id}/scoringCode/`."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models.fields.files import FieldFile
from django.http import FileResponse, Http404, HttpResponseBase
from msgspec import Struct
from rest_framework.request import Request
from rest_framework.response import Response

from deployments import jobs, scoring_code
from deployments.api import params
from deployments.api.datasets import uploaded
from deployments.api.deployments import caller
from deployments.api.errors import Conflict, TooLarge, ValidationFailed
from deployments.api.openapi import describes
from deployments.api.registry import visible
from deployments.api.views import ApiView, DeploymentView
from deployments.audit import record
from deployments.ingest.errors import Refused, TooMuch
from deployments.models import Deployment, Role, ScoringCode, ScoringCodeBuild

JAR = "application/java-archive"
CODE = {
    "name": "model.jar",
    "digest": "9f86d081884c7d65…",
    "size": 1843211,
    "hasSource": False,
    "includesPredictionExplanations": False,
    "includesPredictionIntervals": False,
}
NO_CODE = "The deployed model's package was registered without scoring code."


@dataclass(frozen=True, kw_only=True)
class CodeQuery(params.Query):
    """Which of the archives."""

    source: bool = params.flag("sourceCode", help="The sources instead of the program.")
    agent: bool = params.flag("includeAgent", help="With the reporting configuration of `scoringCodeBuilds`.")
    explanations_old: bool = params.flag("includePe", help="The older name of includePredictionExplanations.")
    explanations: bool = params.flag("includePredictionExplanations")
    intervals: bool = params.flag("includePredictionIntervals")

    def problems(self) -> dict[str, str]:
        if self.source and self.agent:
            return {"sourceCode": "The sources cannot be had together with includeAgent."}
        return {}


class BuildBody(Struct, rename="camel"):
    """What is built in."""

    include_agent: bool = True
    include_prediction_explanations: bool = False
    include_prediction_intervals: bool = False


@dataclass(frozen=True, kw_only=True)
class UploadQuery(params.Query):
    """What the archive is, and what the model's maker put into it."""

    name: str | None = params.text("name", help="The file's name.")
    source: bool = params.flag("sourceCode", help="These are the sources of the scoring code that is there.")
    explanations: bool = params.flag("includesPredictionExplanations")
    intervals: bool = params.flag("includesPredictionIntervals")


class ScoringCodeView(DeploymentView):
    """The archive of the champion."""

    roles = {"GET": Role.USER}

    @describes("Download the scoring code of the deployed model.", query=CodeQuery)
    def get(self, request: Request, deployment_id: str) -> HttpResponseBase:
        query = self.read(CodeQuery)
        explanations = "includePe" if query.explanations_old else "includePredictionExplanations"
        wanted = {
            explanations: query.explanations or query.explanations_old,
            "includePredictionIntervals": query.intervals,
        }
        code = code_of(self.deployment, wanted)
        file, name = code.file, code.name
        if query.source:
            if not code.source:
                raise ValidationFailed({"sourceCode": "The package came without sources."})
            file, name = code.source, f"sources-{code.name}"
        elif query.agent:
            build = ScoringCodeBuild.objects.filter(model=self.deployment.champion).first()
            if build is None:
                raise ValidationFailed({"includeAgent": "Not built yet: ask for it at scoringCodeBuilds/."})
            file, name = build.file, f"reporting-{code.name}"
        return sent(file, name)


class ScoringCodeBuildsView(DeploymentView):
    """The archive with a reporting configuration."""

    roles = {"POST": Role.USER}

    @describes("Build scoring code that reports to this deployment.", body=BuildBody, answer={})
    def post(self, request: Request, deployment_id: str) -> Response:
        body = self.body(BuildBody)
        wanted = {
            "includePredictionExplanations": body.include_prediction_explanations,
            "includePredictionIntervals": body.include_prediction_intervals,
        }
        code_of(self.deployment, wanted)
        champion, user = self.deployment.champion, caller(request)
        assert champion is not None
        if body.include_agent:
            args = {"model": champion.pk, "api": f"{settings.PUBLIC_URL}/api/v2/"}
            job = jobs.start(scoring_code.KIND, self.deployment, user, args)
        else:
            job = jobs.done(
                scoring_code.KIND, self.deployment, user, f"/api/v2/deployments/{deployment_id}/scoringCode/"
            )
        record(self.deployment, user, "scoringCode.built", {}, {"modelId": champion.public_id})
        answer = self.accepted(job)
        answer.status_code = 200  # as the reference has it; the address of the job is there all the same
        return answer


class PackageScoringCodeView(ApiView):
    """The way in: once for the program, once for its sources."""

    @describes(
        "Give a model package its scoring code.",
        query=UploadQuery,
        content=(JAR, "application/octet-stream", "multipart/form-data"),
        answer=CODE,
        status=201,
        extension=True,
        errors=(401, 404, 409, 413, 422),
    )
    def post(self, request: Request, package_id: str) -> Response:
        package = visible(request).filter(public_id=package_id).first()
        if package is None:
            raise Http404
        query = self.read(UploadQuery)
        content, name, _ = uploaded(request, query.name)
        try:
            if query.source:
                row = ScoringCode.objects.filter(package=package).first()
                if row is None:
                    raise ValidationFailed({"sourceCode": "The scoring code itself has to come first."})
                scoring_code.attach_source(row, content)
            else:
                row = scoring_code.attach(
                    package, content, name, explanations=query.explanations, intervals=query.intervals
                )
        except Refused as problem:
            raise ValidationFailed(problem.errors) from None
        except TooMuch as problem:
            raise TooLarge(str(problem)) from None
        except scoring_code.Taken as problem:
            raise Conflict(str(problem)) from None
        return Response(shown(row), status=201)


def code_of(deployment: Deployment, wanted: dict[str, bool]) -> ScoringCode:
    """The champion's archive; 422 without one, and for what it was not made with."""
    package = None if deployment.champion is None else deployment.champion.package
    code = ScoringCode.objects.filter(package=package).first()
    if code is None:
        raise ValidationFailed(NO_CODE)
    for name, asked in wanted.items():
        has = code.has_intervals if name == "includePredictionIntervals" else code.has_explanations
        if asked and not has:
            raise ValidationFailed({name: "The scoring code was made without."})
    return code


def shown(code: ScoringCode) -> dict[str, object]:
    return {
        "name": code.name,
        "digest": code.digest,
        "size": code.size,
        "hasSource": bool(code.source),
        "includesPredictionExplanations": code.has_explanations,
        "includesPredictionIntervals": code.has_intervals,
    }


def sent(file: FieldFile, name: str) -> HttpResponseBase:
    """The file as a download."""
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    answer = FileResponse(opened, as_attachment=True, filename=name, content_type=JAR)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
