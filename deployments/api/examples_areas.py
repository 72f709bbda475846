"""Examples of answers of the areas beside drift and accuracy, for the OpenAPI document: figures are made up."""

from __future__ import annotations

from deployments.api.examples import END, ID, PERIOD, START

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
_TRIGGERED = [{"ruleId": ID, "ruleName": "Far from usual", "value": 12}]
_CONSUMER = {"segmentAttribute": "DataRobot-Consumer", "segmentValue": "ewr-desk@example.org"}
HUMILITY = {"data": _TRIGGERED, "modelId": ID, "period": PERIOD, **_CONSUMER}
HUMILITY_OVER_TIME = {
    "buckets": [{"period": PERIOD, "values": _TRIGGERED}],
    "summary": {"period": PERIOD, "values": _TRIGGERED},
    "modelId": ID,
    **_CONSUMER,
}
HUMILITY_RULE = {
    "id": ID,
    "name": "Far from usual",
    "trigger": {
        "type": "outlyingInput",
        "featureName": "age",
        "lower": 21.5,
        "upper": 66.0,
        "isCalculated": True,
        "values": ["Oslo"],
    },
    "action": {"type": "override", "value": "no"},
    "createdAt": START,
    "changedAt": END,
}
