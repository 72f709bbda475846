"""Generated text through the whole service: registry, every door, roll-up, drift, and the rows themselves."""

from __future__ import annotations

import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from deployments import datasets, jobs
from deployments.api.authentication import issue
from deployments.models import Deployment, Role
from deployments.rollups import fill
from metrics import drift_scores, fit_text
from metrics.words import words_of
from tests.deployments.factories import make_deployment, make_user

pytestmark = pytest.mark.django_db
START = (datetime.now(UTC) - timedelta(days=4)).replace(hour=0, minute=0, second=0, microsecond=0)
TOPICS = ("loops", "strings", "classes", "files", "numbers")
VERBS = ("write", "read", "copy", "sort", "delete")
TRAINING = [f"How do I {verb} {topic}?" for verb in VERBS for topic in TOPICS]
HELD_OUT = [f"You {verb} {topic} like this" for verb in VERBS for topic in TOPICS]
ROWS = 60


def question(number: int) -> str:
    return f"How do I {VERBS[number % 5]} {TOPICS[number % 3]}?"


def reply(number: int) -> str:
    return f"To {VERBS[number % 5]} {TOPICS[number % 3]} use number {number}"


ACTUAL = {number: f"Just {VERBS[number % 5]} it, {number}" for number in range(0, ROWS, 2)}


def at(number: int) -> datetime:
    """A row every fifty minutes: two days and two hours."""
    return START + timedelta(minutes=50 * number)


@pytest.fixture
def user(db: None) -> User:
    return make_user()


@pytest.fixture
def client(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue(user, 'test')}")
    return client


def upload(user: User, table: pl.DataFrame) -> str:
    return datasets.store(table.write_csv().encode(), "rows.csv", "text/csv", user).public_id


@pytest.fixture
def base(client: APIClient, user: User) -> str:
    """The address of a deployment without rows."""
    towns = ["Oslo", "Bergen"] * len(TRAINING)
    training = pl.DataFrame({"question": TRAINING, "town": towns[: len(TRAINING)]})
    holdout = pl.DataFrame({"prediction": HELD_OUT, "town": towns[: len(HELD_OUT)]})
    package = client.post(
        "/api/v2/modelPackages/",
        {
            "name": "Answers",
            "target": {"name": "answer", "type": "TextGeneration", "promptColumn": "question"},
            "segmentAttributes": ["town"],
            "trainingDatasetId": upload(user, training),
            "holdoutDatasetId": upload(user, holdout),
        },
        format="json",
    )
    assert package.status_code == 201, package.content
    assert [feature["name"] for feature in package.json()["features"]] == ["question"]
    made = {"modelPackageId": package.json()["id"], "label": "Answers"}
    answer = client.post("/api/v2/deployments/fromModelPackage/", made, format="json")
    assert answer.status_code == 202, answer.content
    return f"/api/v2/deployments/{answer.json()['id']}/"


def get(client: APIClient, address: str, expected: int = 200, **query: Any) -> Any:
    answer = client.get(address, query)
    assert answer.status_code == expected, answer.content
    return answer.json()


def post(client: APIClient, address: str, body: Any, expected: int = 202) -> Any:
    answer = client.post(address, body, format="json")
    assert answer.status_code == expected, answer.content
    return answer.json()


def roll_up(base: str) -> None:
    deployment = Deployment.objects.get(public_id=base.split("/")[-2])
    assert fill.run(deployment.pk, timezone.now())


def send_rows(client: APIClient, base: str) -> None:
    """Sixty rows by the JSON door, in four requests out of order, every second one with its actual."""
    for numbers in (range(30, 45), range(15), range(45, ROWS), range(15, 30)):
        item = {
            "timestamps": [at(n).isoformat() for n in numbers],
            "associationIds": [f"q{n:02}" for n in numbers],
            "predictions": [reply(n) for n in numbers],
            "prompts": [question(n) for n in numbers],
            "contexts": [
                [{"context": f"Passage {n}", "link": f"https://example.org/{n}"}, "and another"] if n % 4 else None
                for n in numbers
            ],
            "segments": [{"name": "town", "values": ["Oslo" if n % 2 else "Bergen" for n in numbers]}],
        }
        post(client, f"{base}predictionInputs/fromJSON/", {"data": [item]})
    rows = [{"associationId": f"q{n:02}", "actualValue": text} for n, text in ACTUAL.items()]
    post(client, f"{base}actuals/fromJSON/", {"data": rows})
    roll_up(base)


PERIOD: dict[str, Any] = {"start": START.isoformat(), "end": (START + timedelta(days=3)).isoformat()}


@pytest.fixture
def filled(client: APIClient, base: str) -> str:
    send_rows(client, base)
    return base


# --- Registry ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ({"type": "TextGeneration", "classNames": ["a", "b"]}, "target.classNames"),
        ({"type": "TextGeneration", "promptColumn": "age"}, "target.promptColumn"),
        ({"type": "Regression", "promptColumn": "question"}, "target.promptColumn"),
    ],
)
def test_a_registration_that_makes_no_sense_is_refused(
    client: APIClient, user: User, target: dict[str, Any], place: str
) -> None:
    body = {"name": "x", "target": {"name": "answer", **target}, "features": [{"name": "age", "type": "Numeric"}]}
    errors = post(client, "/api/v2/modelPackages/", body, 422)["errors"]
    assert list(errors) == [place]


def test_a_holdout_without_responses_is_refused(client: APIClient, user: User) -> None:
    holdout = upload(user, pl.DataFrame({"answer": ["a"]}))
    body = {"name": "x", "target": {"name": "answer", "type": "TextGeneration"}, "holdoutDatasetId": holdout}
    assert list(post(client, "/api/v2/modelPackages/", body, 422)["errors"]) == ["predictionColumns.value"]


def test_without_data_the_prompt_has_the_usual_name(client: APIClient) -> None:
    body = {"name": "x", "target": {"name": "answer", "type": "TextGeneration"}}
    found = post(client, "/api/v2/modelPackages/", body, 201)
    assert (found["target"]["promptColumn"], found["features"][0]["type"]) == ("promptText", "Text")


# --- Doors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_every_format_gives_the_rows_that_json_gives(client: APIClient, base: str, kind: str) -> None:
    numbers = range(8)
    contexts: list[Any] = [[{"context": f"Passage {n}", "link": None}] for n in numbers]
    table = pl.DataFrame(
        {
            "timestamp": [at(n).isoformat() for n in numbers],
            "association_id": [f"q{n}" for n in numbers],
            "prompt": [question(n) for n in numbers],
            "prediction": [reply(n) for n in numbers],
            "contexts": contexts if kind != "csv" else [json.dumps(one) for one in contexts],
        }
    )
    out = io.BytesIO()
    {"csv": table.write_csv, "ndjson": table.write_ndjson, "parquet": table.write_parquet}[kind](out)  # type: ignore[operator]
    media = {"csv": "text/csv", "ndjson": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}[kind]
    answer = client.post(f"{base}predictionInputs/fromFile/", out.getvalue(), content_type=media)
    assert (answer.status_code, answer.json()["ignoredColumns"]) == (202, [])
    actuals = pl.DataFrame({"association_id": ["q1", "q2"], "actual_value": ["First", "Second"]})
    sent = client.post(f"{base}actuals/fromFile/", actuals.write_csv().encode(), content_type="text/csv")
    assert sent.status_code == 202
    roll_up(base)
    rows = get(client, f"{base}dataQualityView/", **PERIOD, orderBy="timestamp")["data"]
    assert [(row["prompt"], row["predictedValue"]) for row in rows] == [(question(n), reply(n)) for n in numbers]
    assert [row["context"] for row in rows] == contexts
    assert [row["actualValue"] for row in rows[:4]] == [None, "First", "Second", None]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"predictions": [1, {}]}, "data[0].predictions[1]"),
        ({"prompts": ["one"]}, "data[0].features[question]"),
        ({"contexts": [[], [{"link": "x"}]]}, "data[0].contexts[1][0].context"),
        ({"features": [{"name": "question", "values": ["a", "b"]}], "prompts": ["a", "b"]}, "data[0].prompts"),
    ],
)
def test_a_wrong_text_body_is_refused_by_its_place(
    client: APIClient, base: str, change: dict[str, Any], place: str
) -> None:
    item = {"predictions": ["a", "b"], "associationIds": ["1", "2"], **change}
    assert place in post(client, f"{base}predictionInputs/fromJSON/", {"data": [item]}, 422)["errors"]


def test_a_file_with_broken_contexts_is_refused(client: APIClient, base: str) -> None:
    table = pl.DataFrame({"prediction": ["a", "b"], "contexts": ["[]", "{nonsense"]}).write_csv().encode()
    answer = client.post(f"{base}predictionInputs/fromFile/", table, content_type="text/csv")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["contexts[1]"])


def test_prompts_and_contexts_are_for_models_that_generate_text(client: APIClient, user: User) -> None:
    other = make_deployment()
    other.roles.create(user=user, role=Role.OWNER)
    item = {"predictions": [0.5], "prompts": ["a"], "contexts": [[]]}
    address = f"/api/v2/deployments/{other.public_id}/"
    errors = post(client, f"{address}predictionInputs/fromJSON/", {"data": [item]}, 422)["errors"]
    assert list(errors) == ["data[0].prompts", "data[0].contexts"]
    refused = get(client, f"{address}dataQualityView/", 422, **PERIOD)["errors"]
    assert "TextGeneration" in refused["modelId"][0]


# --- Monitoring -------------------------------------------------------------------------------------------------


def expected_drift(training: list[str], live: list[str]) -> float:
    """PSI over the training words, counted here by hand."""
    words = fit_text(training).words
    counts = []
    for texts in (training, live):
        found = Counter(word for text in texts for word in words_of(text))
        counts.append(np.array([found[word] for word in words], dtype=np.float64))
    return float(drift_scores("psi", counts[0], counts[1]))


def test_prompts_and_responses_drift_by_their_words(client: APIClient, filled: str) -> None:
    prompts, replies = [question(n) for n in range(ROWS)], [reply(n) for n in range(ROWS)]
    feature = get(client, f"{filled}featureDrift/", **PERIOD)["data"]
    assert [(one["name"], one["type"], one["sampleSize"], one["baselineSampleSize"]) for one in feature] == [
        ("question", "text", ROWS, len(TRAINING))
    ]
    assert feature[0]["driftScore"] == pytest.approx(expected_drift(TRAINING, prompts))
    target = get(client, f"{filled}targetDrift/", **PERIOD)
    assert (target["type"], target["targetName"], target["sampleSize"]) == ("text", "answer", ROWS)
    assert target["driftScore"] == pytest.approx(expected_drift(HELD_OUT, replies))


def test_drift_over_time_and_in_segments_counts_the_rows_there(client: APIClient, filled: str) -> None:
    query = {**PERIOD, "featureNames": "question,answer", "bucketSize": "P1D"}
    buckets = get(client, f"{filled}featureDriftOverTime/", **query)["buckets"]
    for bucket in buckets:
        since, until = (datetime.fromisoformat(bucket["period"][name]) for name in ("start", "end"))
        live = [n for n in range(ROWS) if since <= at(n) < until]
        text, training = (question, TRAINING) if bucket["featureName"] == "question" else (reply, HELD_OUT)
        assert bucket["sampleSize"] == len(live)
        score = expected_drift(training, [text(n) for n in live]) if live else None
        assert bucket["driftScore"] == (None if score is None else pytest.approx(score))
    oslo = get(client, f"{filled}targetDrift/", **PERIOD, segmentAttribute="town", segmentValue="Oslo")
    replies = [reply(n) for n in range(ROWS) if n % 2]
    words = fit_text(HELD_OUT).words
    counted = [Counter(word for text in texts for word in words_of(text)) for texts in (HELD_OUT[::2], replies)]
    of_oslo = float(drift_scores("psi", *(np.array([one[word] for word in words]) for one in counted)))
    assert (oslo["sampleSize"], oslo["driftScore"]) == (len(replies), pytest.approx(of_oslo))


def test_what_each_word_adds_sums_up_to_the_drift(client: APIClient, filled: str) -> None:
    found = get(client, f"{filled}featureDistributions/", **PERIOD, featureNames="answer")["data"][0]
    words = {one["label"]: one for one in found["bins"]}
    assert words["loops"]["count"] == sum("loops" in reply(n) for n in range(ROWS))
    whole = get(client, f"{filled}targetDrift/", **PERIOD)["driftScore"]
    assert sum(one["contribution"] for one in found["bins"]) == pytest.approx(whole)


def test_counts_are_known_and_accuracy_says_that_it_does_not_apply(client: APIClient, filled: str) -> None:
    query = {**PERIOD, "bucketSize": "P1D"}
    over = get(client, f"{filled}predictionsOverTime/", **query, includePercentiles="true")
    assert sum(bucket["rowCount"] for bucket in over["buckets"]) == ROWS
    assert over["buckets"][0]["percentiles"] == []
    versus = get(client, f"{filled}predictionsVsActualsOverTime/", **query)
    assert versus["summary"] == {"rowCountTotal": ROWS, "rowCountWithActual": len(ACTUAL)}
    for tail in ("accuracy/", "accuracyOverTime/", "accuracyOverBatch/"):
        assert "TextGeneration" in get(client, filled + tail, 422)["message"]
    shown = get(client, filled)
    assert shown["model"]["targetType"] == "TextGeneration"
    assert (shown["accuracyHealth"]["status"], shown["modelHealth"]["status"]) == ("unavailable", "unknown")
    assert get(client, f"{filled}healthSettings/")["accuracy"]["metric"] is None
    listed = get(client, "/api/v2/deployments/", championModelTargetType="textgeneration")["data"]
    assert [row["id"] for row in listed] == [filled.split("/")[-2]]
    assert get(client, f"{filled}features/")["data"][0]["featureType"] == "Text"


# --- Data quality ------------------------------------------------------------------------------------------------


def numbers_of(rows: list[dict[str, Any]]) -> list[int]:
    return [int(row["associationId"][1:]) for row in rows]


def measured(client: APIClient, base: str, kind: str = "gauge") -> str:
    """A metric of which two thirds of the rows have a value."""
    fields = {"name": "Overlap", "type": kind, "directionality": "higherIsBetter"}
    metric = post(client, f"{base}customMetrics/", fields, 201)["id"]
    values = [
        {
            "associationId": f"q{n:02}",
            "timestamp": at(n).isoformat(),
            "value": value_of(n) if kind == "gauge" else f"k{n % 4}",
            "metadata": f"note {n}",
        }
        for n in range(ROWS)
        if n % 3
    ]
    post(client, f"{base}customMetrics/{metric}/fromJSON/", {"buckets": values})
    return str(metric)


def value_of(number: int) -> float:
    return ((number * 37) % 50) / 10


def test_a_row_has_prompt_reply_actual_contexts_and_metrics(client: APIClient, filled: str) -> None:
    metric = measured(client, filled)
    rows = get(client, f"{filled}dataQualityView/", **PERIOD, orderBy="timestamp", limit=3)["data"]
    assert rows[2] == {
        "timestamp": f"{at(2):%Y-%m-%dT%H:%M:%SZ}",
        "associationId": "q02",
        "prompt": question(2),
        "predictedValue": reply(2),
        "actualValue": ACTUAL[2],
        "context": [
            {"context": "Passage 2", "link": "https://example.org/2"},
            {"context": "and another", "link": None},
        ],
        "metrics": [{"id": metric, "name": "Overlap", "value": value_of(2), "metadata": "note 2"}],
    }
    assert (rows[0]["context"], rows[0]["metrics"], rows[1]["actualValue"]) == ([], [], None)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, list(reversed(range(ROWS)))),
        ({"orderBy": "timestamp"}, list(range(ROWS))),
        ({"orderBy": "-associationId"}, list(reversed(range(ROWS)))),
        ({"promptPattern": "LOOPS how"}, [n for n in reversed(range(ROWS)) if n % 3 == 0]),
        ({"predictionPattern": "number 1", "orderBy": "timestamp"}, [n for n in range(ROWS) if "1" in str(n)]),
        ({"actualPattern": "sort", "orderBy": "associationId"}, [n for n in ACTUAL if n % 5 == 3]),
        (
            {"actualPattern": "just", "promptPattern": "files"},
            [],
        ),
        (
            {"orderMetric": "Overlap"},
            [*sorted((n for n in range(ROWS) if n % 3), key=lambda n: (value_of(n), n)), *range(0, ROWS, 3)],
        ),
        (
            {"orderBy": "-customMetrics", "orderMetric": "Overlap", "promptPattern": "strings"},
            sorted((n for n in range(ROWS) if n % 3 == 1), key=lambda n: (-value_of(n), -n)),
        ),
        (
            {"filterMetric": "Overlap", "filterValue": "3.7", "orderBy": "timestamp"},
            [n for n in range(ROWS) if n % 3 and value_of(n) == 3.7],
        ),
    ],
)
def test_filters_and_orders(client: APIClient, filled: str, query: dict[str, Any], expected: list[int]) -> None:
    measured(client, filled)
    address = f"{filled}dataQualityView/"
    answer = get(client, address, **PERIOD, **query)
    assert numbers_of(answer["data"]) == expected
    assert (answer["totalCount"], answer["count"], answer["next"]) == (len(expected), len(expected), None)
    paged: list[int] = []
    for offset in range(0, len(expected) + 1, 7):
        part = get(client, address, **PERIOD, **query, offset=offset, limit=7)
        assert part["totalCount"] == len(expected)
        paged += numbers_of(part["data"])
        assert (part["next"] is not None) == (offset + 7 < len(expected))
    assert paged == expected


def test_a_metric_is_named_by_id_too_and_categories_filter_by_their_name(client: APIClient, filled: str) -> None:
    metric = measured(client, filled, "categorical")
    found = get(client, f"{filled}dataQualityView/", **PERIOD, filterMetric=metric, filterValue="k2", limit=1000)
    assert sorted(numbers_of(found["data"])) == [n for n in range(ROWS) if n % 3 and n % 4 == 2]
    assert {row["metrics"][0]["value"] for row in found["data"]} == {"k2"}


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"orderBy": "customMetrics"}, "orderMetric"),
        ({"orderBy": "timestamp", "orderMetric": "Overlap"}, "orderMetric"),
        ({"orderMetric": "Nothing"}, "orderMetric"),
        ({"filterMetric": "Overlap"}, "filterValue"),
        ({"filterValue": "3"}, "filterMetric"),
        ({"filterMetric": "Overlap", "filterValue": "much"}, "filterValue"),
        ({"filterMetric": "Nothing", "filterValue": "3"}, "filterMetric"),
        ({"start": PERIOD["end"]}, "start"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    client: APIClient, filled: str, query: dict[str, Any], place: str
) -> None:
    measured(client, filled)
    assert list(get(client, f"{filled}dataQualityView/", 422, **{**PERIOD, **query})["errors"]) == [place]


def test_only_rows_of_the_period_are_shown_to_the_second(client: APIClient, filled: str) -> None:
    query: dict[str, Any] = {"start": at(10).isoformat(), "end": at(33).isoformat()}
    for words in ("", "How"):
        answer = get(client, f"{filled}dataQualityView/", **query, promptPattern=words, orderBy="timestamp")
        assert (numbers_of(answer["data"]), answer["totalCount"]) == (list(range(10, 33)), 23)


def test_a_page_reads_only_the_days_that_it_shows(client: APIClient, filled: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        get(client, f"{filled}dataQualityView/", **PERIOD, orderBy="timestamp", limit=5)
    assert sum("payload" in query["sql"] and "deployments_block" in query["sql"] for query in queries) == 1


# --- Prediction results ------------------------------------------------------------------------------------------


def test_prediction_results_of_text_hold_the_texts(client: APIClient, filled: str) -> None:
    rows = get(client, f"{filled}predictionResults/", limit=3)["data"]
    assert [(row["predicted"], row["actual"]) for row in rows] == [(reply(n), ACTUAL.get(n)) for n in range(3)]


def test_an_actual_that_is_corrected_is_shown_corrected(client: APIClient, filled: str) -> None:
    rows = [{"associationId": "q00", "actualValue": "Better"}]
    post(client, f"{filled}actuals/fromJSON/", {"data": rows})
    roll_up(filled)
    for pk in jobs.waiting():
        jobs.run(pk)
    assert get(client, f"{filled}predictionResults/", limit=1)["data"][0]["actual"] == "Better"
