"""Examples of answers, for the OpenAPI document: the shape of each, with made-up figures."""

from __future__ import annotations

from typing import Any

ID = "65a1b2c3d4e5f60718293a4b"
START, END = "2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z"
PERIOD = {"start": START, "end": END}
SEGMENT = {"segmentAttribute": "carrier", "segmentValue": "UA"}


def page_of(item: Any) -> dict[str, Any]:
    """A page with one item."""
    return {"count": 1, "next": None, "previous": None, "data": [item], "totalCount": 1}


CAPABILITIES = {"data": [{"name": "supportsFeatureDriftTracking", "supported": True, "messages": ["…"]}]}
HEALTH = {"status": "passing", "startDate": START, "endDate": END, "message": "No feature above PSI 0.15."}
DEPLOYMENT = {
    "id": ID,
    "label": "Flight delays",
    "description": "Delay of more than 15 minutes",
    "status": "active",
    "importance": "HIGH",
    "createdAt": START,
    "approvalStatus": "APPROVED",
    "governance": {"approvalStatus": "APPROVED", "hasOpenedChangeRequests": False},
    "openedChangeRequests": ["…"],
    "hasError": False,
    "model": {
        "id": ID,
        "type": "Gradient boosting",
        "targetName": "delayed",
        "targetType": "Binary",
        "deployedAt": START,
        "buildEnvironmentType": "Other",
        "customModelImage": None,
        "isDeprecated": False,
        "projectId": None,
        "projectName": None,
        "unstructuredModelKind": False,
        "unsupervisedMode": False,
        "unsupervisedType": None,
    },
    "modelPackage": {"id": ID, "name": "Gradient boosting", "registeredModelId": ID},
    "modelPackageInitialDownload": None,
    "scoringCodeInitialDownload": None,
    "owners": {"count": 1, "preview": [{"id": ID, "email": "a@example.org", "firstName": "A", "lastName": "B"}]},
    "permissions": ["CAN_VIEW"],
    "capabilities": {"supportsFeatureDriftTracking": True},
    "defaultPredictionServer": None,
    "predictionEnvironment": None,
    "predictionUsage": {"dailyRates": [0, 120, 340, 80, 95, 410, 12], "lastTimestamp": END},
    "settings": {
        "batchMonitoringEnabled": False,
        "humbleAiEnabled": False,
        "predictionIntervalsEnabled": False,
        "predictionWarningEnabled": False,
    },
    "tags": [{"id": ID, "name": "team", "value": "network"}],
    "userProvidedId": None,
    "serviceHealth": {"status": "passing", "startDate": START, "endDate": END},
    "modelHealth": HEALTH,
    "accuracyHealth": HEALTH,
    "fairnessHealth": HEALTH,
    "customMetricsHealth": HEALTH,
    "predictionsTimelinessHealth": HEALTH,
    "actualsTimelinessHealth": HEALTH,
}
DATA_QUALITY_ROW = {
    "timestamp": START,
    "associationId": "question-17",
    "prompt": "What does the with statement do?",
    "predictedValue": "It wraps a block with a context manager.",
    "actualValue": "It wraps the execution of a block with methods of a context manager.",
    "context": [{"context": "The with statement is used to wrap …", "link": "https://docs.python.org/3/"}],
    "metrics": [{"id": ID, "name": "Overlap", "value": 0.42, "metadata": "…"}],
}
PREDICTION_RESULTS = {
    "count": 1,
    "next": None,
    "previous": None,
    "associationIdColumnNames": ["flight_id"],
    "data": [
        {
            "timestamp": START,
            "modelId": ID,
            "associationId": "2013-01-05-UA-1545",
            "predicted": "yes",
            "actual": "no",
            "forecastDistance": 1,
            "classProbabilities": [{"className": "yes", "value": 0.7}],
        }
    ],
}
CUSTOM_METRIC = {
    "id": ID,
    "name": "Minutes saved",
    "description": "Minutes of waiting that warned passengers were spared",
    "type": "sum",
    "units": "minutes",
    "directionality": "higherIsBetter",
    "isModelSpecific": True,
    "displayChart": True,
    "timeStep": "hour",
    "baselineValues": [{"value": 120.0}],
    "categories": ["…"],
    "value": {"columnName": "saved"},
    "sampleCount": {"columnName": "flights"},
    "timestamp": {"columnName": "hour", "timeFormat": "%m/%d/%Y %H:%M"},
    "batch": {"columnName": "month"},
    "createdAt": START,
    "createdBy": {"id": ID},
}
CUSTOM_VALUES = {
    "value": 150.0,
    "sampleSize": 12,
    "categories": [{"categoryName": "…", "count": 3}],
    "unknownCategoriesCount": 0,
}
CUSTOM_BATCH_SUMMARY = {
    "metric": {
        "id": ID,
        "name": "Minutes saved",
        "value": 150.0,
        "baselineValue": 120.0,
        "percentChange": 25.0,
        "sampleCount": 12,
        "categories": [{"categoryName": "…", "count": 3}],
        "unknownCategoriesCount": 0,
    }
}
CUSTOM_SUMMARY = {**CUSTOM_BATCH_SUMMARY, "period": PERIOD}
CUSTOM_SUMMARIES = {
    "metrics": [CUSTOM_BATCH_SUMMARY["metric"]],
    "details": {"earliestDate": START, "latestDate": END},
    "period": PERIOD,
}
CUSTOM_OVER_TIME = {
    "metric": CUSTOM_METRIC,
    "buckets": [{"period": PERIOD, **CUSTOM_VALUES}],
    "summary": PERIOD,
}
CUSTOM_OVER_BATCH = {
    "metric": CUSTOM_METRIC,
    "buckets": [
        {
            "batch": {"id": ID, "name": "January", "createdAt": START, "lastPredictionTimestamp": END},
            **CUSTOM_VALUES,
        }
    ],
}
FEATURE = {
    "name": "dep_delay",
    "featureType": "Numeric",
    "importance": 0.4,
    "dateFormat": None,
    "knownInAdvance": False,
}
SEGMENT_ATTRIBUTES = {"data": ["DataRobot-Consumer", "carrier"], "monitoringType": "dataDrift"}
SEGMENT_VALUE = {"segmentAttribute": "carrier", "value": "UA"}
BATCH_BRIEF = {
    "id": ID,
    "name": "January",
    "earliestPredictionTimestamp": START,
    "latestPredictionTimestamp": END,
}
BATCH = {
    **BATCH_BRIEF,
    "description": "",
    "externalContextUrl": None,
    "isLocked": False,
    "createdAt": START,
    "createdBy": {"id": ID, "name": "A B"},
    "batchPredictionJobId": None,
    "batchPredictionJobStatus": None,
    "predictionsCount": 1200,
    "serviceHealth": {"status": "passing", "message": "No error in 12 requests."},
}
SETTINGS = {
    "associationId": {"columnNames": ["flight_id"], "requiredInPredictionRequests": False},
    "automaticActuals": {"enabled": False},
    "biasAndFairness": {
        "protectedFeatures": ["carrier"],
        "preferableTargetValue": "no",
        "fairnessMetricsSet": "proportionalParity",
        "fairnessThreshold": 0.8,
    },
    "challengerModels": {"enabled": False},
    "featureDrift": {"enabled": True},
    "humility": {"enabled": False},
    "predictionIntervals": {"enabled": False, "percentiles": [80]},
    "predictionWarning": {"enabled": False, "customBoundaries": None},
    "predictionsByForecastDate": {"enabled": False, "columnName": None, "datetimeFormat": None},
    "predictionsDataCollection": {"enabled": True},
    "processingLimits": {"interval": "hour"},
    "segmentAnalysis": {"enabled": True, "attributes": ["carrier"]},
    "targetDrift": {"enabled": True},
}
HEALTH_SETTINGS = {
    "service": {"batchCount": "1"},
    "dataDrift": {
        "batchCount": "1",
        "timeInterval": "P7D",
        "driftThreshold": 0.15,
        "importanceThreshold": 0.5,
        "lowImportanceWarningCount": 1,
        "lowImportanceFailingCount": None,
        "highImportanceWarningCount": None,
        "highImportanceFailingCount": 1,
        "excludedFeatures": ["month"],
        "starredFeatures": ["dep_delay"],
    },
    "accuracy": {
        "batchCount": "1",
        "metric": "LogLoss",
        "measurement": "percent",
        "warningThreshold": 5.0,
        "failingThreshold": 10.0,
    },
    "fairness": {"protectedClassWarningCount": 1, "protectedClassFailingCount": 2},
    "customMetrics": {"warningConditions": [], "failingConditions": []},
    "predictionsTimeliness": {"enabled": False, "expectedFrequency": "P1D"},
    "actualsTimeliness": {"enabled": False, "expectedFrequency": "P1D"},
}
SERVICE_METRICS = {
    "totalPredictions": 12000,
    "totalRequests": 480,
    "slowRequests": 3,
    "responseTime": 41.0,
    "executionTime": 30.0,
    "userErrorRate": 0.0,
    "serverErrorRate": 0.002,
    "numConsumers": 4,
    "cacheHitRatio": 0.0,
    "medianLoad": 2.0,
    "peakLoad": 9.0,
}
SERVICE_STATS = {"metrics": SERVICE_METRICS, "modelId": ID, "period": PERIOD, **SEGMENT}
BATCH_SERVICE_STATS = {
    "metrics": {name: value for name, value in SERVICE_METRICS.items() if name not in ("medianLoad", "peakLoad")},
    "batches": [BATCH_BRIEF],
    **SEGMENT,
}
SERVICE_OVER_TIME = {
    "metric": "totalPredictions",
    "modelId": ID,
    "buckets": [{"period": PERIOD, "value": 12000}],
    "summary": {"period": PERIOD, "value": 12000},
    **SEGMENT,
}
SERVICE_OVER_BATCH = {"metric": "totalPredictions", "buckets": [{"batch": BATCH_BRIEF, "value": 1200}], **SEGMENT}
PER_CLASS = [{"className": "late", "value": 0.8}]
ACCURACY = {
    "metrics": {"LogLoss": {"value": 0.41, "baselineValue": 0.4, "percentChange": -2.5, "errorBound": None}},
    "modelId": ID,
    "period": PERIOD,
    "batchIds": [ID],
    "targetClasses": "late",
    **SEGMENT,
}
ACCURACY_OVER_TIME = {
    "metric": "AUC",
    "modelId": ID,
    "baseline": {"period": PERIOD, "value": 0.8, "sampleSize": 5000, "valuePerClass": None},
    "baselines": [{"modelId": ID, "value": 0.8, "sampleSize": 5000, "perClass": PER_CLASS}],
    "buckets": [
        {
            "modelId": ID,
            "period": PERIOD,
            "value": 0.79,
            "sampleSize": 900,
            "perClass": PER_CLASS,
            "valuePerClass": None,
            "errorBound": 0.0,
        }
    ],
    "summary": {
        "period": PERIOD,
        "value": 0.79,
        "sampleSize": 900,
        "valuePerClass": None,
        "interval": {"low": 0.76, "high": 0.82},
    },
    **SEGMENT,
}
ACCURACY_OVER_BATCH = {
    "baselines": [{"metric": "AUC", "modelId": ID, "value": 0.8, "sampleSize": 5000, "perClass": PER_CLASS}],
    "buckets": [
        {
            "metric": "AUC",
            "modelId": ID,
            "batchId": ID,
            "batchName": "January",
            "period": PERIOD,
            "value": 0.79,
            "sampleSize": 900,
            "perClass": PER_CLASS,
        }
    ],
}
TARGET_DRIFT = {
    "targetName": "delayed",
    "type": "numeric",
    "metric": "psi",
    "driftScore": 0.02,
    "sampleSize": 12000,
    "baselineSampleSize": 5000,
    "modelId": ID,
    "period": PERIOD,
    "batchId": [ID],
    **SEGMENT,
}
FEATURE_DRIFT = {
    "count": 1,
    "next": None,
    "previous": None,
    "data": [
        {
            "name": "dep_delay",
            "type": "numeric",
            "driftScore": 0.02,
            "featureImpact": 1.0,
            "sampleSize": 12000,
            "baselineSampleSize": 20000,
        }
    ],
    "totalCount": 1,
    "metric": "psi",
    "modelId": ID,
    "period": PERIOD,
    "batchId": [ID],
    **SEGMENT,
}
_DRIFT = {
    "featureName": "dep_delay",
    "driftScore": 0.02,
    "featureImpact": 1.0,
    "sampleSize": 900,
    "baselineSampleSize": 20000,
}
DRIFT_OVER_TIME = {
    "metric": "psi",
    "buckets": [{**_DRIFT, "period": PERIOD}],
    "features": [{"featureName": "dep_delay", "featureType": "numeric"}],
    "summaries": [{"featureName": "dep_delay", "featureImpact": 1.0}],
}
DRIFT_OVER_BATCH = {"driftMetric": "psi", "buckets": [{**_DRIFT, "batch": BATCH_BRIEF}]}
DISTRIBUTIONS = {
    "period": PERIOD,
    "modelId": ID,
    "data": [
        {
            "featureName": "dep_delay",
            "featureType": "numeric",
            "baselineSampleSize": 20000,
            "sampleSize": 900,
            "bins": [{"kind": "range", "label": "0 to 5", "low": 0.0, "high": 5.0, "baselineCount": 70, "count": 3}],
            "buckets": [{"period": PERIOD, "counts": [3]}],
        }
    ],
}
_CLASSES = [{"className": "late", "count": 120, "percent": 12.0}]
_PREDICTIONS = {
    "rowCount": 1000,
    "meanPredictedValue": 4.2,
    "meanProbabilities": [{"className": "late", "value": 0.2}],
    "classDistribution": _CLASSES,
    "percentiles": [{"percent": 10, "value": 0.1}],
    "predictionsWarningCount": 0,
}
PREDICTIONS_OVER_TIME = {
    "baselines": [{**_PREDICTIONS, "modelId": ID}],
    "buckets": [{**_PREDICTIONS, "modelId": ID, "period": PERIOD}],
    **SEGMENT,
}
PREDICTIONS_OVER_BATCH = {
    "baselines": [{**_PREDICTIONS, "modelId": ID}],
    "buckets": [{**_PREDICTIONS, "batch": BATCH_BRIEF}],
    **SEGMENT,
}
_VERSUS = {
    "rowCountTotal": 1000,
    "rowCountWithActual": 900,
    "meanPredictedValue": 4.2,
    "meanActualValue": 4.4,
    "predictedClassDistribution": _CLASSES,
    "actualClassDistribution": _CLASSES,
    "modelId": ID,
}
VERSUS_OVER_TIME = {
    "baselines": [_VERSUS],
    "buckets": [{**_VERSUS, "period": PERIOD}],
    "summary": {"rowCountTotal": 1000, "rowCountWithActual": 900},
    **SEGMENT,
}
VERSUS_OVER_BATCH = {
    "baselines": [_VERSUS],
    "buckets": [{**_VERSUS, "batchId": ID, "batchName": "January", "period": PERIOD}],
    **SEGMENT,
}
