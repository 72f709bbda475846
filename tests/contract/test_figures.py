"""Rows in at the service's door, figures out of the watcher's snapshots: they are those of scikit-learn.

Real data (scikit-learn's breast cancer table), a real model, the real service, the real watcher.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import numpy as np
import polars as pl
import pytest
from django.utils import timezone
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deployments.models import Deployment
from deployments.rollups import fill
from monitoring import mail, snapshots
from monitoring import questions as q
from monitoring.clock import floor_hour
from monitoring.incidents import due
from monitoring.models import Area, Message, Role, Source, Status, Topic, TopicState, Watched
from monitoring.poll import cycle
from monitoring.poll.standing import DAYS
from monitoring.questions import Last, Mature
from tests.contract.in_process import InProcess
from tests.monitoring.factories import make_member

NAMES = ["radius", "texture", "smoothness"]
COLUMNS = [0, 1, 4]


class Sender:
    """A person with a token at the service's door."""

    def __init__(self, api: InProcess, token: str) -> None:
        self._client = httpx.Client(
            transport=httpx.WSGITransport(app=api.application),
            base_url="http://127.0.0.1/api/v2/",
            headers={"Authorization": f"Bearer {token}"},
        )

    def post(self, path: str, body: Any) -> Any:
        answer = self._client.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else {}

    def upload(self, name: str, table: pl.DataFrame) -> str:
        answer = self._client.post("datasets/fromFile/", files={"file": (name, table.write_csv(), "text/csv")})
        assert answer.status_code < 300, answer.text
        return str(answer.json()["id"])


class Story:
    """The data: a model trained on a third, its holdout a third, and live rows of the rest, hour by hour."""

    def __init__(self) -> None:
        data = load_breast_cancer()
        x, y = data.data[:, COLUMNS], data.target
        thirds = [slice(start, None, 3) for start in range(3)]
        self.model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x[thirds[0]], y[thirds[0]])
        self.training = self.table(x[thirds[0]]).with_columns(pl.Series("target", y[thirds[0]].astype(str)))
        scores = self.model.predict_proba(x[thirds[1]])[:, 1]
        self.holdout = pl.DataFrame({"target": y[thirds[1]].astype(str), "prediction": scores})
        self.live, self.actual = x[thirds[2]], y[thirds[2]]
        self.scores = self.model.predict_proba(self.live)

    @staticmethod
    def table(rows: np.ndarray[Any, Any]) -> pl.DataFrame:
        return pl.DataFrame({name: rows[:, place] for place, name in enumerate(NAMES)})


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def deploy(sender: Sender, story: Story) -> str:
    body = {
        "name": "Benign or malignant",
        "target": {"name": "target", "type": "Binary", "classNames": ["0", "1"], "positiveClass": "1"},
        "features": [
            {"name": name, "type": "Numeric", "featureImpact": impact}
            for name, impact in zip(NAMES, (1.0, 0.6, 0.2), strict=True)
        ],
        "trainingDatasetId": sender.upload("training.csv", story.training),
        "holdoutDatasetId": sender.upload("holdout.csv", story.holdout),
    }
    package = sender.post("modelPackages/", body)["id"]
    return str(sender.post("deployments/fromModelPackage/", {"modelPackageId": package, "label": "Tumours"})["id"])


def send(sender: Sender, story: Story, deployment: str, now: datetime) -> None:
    """The live rows over the ten hours before the present one, their requests and their actuals."""
    first = floor_hour(now) - timedelta(hours=10)
    moments = [first + timedelta(hours=index % 10, minutes=7) for index in range(len(story.actual))]
    ids = [f"patient-{index}" for index in range(len(story.actual))]
    for hour in range(10):
        chosen = [index for index in range(len(ids)) if index % 10 == hour]
        features = [{"name": name, "values": story.live[chosen, place].tolist()} for place, name in enumerate(NAMES)]
        rows = {
            "timestamp": moments[hour].isoformat(),
            "features": features,
            "predictions": story.scores[chosen].tolist(),
            "associationIds": [ids[index] for index in chosen],
        }
        sender.post(f"deployments/{deployment}/predictionInputs/fromJSON/", {"data": [rows]})
        event = {"timestamp": moments[hour].isoformat(), "numPredictions": len(chosen), "executionTime": 12.5}
        event |= {"userError": False, "systemError": hour == 9}
        sender.post(f"deployments/{deployment}/predictionRequests/fromJSON/", {"data": [event]})
    actuals = [
        {"associationId": name, "actualValue": str(value)} for name, value in zip(ids, story.actual, strict=True)
    ]
    sender.post(f"deployments/{deployment}/actuals/fromJSON/", {"data": actuals})
    fill.run(Deployment.objects.get(public_id=deployment).pk, now)


@pytest.fixture
def watched(api: InProcess, token: str, source: Source, story: Story, now: datetime) -> Watched:
    make_member("tom", team=source.team, role=Role.MEMBER)
    sender = Sender(api, token)
    send(sender, story, deploy(sender, story), now)
    cycle.discover(source, now, api)
    run = cycle.poll(source, cycle.claim_due(source, now, 10), now, api)
    assert run.failed == 0
    return Watched.objects.get()


def check_figures(watched: Watched, story: Story, now: datetime) -> None:
    window = Last("P7D")
    known = snapshots.read(
        watched, [q.accuracy(window), q.service_stats(Last("P1D")), q.feature_drift(window)], now=now
    )
    metrics = known.payload(q.accuracy(window))["metrics"]
    positive = story.scores[:, 1]
    assert metrics["LogLoss"]["value"] == pytest.approx(log_loss(story.actual, positive), abs=1e-9)
    assert metrics["AUC"]["value"] == pytest.approx(roc_auc_score(story.actual, positive), abs=1e-9)
    held = story.holdout
    baseline = log_loss(held["target"].cast(int).to_numpy(), held["prediction"].to_numpy())
    assert metrics["LogLoss"]["baselineValue"] == pytest.approx(baseline, abs=1e-9)
    assert known.payload(q.service_stats(Last("P1D")))["metrics"]["totalPredictions"] == len(story.actual)
    assert {one["name"] for one in known.payload(q.feature_drift(window))["data"]} == set(NAMES)


def check_series(watched: Watched, story: Story, now: datetime) -> None:
    for question, field in (
        (q.predictions_over_time(DAYS), "rowCount"),
        (q.predictions_vs_actuals_over_time(DAYS), "rowCountWithActual"),
        (q.service_over_time("totalPredictions", DAYS), "value"),
    ):
        view = snapshots.series(watched, question, now=now)
        assert view is not None
        assert sum(point.number(field) or 0 for point in view.points) == len(story.actual), question.path


def check_answers(watched: Watched, story: Story, now: datetime) -> None:
    assert list(Topic.objects.exclude(state=TopicState.OK).values_list("key", "state", "problem")) == []


def check_verdicts_and_mail(watched: Watched, story: Story, now: datetime) -> None:
    service = watched.areas.get(area=Area.SERVICE)
    assert service.status == Status.FAILING
    assert "1 server error" in service.reason
    assert watched.areas.get(area=Area.ACCURACY).status in {Status.PASSING, Status.WARNING, Status.FAILING}
    told = now + timedelta(minutes=5)  # what is found at the first look has to last a minute
    due.run_due(told)
    mail.decide(told)
    message = Message.objects.get(incident__area=Area.SERVICE)
    assert message.subject == "[FAILING] Tumours – service health (1 error)"
    assert set(message.pictures) == {"chart", "icon"}


def check_maturity(watched: Watched, story: Story, now: datetime) -> None:
    mature = snapshots.answer(watched, q.accuracy(Mature("P7D", 0)))
    assert mature is not None
    assert watched.label_lag_hours is not None
    end = datetime.fromisoformat(mature.payload["period"]["end"])
    assert end <= mature.known_at + timedelta(hours=1)


def test_what_went_in_comes_out(watched: Watched, story: Story, now: datetime) -> None:
    for check in (check_answers, check_figures, check_series, check_maturity, check_verdicts_and_mail):
        check(watched, story, now)
