"""Examples of answers of the areas beside drift and accuracy, for the OpenAPI document: figures are made up."""

from __future__ import annotations

from deployments.api.examples import ID, PERIOD

_SCORES = {
    "metricName": "proportionalParity",
    "period": PERIOD,
    "scores": [
        {
            "label": "carrier",
            "value": 0.71,
            "absoluteValue": 0.62,
            "privilegedClass": "HA",
            "isStatisticallySignificant": True,
            "sampleSize": 6200,
            "classesCount": 14,
            "healthyClassesCount": 12,
            "totalCount": 14,
            "healthyCount": 12,
            "message": "Too few rows: OO.",
        }
    ],
    "message": "Too few rows: OO.",
}
FAIRNESS_OVER_TIME = {
    "buckets": [_SCORES],
    "summary": _SCORES,
    "fairnessThreshold": 0.8,
    "favorableTargetOutcome": "no",
    "modelId": ID,
    "modelPackageId": ID,
    "protectedFeature": "carrier",
}
