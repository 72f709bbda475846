"""Fairness, humility and custom metrics of real flights, where they are watched: more answers of `flights`.

The favourable outcome is "0", on time. Each figure is counted from the rows of the deployment by plain numpy.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tests.dashboard import flights
from tests.dashboard.flights import Asked, Deployment, Json, Rows, Source

WATCHED = Deployment("7" * 24, "Late, watched for fairness", {}, importance="HIGH")
BY_BATCH = Deployment("8" * 24, "Late, by batch and measured", {"origin": "LGA"}, batches=True)
PLAIN = Deployment("9" * 24, "Late, nothing switched on", {"carrier": "B6"})
MINUTES = Deployment("6" * 24, "Minutes late", {"carrier": "DL"}, target="Regression")
DEPLOYMENTS = (WATCHED, BY_BATCH, PLAIN, MINUTES)
PROTECTED = ("carrier", "origin")
THRESHOLD = 0.9
CUT = 0.25
DELAY, WEST, ORIGINS = (f"{n:024x}" for n in (0xD1, 0xD2, 0xD3))
CLOSE, SMALL = (f"{n:024x}" for n in (0xB1, 0xB2))
LARGE = ("UA", "EV", "B6", "DL", "AA")
FAIRNESS = {
    "protectedFeatures": list(PROTECTED),
    "preferableTargetValue": "0",
    "fairnessMetricsSet": "proportionalParity",
    "fairnessThreshold": THRESHOLD,
}
RULES = [
    {
        "id": CLOSE,
        "name": "Too close to call",
        "trigger": {"type": "uncertainPrediction", "featureName": None, "lower": 0.2, "upper": 0.3, "values": []},
        "action": {"type": "noOperation", "value": None},
    },
    {
        "id": SMALL,
        "name": "A small airline",
        "trigger": {
            "type": "lowObservationRegion",
            "featureName": "carrier",
            "lower": None,
            "upper": None,
            "values": list(LARGE),
        },
        "action": {"type": "override", "value": "0"},
    },
]


def measured(one: Deployment) -> bool:
    """Whether custom metrics are kept of a deployment."""
    return one.id in (WATCHED.id, BY_BATCH.id)


def _settings(source: Source, one: Deployment, asked: Asked) -> Json:
    found = _PLAIN["settings/"](source, one, asked)
    on = one.id == WATCHED.id
    return found | ({"biasAndFairness": FAIRNESS, "humility": {"enabled": True}} if on else {})


def _health(source: Source, one: Deployment, asked: Asked) -> Json:
    found = _PLAIN["healthSettings/"](source, one, asked)
    if not measured(one):
        return found
    too_late = {"metricId": DELAY, "compareOperator": "gt", "threshold": 5}
    return found | {
        "fairness": {"protectedClassWarningCount": 1, "protectedClassFailingCount": 3},
        "customMetrics": {"warningConditions": [too_late], "failingConditions": []},
    }


# --- Fairness -------------------------------------------------------------------------------------------------------


def class_scores(rows: Rows, mask: np.ndarray, feature: str, metric: str) -> list[Json]:
    """One entry a class, by counting: shares predicted on time, against the best class with enough rows."""
    labels = rows.live[feature].to_numpy()
    names = sorted({str(name) for name in labels[mask]})
    counted = []
    for name in names:
        own = mask & (labels == name)
        if metric == "trueFavorableRateParity":
            own &= rows.y == 0
        elif metric == "trueUnfavorableRateParity":
            own &= rows.y == 1
        good = (rows.p[own] > CUT) if metric == "trueUnfavorableRateParity" else (rows.p[own] <= CUT)
        counted.append((name, int(own.sum()), int(good.sum())))
    largest = max((n for _, n, _ in counted), default=0)
    enough = {name: n >= 100 and (n > 1000 or n >= largest / 10) for name, n, _ in counted}
    best = max(((k / n, name) for name, n, k in counted if enough[name] and n), default=(0.0, ""))
    return [
        {
            "label": name,
            "value": k / n / best[0] if best[0] else None,
            "absoluteValue": k / n,
            "privilegedClass": best[1] or None,
            "isStatisticallySignificant": enough[name],
            "sampleSize": n,
            "message": None if enough[name] else f"{n} rows are too few for a verdict.",
        }
        for name, n, k in counted
        if n
    ]


def _fairness(source: Source, one: Deployment, asked: Asked) -> Json:
    rows, feature = source.rows(one), asked.one("protectedFeature")
    metric = asked.one("fairnessMetric") or "proportionalParity"
    whole = class_scores(rows, rows.mask(asked.start.timestamp(), asked.end.timestamp()), feature, metric)
    return {
        "buckets": asked.over(
            lambda mask: {"metricName": metric, "scores": class_scores(rows, mask, feature, metric)}, rows
        ),
        "summary": {"metricName": metric, "scores": whole, "message": None},
        "fairnessThreshold": THRESHOLD,
        "favorableTargetOutcome": "0",
        "protectedFeature": feature,
    }


# --- Humility -------------------------------------------------------------------------------------------------------


def applied(rows: Rows, mask: np.ndarray) -> dict[str, int]:
    """How many rows each rule applied to."""
    close = (rows.p >= 0.2) & (rows.p <= 0.3)
    small = ~np.isin(rows.live["carrier"].to_numpy(), LARGE)
    return {CLOSE: int((mask & close).sum()), SMALL: int((mask & small).sum())}


def _counts(rows: Rows, mask: np.ndarray) -> list[Json]:
    counts = applied(rows, mask)
    return [{"ruleId": rule["id"], "ruleName": rule["name"], "value": counts[str(rule["id"])]} for rule in RULES]


def _humility(source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    return {"data": _counts(rows, rows.mask(asked.start.timestamp(), asked.end.timestamp()))}


def _humility_over_time(source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    return {"buckets": asked.over(lambda mask: {"values": _counts(rows, mask)}, rows)}


# --- Custom metrics -------------------------------------------------------------------------------------------------


def value_of(key: str, rows: Rows, mask: np.ndarray) -> float | None:
    """Mean minutes late at arrival, or flights to the west coast."""
    if key == WEST:
        return float(np.isin(rows.live["dest"].to_numpy()[mask], ["LAX", "SFO", "SEA"]).sum())
    delays = rows.live["arr_delay"].to_numpy()[mask]
    known = delays[~np.isnan(delays)]
    return float(known.mean()) if key == DELAY and len(known) else None


def baseline(rows: Rows) -> float:
    """The mean delay of the months before."""
    return float(np.nanmean(rows.reference["arr_delay"].to_numpy()))


def _values(key: str, rows: Rows, mask: np.ndarray) -> Json:
    found: Json = {"value": value_of(key, rows, mask), "sampleSize": int(mask.sum()), "categories": []}
    if key == ORIGINS:
        origins = rows.live["origin"].to_numpy()[mask]
        found["categories"] = [
            {"categoryName": name, "count": int((origins == name).sum())} for name in ("EWR", "JFK", "LGA")
        ]
    return found


def definitions(one: Deployment, rows: Rows) -> list[Json]:
    """What is measured."""
    if not measured(one):
        return []
    shared: Json = {"description": "", "timeStep": "hour", "displayChart": True, "categories": []}
    minutes = {"id": DELAY, "name": "Minutes late", "type": "average", "units": "minutes"}
    west = {"id": WEST, "name": "Flights to the west coast", "type": "sum", "units": "flights", "baselineValues": []}
    origins = {"id": ORIGINS, "name": "Airport", "type": "categorical", "units": "", "baselineValues": []}
    return [
        shared | minutes | {"directionality": "lowerIsBetter", "baselineValues": [{"value": baseline(rows)}]},
        shared | west | {"directionality": "higherIsBetter"},
        shared | origins | {"directionality": "higherIsBetter", "categories": ["EWR", "JFK", "LGA"]},
    ]


def _custom(source: Source, one: Deployment, asked: Asked) -> Json:
    return flights._page(definitions(one, source.rows(one)))


def _summary(rows: Rows, one: Deployment, mask: np.ndarray) -> list[Json]:
    found = []
    for metric in definitions(one, rows):
        values = _values(str(metric["id"]), rows, mask)
        base = metric["baselineValues"][0]["value"] if metric["baselineValues"] else None
        value, change = values["value"], None
        if value is not None and base:
            sign = 1 if metric["directionality"] == "higherIsBetter" else -1
            change = round(100 * sign * (value - base) / abs(base), 2)
        named = {"id": metric["id"], "name": metric["name"], "baselineValue": base, "percentChange": change}
        found.append(named | {"sampleCount": values.pop("sampleSize")} | values)
    return found


def _custom_summary(source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    mask = rows.mask(asked.start.timestamp(), asked.end.timestamp())
    dates = {"earliestDate": None, "latestDate": flights._time(source.now)}
    return {"metrics": _summary(rows, one, mask), "details": dates}


def _custom_batch_summary(source: Source, one: Deployment, asked: Asked) -> Json:
    rows, chosen = source.rows(one), asked.query.get("batchId", [])
    masks = [mask for pk, _, mask in flights._batch_list(source, one) if pk in chosen]
    return {"metrics": _summary(rows, one, np.logical_or.reduce(masks))}


def _over_time(key: str, source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    return {
        "metric": next(metric for metric in definitions(one, rows) if metric["id"] == key),
        "buckets": asked.over(lambda mask: _values(key, rows, mask), rows),
    }


def _over_batch(key: str, source: Source, one: Deployment, asked: Asked) -> Json:
    rows = source.rows(one)
    return {
        "metric": next(metric for metric in definitions(one, rows) if metric["id"] == key),
        "buckets": [
            {"batch": {"id": pk, "name": name}, **_values(key, rows, mask)}
            for pk, name, mask in reversed(flights._batch_list(source, one))
        ],
    }


_PLAIN = dict(flights.HANDLERS)
flights.HANDLERS.update(
    {
        "settings/": _settings,
        "healthSettings/": _health,
        "fairnessScoresOverTime/": _fairness,
        "humilityStats/": _humility,
        "humilityStatsOverTime/": _humility_over_time,
        "humilityRules/": lambda source, one, asked: flights._page(RULES if one.id == WATCHED.id else []),
        "customMetrics/": _custom,
        "customMetricsSummary/": _custom_summary,
        "customMetricsBatchSummary/": _custom_batch_summary,
        **{f"customMetrics/{key}/valuesOverTime/": partial(_over_time, key) for key in (DELAY, WEST, ORIGINS)},
        **{f"customMetrics/{key}/valuesOverBatch/": partial(_over_batch, key) for key in (DELAY, WEST, ORIGINS)},
    }
)
