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

_CELL = {"hexagon": "872a1072bffffff"}
_CLASSES = [{"className": "yes", "count": 120, "percent": 20.0}]
_PLACE = {"geoFeatureName": "destination", "modelId": ID, "period": PERIOD}
_PREDICTED = {
    **_CELL,
    "rowCount": 600,
    "meanPredictedValue": 12.5,
    "meanProbabilities": [{"className": "yes", "value": 0.2}],
    "classDistribution": _CLASSES,
    "percentiles": [{"percent": 50, "value": 11.0}],
    "predictionsWarningCount": 3,
}
_VERSUS = {
    **_CELL,
    "rowCountTotal": 600,
    "rowCountWithActual": 580,
    "meanPredictedValue": 12.5,
    "meanActualValue": 13.1,
    "predictedClassDistribution": _CLASSES,
    "actualClassDistribution": _CLASSES,
}
_MEASURED = {
    **_CELL,
    "value": 31.4,
    "sampleSize": 580,
    "perClass": [{"className": "late", "value": 0.7}],
    "errorBound": 0.0,
}
_DRIFTED = {**_CELL, "driftScore": 0.12, "sampleSize": 600, "baselineSampleSize": 4100}
PREDICTIONS_OVER_SPACE = {"baselines": [_PREDICTED], "buckets": [_PREDICTED], **_PLACE}
VERSUS_OVER_SPACE = {
    "baselines": [_VERSUS],
    "buckets": [_VERSUS],
    "summary": {"rowCountTotal": 600, "rowCountWithActual": 580},
    **_PLACE,
}
ACCURACY_OVER_SPACE = {"metric": "RMSE", "baselines": [_MEASURED], "buckets": [_MEASURED], **_PLACE}
DRIFT_OVER_SPACE = {"data": [_DRIFTED], "featureName": "delay", **_PLACE}
