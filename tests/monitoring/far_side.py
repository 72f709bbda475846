"""A small Deployments API in memory, as an httpx transport: the far side of the watcher's tests.

It answers in the reference's shapes from plain numbers that a test can change between polls, counts what it was asked,
and can be told to misbehave.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import orjson

BASE = "https://models.example.com/api/v2"
Answer = Callable[[httpx.Request], httpx.Response]


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def json(body: Any, status: int = 200, **headers: str) -> httpx.Response:
    return httpx.Response(status, content=orjson.dumps(body), headers={"Content-Type": "application/json", **headers})


@dataclass
class Remote:
    """One deployment of the far side. Rates hold for every bucket; `psi` by feature."""

    id: str
    label: str = "Loan default"
    target_type: str = "Binary"
    model_id: str = "m1"
    last: datetime = datetime(2026, 5, 1, 9, tzinfo=UTC)
    requests: int = 1000
    server_errors: float = 0.0
    user_errors: float = 0.0
    psi: dict[str, float] = field(default_factory=lambda: {"income": 0.02, "region": 0.01, "age": 0.03})
    impact: dict[str, float] = field(default_factory=lambda: {"income": 1.0, "region": 0.2, "age": 0.6})
    rows_a_day: int = 2000
    log_loss: float = 0.40
    baseline: float = 0.40
    labelled: float = 1.0
    label_lag: timedelta = timedelta(0)
    status: dict[str, str] = field(default_factory=dict)
    health_settings: dict[str, Any] = field(default_factory=dict)
    batch: bool = False
    importance: str = "HIGH"
    settings: dict[str, Any] = field(default_factory=dict)
    fairness: dict[str, dict[str, float]] = field(default_factory=dict)
    custom: dict[str, float] = field(default_factory=dict)


class FarSide(httpx.AsyncBaseTransport):
    """The server. `asked` lists the paths below /api/v2/ in order; `odd` replaces the answer of a path."""

    def __init__(self, *remotes: Remote) -> None:
        self.remotes = {remote.id: remote for remote in remotes}
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.odd: dict[str, Answer] = {}
        self.now = datetime(2026, 5, 1, 10, 20, tzinfo=UTC)
        self.page = 100

    def __call__(self) -> FarSide:
        """A fresh transport for every run; this one has nothing to close."""
        return self

    async def aclose(self) -> None:
        return

    def count(self, path: str) -> int:
        return sum(path in one for one in self.asked)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/v2/")
        self.asked.append(f"{request.method} {path}")
        self.tokens.add(request.headers["authorization"])
        for name, odd in self.odd.items():
            if name in path:
                return odd(request)
        return self.answer(request, path, parse_qs(request.url.query.decode()))

    def answer(self, request: httpx.Request, path: str, query: dict[str, list[str]]) -> httpx.Response:
        if path == "version/":
            return json({"major": 2, "minor": 36, "versionString": "2.36.0"})
        if path == "deployments/":
            return self.listing(request, query)
        _, remote_id, rest = path.split("/", 2)
        remote = self.remotes.get(remote_id)
        if remote is None:
            return json({"message": "Not found."}, 404)
        if request.method == "PATCH":
            return self.change(remote, rest, orjson.loads(request.content))
        handler = getattr(self, "on_" + (rest.strip("/").replace("/", "_") or "details"), None)
        if rest.endswith("/valuesOverTime/"):
            return json(self.values_over_time(remote, rest.split("/")[1], query))
        return json({"message": "Not found."}, 404) if handler is None else json(handler(remote, query))

    def listing(self, request: httpx.Request, query: dict[str, list[str]]) -> httpx.Response:
        offset, limit = int(query.get("offset", ["0"])[0]), min(int(query.get("limit", ["20"])[0]), self.page)
        every = list(self.remotes.values())
        data = [self.on_details(remote, {}) for remote in every[offset : offset + limit]]
        more = offset + limit < len(every)
        following = str(request.url.copy_merge_params({"offset": offset + limit})) if more else None
        return json({"count": len(data), "totalCount": len(every), "next": following, "previous": None, "data": data})

    def change(self, remote: Remote, rest: str, body: dict[str, Any]) -> httpx.Response:
        if rest == "healthSettings/":
            remote.health_settings.update(body)
            return json({})
        remote.label = body.get("label", remote.label)
        return httpx.Response(204)

    def on_details(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        def health(name: str) -> dict[str, Any]:
            return {"status": remote.status.get(name, "passing"), "startDate": iso(self.now), "endDate": iso(self.now)}

        return {
            "id": remote.id,
            "label": remote.label,
            "description": "",
            "importance": remote.importance,
            "status": "active",
            "createdAt": "2026-01-01T00:00:00Z",
            "model": {"id": remote.model_id, "targetName": "bad", "targetType": remote.target_type, "type": "GBM"},
            "modelPackage": {"id": "p1", "name": f"package {remote.model_id}"},
            "predictionUsage": {"dailyRates": [remote.rows_a_day] * 7, "lastTimestamp": iso(remote.last)},
            "serviceHealth": health("serviceHealth"),
            "modelHealth": health("modelHealth"),
            "accuracyHealth": health("accuracyHealth"),
            **{name: health(name) for name in remote.status},
            "settings": {"batchMonitoringEnabled": remote.batch},
            "tags": [{"id": "t", "name": "team", "value": "risk"}],
        }

    def on_settings(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        on = {"enabled": True}
        return {"featureDrift": on, "targetDrift": on, "associationId": {"columnNames": ["id"]}} | remote.settings

    def on_healthSettings(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        return self.on_healthSettings_defaults(remote, query) | remote.health_settings

    def on_healthSettings_defaults(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        return {
            "dataDrift": {
                "driftThreshold": 0.15,
                "importanceThreshold": 0.5,
                "highImportanceFailingCount": 1,
                "lowImportanceWarningCount": 1,
                "excludedFeatures": [],
                "starredFeatures": [],
                "timeInterval": "P7D",
            },
            "accuracy": {"metric": "LogLoss", "measurement": "percent", "warningThreshold": 5, "failingThreshold": 10},
            "service": {"batchCount": "1"},
        }

    def on_capabilities(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        return {"data": [{"name": "supportsTargetDriftTracking", "supported": True, "messages": []}]}

    def on_features(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        data = [{"name": name, "featureType": "Numeric", "importance": None} for name in remote.psi]
        return {"count": len(data), "totalCount": len(data), "next": None, "previous": None, "data": data}

    def on_segmentAttributes(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        return {"data": ["region"], "monitoringType": query["monitoringType"][0]}

    def on_serviceStats(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        metrics = {
            "totalRequests": remote.requests,
            "totalPredictions": remote.rows_a_day,
            "userErrorRate": remote.user_errors,
            "serverErrorRate": remote.server_errors,
            "responseTime": 118.0,
        }
        return {"metrics": metrics, "modelId": remote.model_id, "period": _period(query)}

    def on_serviceStatsOverTime(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        metric = query["metric"][0]
        values = {
            "totalRequests": remote.requests,
            "userErrorRate": remote.user_errors,
            "serverErrorRate": remote.server_errors,
        }
        buckets = [{"period": period, "value": values.get(metric, 100.0)} for period in _buckets(query)]
        return {"buckets": buckets, "metric": metric, "modelId": remote.model_id, "summary": {"value": 1}}

    def on_featureDrift(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        data = [
            {
                "name": name,
                "type": "numeric",
                "driftScore": psi,
                "featureImpact": remote.impact.get(name),
                "sampleSize": remote.rows_a_day * 7,
                "baselineSampleSize": 20_000,
            }
            for name, psi in remote.psi.items()
        ]
        period = _period(query) if "start" in query else None
        return {"count": len(data), "next": None, "previous": None, "data": data, "metric": "psi", "period": period}

    def on_targetDrift(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        sizes = {"sampleSize": remote.rows_a_day * 7, "baselineSampleSize": 20_000}
        return {"driftScore": 0.01, "metric": "psi", "targetName": "bad", "type": "numeric", **sizes}

    def on_featureDriftOverTime(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        names = query["featureNames"]
        buckets = [
            {
                "period": period,
                "featureName": name,
                "driftScore": remote.psi[name],
                "sampleSize": remote.rows_a_day,
                "baselineSampleSize": 20_000,
            }
            for name in names
            for period in _buckets(query)
        ]
        return {
            "buckets": buckets,
            "features": [{"featureName": name, "featureType": "numeric"} for name in names],
            "summaries": [{"featureName": name, "featureImpact": remote.impact[name]} for name in names],
            "metric": "psi",
        }

    def on_predictionsOverTime(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        buckets = [
            {"period": period, "rowCount": remote.rows_a_day, "meanPredictedValue": 0.2} for period in _buckets(query)
        ]
        return {"buckets": buckets, "baselines": [{"rowCount": 20_000, "meanPredictedValue": 0.2}]}

    def on_predictionsVsActualsOverTime(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        size = timedelta(days=1) if query["bucketSize"][0] == "P1D" else timedelta(hours=1)
        buckets = []
        for period in _buckets(query):
            end = _parse(period["start"]) + size
            share = remote.labelled if end + remote.label_lag <= self.now else remote.labelled / 2
            counts = {"rowCountTotal": remote.rows_a_day, "rowCountWithActual": round(remote.rows_a_day * share)}
            buckets.append({"period": period, **counts})
        return {"buckets": buckets, "baselines": []}

    def on_accuracy(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        change = round(100 * (remote.baseline - remote.log_loss) / remote.baseline, 2)
        metric = {"value": remote.log_loss, "baselineValue": remote.baseline, "percentChange": change}
        period = _period(query) if "start" in query else None
        return {"metrics": {"LogLoss": metric, "AUC": {"value": 0.8, "baselineValue": 0.8}}, "period": period}

    def on_accuracyOverTime(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        buckets = [
            {"period": period, "value": remote.log_loss, "sampleSize": remote.rows_a_day} for period in _buckets(query)
        ]
        baseline = {"value": remote.baseline, "sampleSize": 5000, "modelId": remote.model_id}
        return {"buckets": buckets, "metric": query["metric"][0], "baselines": [baseline], "summary": {}}

    def on_fairnessScoresOverTime(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        classes = remote.fairness[query["protectedFeature"][0]]
        scores = [
            {"label": name, "value": value, "isStatisticallySignificant": True, "sampleSize": 500}
            for name, value in classes.items()
        ]
        buckets = [{"period": period, "scores": scores} for period in _buckets(query)] if "bucketSize" in query else []
        return {"buckets": buckets, "summary": {"period": _period(query), "scores": scores}}

    def on_humilityStats(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        return {"data": [{"ruleId": "r1", "ruleName": "unsure", "value": 3}], "period": _period(query)}

    def on_humilityStatsOverTime(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        values = [{"ruleId": "r1", "ruleName": "unsure", "value": 3}]
        return {"buckets": [{"period": period, "values": values} for period in _buckets(query)]}

    def on_customMetrics(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        data = [{"id": f"id-{name}", "name": name, "type": "average", "units": "€"} for name in remote.custom]
        return {"count": len(data), "next": None, "previous": None, "data": data}

    def on_customMetricsSummary(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        metrics = [{"id": f"id-{name}", "name": name, "value": value} for name, value in remote.custom.items()]
        return {"metrics": metrics, "details": {"latestDate": iso(self.now)}, "period": _period(query)}

    def values_over_time(self, remote: Remote, metric_id: str, query: dict[str, list[str]]) -> dict[str, Any]:
        value = remote.custom[metric_id.removeprefix("id-")]
        return {"buckets": [{"period": period, "value": value, "sampleSize": 9} for period in _buckets(query)]}

    def on_monitoringBatches(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        data = [{"id": f"b{number}", "name": f"Month {number}", "predictionsCount": 500} for number in (3, 2, 1)]
        return {"count": 3, "totalCount": 3, "next": None, "previous": None, "data": data}

    def on_batchServiceStats(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        rates = {"userErrorRate": remote.user_errors, "serverErrorRate": remote.server_errors}
        return {"batches": [], "metrics": {"totalRequests": remote.requests, "totalPredictions": 500, **rates}}

    def on_serviceStatsOverBatch(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        values = {"totalRequests": remote.requests, "serverErrorRate": remote.server_errors, "userErrorRate": 0.0}
        metric = query["metric"][0]
        buckets = [{"batch": {"id": f"b{n}", "name": f"Month {n}"}, "value": values.get(metric)} for n in (3, 2, 1)]
        return {"buckets": buckets, "metric": metric}

    def on_accuracyOverBatch(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        buckets = [{"batchId": f"b{n}", "value": remote.log_loss, "sampleSize": 500} for n in (3, 2, 1)]
        return {"buckets": buckets, "baselines": []}


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _period(query: dict[str, list[str]]) -> dict[str, str]:
    return {"start": query["start"][0], "end": query["end"][0]}


def _buckets(query: dict[str, list[str]]) -> list[dict[str, str]]:
    size = {"PT1H": timedelta(hours=1), "P1D": timedelta(days=1), "P7D": timedelta(days=7)}[query["bucketSize"][0]]
    start, end = _parse(query["start"][0]), _parse(query["end"][0])
    found = []
    while start < end:
        found.append({"start": iso(start), "end": iso(min(start + size, end))})
        start += size
    return found
