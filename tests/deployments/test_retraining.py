"""Retraining: real runs from stored requests and datasets, their triggers, and what is refused."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient
from sklearn.metrics import roc_auc_score

from deployments import artifacts, capabilities, challengers, datasets, jobs, registry
from deployments.api.authentication import issue
from deployments.api.retraining import NewPolicy
from deployments.models import (
    Challenger,
    Dataset,
    Deployment,
    FeatureType,
    JobState,
    ModelPackage,
    RetrainingPolicy,
    RetrainingRun,
    RetrainingSettings,
    RunStatus,
)
from deployments.retraining import data, onnx_export, options, policies, run, trainer
from deployments.retraining.options import Action, Cause, FeatureList, Mode, Policy, ProjectOptions, Trigger
from deployments.rollups import fill
from deployments.schedules import Schedule
from deployments.scoring.scorer import open_scorer
from tests.deployments.factories import HOUR, NOW, make_package, make_user, send_actuals, send_predictions

pytestmark = pytest.mark.django_db
ROWS = 400


def table(kind: str = "Binary", rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """Rows whose target depends on both features."""
    rng = np.random.default_rng(seed)
    age, oslo = rng.uniform(20, 70, rows).round(1), rng.random(rows) < 0.5
    score = (age - 45) / 10 + 1.5 * oslo + rng.normal(0, 0.5, rows)
    target: Any = score
    if kind == "Binary":
        target = np.where(score > 0.5, "yes", "no")
    if kind == "Multiclass":
        target = np.array(["red", "green", "blue"])[np.digitize(score, [-0.5, 1.0])]
    return pl.DataFrame({"age": age, "town": np.where(oslo, "Oslo", "Bergen"), "target": target})


@pytest.fixture
def owner() -> User:
    return make_user()


def make_world(owner: User, kind: str = "Binary", *, requests: bool = True, **settings: Any) -> Deployment:
    """A deployment whose requests have outcomes."""
    chosen = {"challengerModels": {"enabled": True}, **settings}
    deployment = registry.create_deployment(
        make_package(kind), "Retrained", owner, started_at=NOW - timedelta(days=60), settings=chosen
    )
    if requests:
        rows = table(kind)
        value: Any = {"Binary": 0.5, "Multiclass": [0.2, 0.3, 0.5], "Regression": 1.0}[kind]
        ids = [f"r{number}" for number in range(rows.height)]
        times = [HOUR - timedelta(hours=number % 48) for number in range(rows.height)]
        send_predictions(
            *(deployment, [value] * rows.height),
            at=times,
            ids=ids,
            ages=rows["age"].to_list(),
            towns=rows["town"].to_list(),
        )
        send_actuals(deployment, dict(zip(ids, rows["target"].to_list(), strict=True)))
        assert fill.run(deployment.pk, NOW)
    deployment.refresh_from_db()
    return deployment


def dataset(rows: pl.DataFrame, owner: User, name: str = "new.parquet") -> Dataset:
    out = io.BytesIO()
    rows.write_parquet(out)
    return datasets.store(out.getvalue(), name, "", owner)


def policy(deployment: Deployment, owner: User, **values: Any) -> RetrainingPolicy:
    chosen = {"name": "Again", "autopilot_options": options.Autopilot(mode=Mode.QUICK), **values}
    return policies.create(deployment, Policy(**chosen), owner, NOW)


def finished(row: RetrainingPolicy) -> RetrainingRun:
    """A manual run, carried out."""
    made = run.start(row, Cause.MANUAL, NOW)
    assert made.job is not None
    jobs.run(made.job.pk)
    made.refresh_from_db()
    return made


def client_of(user: User) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {issue(user, 'test')}"})


def path(deployment: Deployment, tail: str = "retrainingPolicies/") -> str:
    return f"/api/v2/deployments/{deployment.public_id}/{tail}"


def test_a_run_trains_on_requests_with_outcomes_and_registers_what_it_made(owner: User) -> None:
    deployment = make_world(owner)
    made = finished(policy(deployment, owner))
    assert (made.status, made.error_message) == (RunStatus.SUCCEEDED, "")
    package = made.package
    assert package is not None
    assert (made.report["rows"], package.holdout_rows, package.training_rows) == (400, 80, 320)
    assert (package.owner, package.class_names, package.positive_class) == (owner, ["no", "yes"], "yes")
    assert package.features.get(name="age").tracked
    # the package answers like a good model on rows that it has never seen, by scikit-learn's own measure
    fresh = table(seed=5)
    rows = pl.DataFrame({"f:age": fresh["age"], "f:town": fresh["town"]})
    with open_scorer(package) as scorer:
        scores = scorer.predict(rows)["p"].to_numpy()
    assert roc_auc_score(fresh["target"] == "yes", scores) > 0.9
    assert package.holdout_dataset is not None
    held = datasets.read(package.holdout_dataset)
    auc = roc_auc_score(held["target"] == "yes", held["prediction_yes"])
    assert package.accuracy_baseline["AUC"] == pytest.approx(auc, abs=1e-6)


@pytest.mark.parametrize("kind", ["Multiclass", "Regression"])
def test_other_targets_are_trained_too(owner: User, kind: str) -> None:
    deployment = make_world(owner, kind)
    made = finished(policy(deployment, owner, autopilot_options=options.Autopilot(mode=Mode.AUTO)))
    assert made.status == RunStatus.SUCCEEDED, made.error_message
    assert len(made.report["candidates"]) == 2
    assert made.report["differentAfterExport"] == 0.0


def test_a_metric_that_is_undefined_on_a_part_is_told_as_none(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    real = trainer._measured
    monkeypatch.setattr(trainer, "_measured", lambda *given: dict.fromkeys(real(*given)))
    made = finished(policy(make_world(owner), owner, autopilot_options=options.Autopilot(mode=Mode.AUTO)))
    assert made.status == RunStatus.SUCCEEDED, made.error_message
    assert [one["value"] for one in made.report["candidates"]] == [None, None]


def test_a_dataset_with_the_target_is_joined_by_the_stored_requests(owner: User) -> None:
    deployment = make_world(owner)
    RetrainingSettings.objects.create(deployment=deployment, dataset=dataset(table(rows=250, seed=1), owner))
    assert finished(policy(deployment, owner)).report["rows"] == 650
    assert finished(policy(deployment, owner, name="Dataset alone", use_actuals=False)).report["rows"] == 250


def test_a_dataset_without_the_target_gets_it_from_the_actuals_by_id(owner: User) -> None:
    deployment = make_world(owner, associationId={"columnNames": ["case"]})
    rows = table(rows=ROWS).drop("target").with_columns(case=pl.Series([f"r{number}" for number in range(ROWS)]))
    some = pl.concat([rows.head(200), rows.tail(10).with_columns(case=pl.lit("unknown"))])
    RetrainingSettings.objects.create(deployment=deployment, dataset=dataset(some, owner))
    made = finished(policy(deployment, owner))
    assert (made.status, made.report["rows"]) == (RunStatus.SUCCEEDED, 200), made.error_message


ODD = ("id", "at", "hour", "y", "received")
"""Features called like columns that stored rows have beside them."""


def oddly_named(owner: User) -> Deployment:
    """A deployment with features of such names; each holds the number of its row."""
    package = make_package()
    for position, name in enumerate(ODD, 2):
        package.features.create(name=name, position=position, kind="Numeric")
    chosen = {"associationId": {"columnNames": ["case"]}}
    started = NOW - timedelta(days=60)
    deployment = registry.create_deployment(package, "Odd names", owner, started_at=started, settings=chosen)
    rows, ids = table(), [f"r{number}" for number in range(ROWS)]
    columns = {"age": rows["age"].to_list(), "town": rows["town"].to_list()} | {name: [*range(ROWS)] for name in ODD}
    features = [{"name": name, "values": values} for name, values in columns.items()]
    send_predictions(deployment, [0.5] * ROWS, ids=ids, features=features)
    send_actuals(deployment, dict(zip(ids, rows["target"].to_list(), strict=True)))
    assert fill.run(deployment.pk, NOW)
    return deployment


@pytest.mark.parametrize("joined", [False, True], ids=["stored requests", "a dataset"])
def test_features_may_be_called_like_the_columns_of_stored_rows(owner: User, joined: bool) -> None:
    deployment = oddly_named(owner)
    assert deployment.champion is not None
    given = None
    if joined:
        numbers = pl.Series([*range(ROWS)])
        rows = table().drop("target").with_columns(*(numbers.alias(name) for name in ODD))
        given = dataset(rows.with_columns(case=pl.format("r{}", numbers)), owner)
    found = data.collect(deployment, deployment.champion.package, given, use_actuals=True, tell=lambda *_: None)
    found = found.sort("id")
    for name in ODD:
        assert found[name].to_list() == [*range(ROWS)]
    assert found["target"].to_list() == table()["target"].to_list()


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (pl.DataFrame({"age": [1.0]}), "association ids"),
        (table(rows=50), "at least 100"),
        (table(rows=200).with_columns(age=pl.lit("old")), "Column 'age'"),
        (table(rows=200).with_columns(target=pl.lit("yes")), "The class 'no' has fewer"),
    ],
)
def test_data_that_make_no_model_are_told(owner: User, rows: pl.DataFrame, words: str) -> None:
    deployment = make_world(owner, requests=False)
    RetrainingSettings.objects.create(deployment=deployment, dataset=dataset(rows, owner))
    made = finished(policy(deployment, owner))
    assert made.status == RunStatus.FAILED
    assert words in made.error_message
    assert made.finished_at is not None


def test_the_action_makes_a_challenger(owner: User) -> None:
    deployment = make_world(owner)
    made = finished(policy(deployment, owner, action=Action.CHALLENGER))
    challenger = Challenger.objects.get()
    assert (made.challenger_public_id, challenger.model.package) == (challenger.public_id, made.package)


def test_the_action_replaces_the_champion(owner: User) -> None:
    deployment = make_world(owner)
    made = finished(policy(deployment, owner, action=Action.REPLACEMENT))
    deployment.refresh_from_db()
    assert deployment.champion is not None
    assert deployment.champion.package == made.package
    again = finished(policy(deployment, owner, name="Same", model_selection_strategy="same_hyperparameters"))
    assert again.report["blueprint"].startswith("gradient boosting")


def test_an_action_that_cannot_be_done_fails_and_the_package_stays(owner: User) -> None:
    deployment = make_world(owner)
    row = policy(deployment, owner, action=Action.CHALLENGER)
    deployment.settings |= {"challengerModels": {"enabled": False}}
    deployment.save()
    made = finished(row)
    assert (made.status, "challengerModels" in made.error_message) == (RunStatus.FAILED, True)
    assert made.package is not None


class Killed(BaseException):
    """The worker's process ended."""


@pytest.mark.parametrize("where", ["fit", "impact", "register", "act"])
def test_a_run_that_is_killed_makes_everything_once(owner: User, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    deployment = make_world(owner)
    row = policy(deployment, owner, action=Action.CHALLENGER)
    made = run.start(row, Cause.MANUAL, NOW)
    assert made.job is not None
    module, name = {
        "fit": (trainer, "fit"),
        "impact": (trainer, "impact"),
        "register": (artifacts, "attach"),
        "act": (challengers, "create"),
    }[where]
    real = getattr(module, name)

    def dying(*args: Any, **more: Any) -> Any:
        if where in ("register", "act"):
            real(*args, **more)
        raise Killed

    monkeypatch.setattr(module, name, dying)
    before = ModelPackage.objects.count()
    with pytest.raises(Killed):
        jobs.run(made.job.pk)
    monkeypatch.undo()
    assert jobs.run(made.job.pk, now=NOW + timedelta(days=400))
    made.refresh_from_db()
    assert made.status == RunStatus.SUCCEEDED, made.error_message
    assert ModelPackage.objects.count() == before + 1
    assert Challenger.objects.count() == 1
    assert Dataset.objects.count() == 2


def test_a_run_is_cancelled_in_the_middle(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment = make_world(owner)
    row = policy(deployment, owner)
    made = run.start(row, Cause.MANUAL, NOW)
    client = client_of(owner)
    one = path(deployment, f"retrainingPolicies/{row.public_id}/runs/{made.public_id}/")
    real = trainer.fit

    def cancelled_meanwhile(*args: Any) -> Any:
        assert client.patch(one, {"status": "cancelled"}).status_code == 200
        return real(*args)

    monkeypatch.setattr(trainer, "fit", cancelled_meanwhile)
    assert made.job is not None
    before = ModelPackage.objects.count()
    jobs.run(made.job.pk)
    assert client.get(one).json()["status"] == "cancelled"
    assert ModelPackage.objects.count() == before
    assert client.patch(one, {"status": "cancelled"}).status_code == 409


def test_a_run_that_has_not_begun_is_cancelled_at_once(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    made = run.start(policy(deployment, owner), Cause.MANUAL, NOW)
    assert policies.cancel(made)
    made.refresh_from_db()
    assert made.status == RunStatus.CANCELLED
    assert made.job is not None
    assert made.job.state == JobState.ABORTED


def test_an_exported_model_that_answers_otherwise_is_not_registered(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = make_world(owner)
    row = policy(deployment, owner)
    real = onnx_export.exported

    def of_another_model(model: Any, task: Any) -> bytes:
        rows = table(seed=9).with_columns(target=pl.Series(["no", "yes"] * (ROWS // 2)))
        other = trainer.fit(task.table(rows), task.outcomes(rows), task, trainer.candidates(Mode.QUICK)[0])
        return real(other, task)

    monkeypatch.setattr(onnx_export, "exported", of_another_model)
    before = ModelPackage.objects.count()
    made = finished(row)
    assert (made.status, "answers otherwise" in made.error_message) == (RunStatus.FAILED, True)
    assert ModelPackage.objects.count() == before


def test_texts_and_missing_values_survive_the_export() -> None:
    rng = np.random.default_rng(3)
    rows = table(rows=300).with_columns(
        age=pl.Series([None if number % 7 == 0 else float(number % 50) for number in range(300)]),
        said=pl.Series([("late again", "in time", "Ærlig talt", "")[number] for number in rng.integers(0, 4, 300)]),
    )
    kinds = {"age": "Numeric", "town": "Categorical", "said": "Text"}
    features = {name: FeatureType(kind) for name, kind in kinds.items()}
    package = make_package()
    package.features.create(name="said", position=2, kind="Text")
    task = trainer.Task(features, "target", package.kind, ("no", "yes"))
    for candidate in trainer.candidates(Mode.AUTO):
        model = trainer.fit(task.table(rows), task.outcomes(rows), task, candidate)
        content = onnx_export.exported(model, task)
        original = trainer.predict(model, task.table(rows), task)
        converted = run.asked(content, rows, task, package)
        assert trainer.difference(original, converted, task) == 0.0
        assert np.ptp(original[:, 1]) > 0.1


# --- Triggers ---------------------------------------------------------------------------------------------------


def statuses(deployment: Deployment, row: RetrainingPolicy, *seen: str) -> list[int]:
    """How many runs were started as the status of drift went through these, one a day; each run is finished at once."""
    counts = []
    for day, status in enumerate(seen):
        Deployment.objects.filter(pk=deployment.pk).update(model_status=status)
        policies.run_due(NOW + timedelta(days=day + 1))
        RetrainingRun.objects.filter(policy=row).update(status=RunStatus.SUCCEEDED)
        counts.append(row.runs.count())
    return counts


@pytest.mark.parametrize(
    ("trigger", "expected"),
    [
        ({"status_declines_to_failing": True}, [0, 0, 1, 1, 1, 2]),
        ({"status_declines_to_warning": True}, [0, 1, 1, 1, 1, 1]),
        ({"status_declines_to_warning": True, "status_declines_to_failing": True}, [0, 1, 2, 2, 2, 3]),
        ({"status_still_in_decline": True}, [0, 1, 2, 3, 3, 4]),
    ],
)
def test_a_decline_starts_a_run(owner: User, trigger: dict[str, Any], expected: list[int]) -> None:
    deployment = make_world(owner, requests=False)
    row = policy(deployment, owner, trigger=Trigger(type=Cause.DRIFT, **trigger))
    assert statuses(deployment, row, "passing", "warning", "failing", "failing", "passing", "failing") == expected


def test_a_decline_within_the_interval_waits_for_its_end(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    trigger = Trigger(type=Cause.DRIFT, status_declines_to_failing=True, min_interval_between_runs="P7D")
    row = policy(deployment, owner, trigger=trigger)
    found = statuses(deployment, row, "failing", "passing", *["failing"] * 7)
    assert found == [1, 1, 1, 1, 1, 1, 1, 2, 2]


def test_a_decline_that_lasts_starts_a_run_a_day_unless_the_policy_says_otherwise(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    row = policy(deployment, owner, trigger=Trigger(type=Cause.DRIFT, status_still_in_decline=True))
    Deployment.objects.filter(pk=deployment.pk).update(model_status="failing")
    counts = []
    for hours in (0, 1, 23, 24, 25):
        policies.run_due(NOW + timedelta(hours=hours))
        RetrainingRun.objects.update(status=RunStatus.SUCCEEDED)
        counts.append(row.runs.count())
    assert counts == [1, 1, 1, 2, 2]


def test_a_decline_during_a_run_is_reacted_to_after_it(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    row = policy(deployment, owner, trigger=Trigger(type=Cause.DRIFT, status_declines_to_failing=True))
    run.start(row, Cause.MANUAL, NOW)
    Deployment.objects.filter(pk=deployment.pk).update(model_status="failing")
    assert policies.run_due(NOW + timedelta(minutes=1)) == 0
    RetrainingRun.objects.update(status=RunStatus.SUCCEEDED)
    assert [policies.run_due(NOW + timedelta(minutes=minute)) for minute in (2, 3)] == [1, 0]


def test_a_trigger_that_finds_nobody_to_run_in_whose_name_says_so_once(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    row = policy(deployment, owner, trigger=Trigger(type=Cause.DRIFT, status_declines_to_failing=True))
    deployment.roles.filter(user=owner).update(role="USER")
    Deployment.objects.filter(pk=deployment.pk).update(model_status="failing")
    assert [policies.run_due(NOW + timedelta(minutes=minute)) for minute in (0, 1)] == [0, 0]
    told = row.runs.get()
    assert (told.status, told.cause, told.finished_at) == (RunStatus.FAILED, "data_drift_decline", NOW)
    assert "retraining user" in told.error_message


def test_a_schedule_starts_one_run_however_many_workers_look(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    trigger = Trigger(type=Cause.SCHEDULE, schedule=Schedule(minute=(0,), hour=(3,)))
    row = policy(deployment, owner, trigger=trigger)
    assert policies.run_due(NOW) == 0
    assert [policies.run_due(NOW + timedelta(days=2)) for _ in range(3)] == [1, 0, 0]
    assert row.runs.get().cause == "schedule"


def test_an_inactive_deployment_is_not_retrained(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    row = policy(deployment, owner, trigger=Trigger(type=Cause.DRIFT, status_still_in_decline=True))
    Deployment.objects.filter(pk=deployment.pk).update(status="inactive")
    assert statuses(deployment, row, "failing") == [0]


def test_a_policy_whose_maker_lost_the_deployment_does_not_run(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    row = policy(deployment, owner)
    deployment.roles.filter(user=owner).update(role="USER")
    with pytest.raises(run.NotPossible, match="retraining user"):
        run.start(row, Cause.MANUAL, NOW)


# --- Over HTTP --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"autopilotOptions": {"blendBestModels": True}}, "autopilotOptions.blendBestModels"),
        ({"autopilotOptions": {"scoringCodeOnly": True}}, "autopilotOptions.scoringCodeOnly"),
        ({"autopilotOptions": {"shapOnlyMode": True}}, "autopilotOptions.shapOnlyMode"),
        (
            {"autopilotOptions": {"runLeakageRemovedFeatureList": True}},
            "autopilotOptions.runLeakageRemovedFeatureList",
        ),
        ({"autopilotOptions": {"mode": "manual"}}, "autopilotOptions.mode"),
        ({"timeSeriesOptions": {"calendarId": "c"}}, "timeSeriesOptions.calendarId"),
        ({"modelSelectionStrategy": "same_blueprint"}, "modelSelectionStrategy"),
        ({"projectOptions": {"metric": "AUC"}}, "projectOptions"),
        (
            {"projectOptionsStrategy": "custom", "projectOptions": {"metric": "RMSE"}},
            "projectOptions.metric",
        ),
        (
            {"projectOptionsStrategy": "custom", "projectOptions": {"validationPct": 20}},
            "projectOptions.validationPct",
        ),
        ({"projectOptionsStrategy": "custom", "projectOptions": {"holdoutPct": 99}}, "projectOptions.holdoutPct"),
        ({"trigger": {"type": "schedule"}}, "trigger.schedule"),
        ({"trigger": {"type": "data_drift_decline"}}, "trigger.statusDeclinesToFailing"),
        ({"trigger": {"type": "manual", "minIntervalBetweenRuns": "often"}}, "trigger.minIntervalBetweenRuns"),
        ({"action": "retire"}, "action"),
        ({"name": "Again"}, "name"),
    ],
)
def test_what_the_trainer_cannot_honour_is_refused_by_name(owner: User, body: dict[str, Any], field: str) -> None:
    deployment = make_world(owner, requests=False)
    policy(deployment, owner)
    sent = {"name": "New", "action": "create_model_package", **body}
    answer = client_of(owner).post(path(deployment), sent)
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == {field}, answer.json()
    assert RetrainingPolicy.objects.count() == 1


def test_a_policy_is_made_changed_and_deleted(owner: User) -> None:
    deployment, client = make_world(owner, requests=False), client_of(owner)
    body = {
        "name": "Every Monday",
        "action": "create_challenger",
        "description": None,
        "featureListStrategy": "informative_features",
        "projectOptionsStrategy": "custom",
        "projectOptions": {"metric": "AUC", "validationType": "TVH", "validationPct": 10, "reps": None},
        "timeSeriesOptions": None,
        "trigger": {"type": "schedule", "schedule": {"minute": [0], "hour": [3], "dayOfWeek": [1]}},
    }
    made = client.post(path(deployment), body).json()
    assert (made["description"], made["trigger"]["schedule"]["dayOfMonth"], made["latestRun"]) == ("", ["*"], None)
    one = path(deployment, f"retrainingPolicies/{made['id']}/")
    changed = client.patch(one, {"projectOptions": {"validationPct": 15}, "description": "Weekly"}).json()
    assert "errors" not in changed, changed
    assert changed["projectOptions"]["metric"] == "AUC"
    assert changed["projectOptions"]["validationPct"] == 15
    assert client.get(one).json() == changed
    assert client.get(path(deployment)).json()["data"] == [changed]
    run_of_it = client.post(f"{one}runs/")
    assert (run_of_it.status_code, run_of_it.json()["status"]) == (200, "created")
    assert client.post(f"{one}runs/").status_code == 409
    assert client.get(one).json()["latestRun"]["id"] == run_of_it.json()["id"]
    assert client.delete(one).status_code == 200
    assert client.get(one).status_code == 404
    status = run_of_it["Location"].removeprefix("http://testserver")
    assert client.get(status).json()["status"] == "ABORTED"


def test_what_a_new_policy_has_to_say_is_declared_and_asked_for(owner: User) -> None:
    deployment, client = make_world(owner, requests=False), client_of(owner)
    assert set(msgspec.json.schema(NewPolicy)["$defs"]["NewPolicy"]["required"]) == {"name", "action"}
    for sent, missing in (({"name": "Plain"}, "action"), ({"action": "create_challenger"}, "name")):
        assert set(client.post(path(deployment), sent).json()["errors"]) == {missing}


@pytest.mark.parametrize(
    "values",
    [{"time_series": {"datetimeColumnName": "at"}}, {"target_type": "TextGeneration", "class_names": []}],
)
def test_what_is_never_trained_here_is_no_capability(owner: User, values: dict[str, Any]) -> None:
    deployment = make_world(owner, requests=False)
    assert capabilities.flags(deployment)["supportsRetraining"]
    assert deployment.champion is not None
    ModelPackage.objects.filter(pk=deployment.champion.package_id).update(**values)
    fresh = Deployment.objects.get(pk=deployment.pk)
    (told,) = (row for row in capabilities.explained(fresh) if row["name"] == "supportsRetraining")
    with pytest.raises(options.BadPolicy) as refused:
        options.check(Policy(name="Again"), fresh)
    assert (told["supported"], told["messages"]) == (False, [refused.value.errors["action"]])


def test_settings_name_a_dataset_and_an_owner(owner: User) -> None:
    deployment, client = make_world(owner, requests=False), client_of(owner)
    where, rows = path(deployment, "retrainingSettings/"), dataset(table(), owner)
    assert client.get(where).json() == {"dataset": None, "predictionEnvironment": None, "retrainingUser": None}
    assert client.patch(where, {"datasetId": rows.public_id, "retrainingUserId": f"{owner.pk:024x}"}).json() == {}
    found = client.get(where).json()
    assert found["dataset"] == {"id": rows.public_id, "name": "new.parquet"}
    assert found["retrainingUser"]["username"] == owner.get_username()
    for body, field in (
        ({"datasetId": "none"}, "datasetId"),
        ({"retrainingUserId": f"{make_user().pk:024x}"}, "retrainingUserId"),
        ({"credentialId": "c"}, "credentialId"),
        ({"predictionEnvironmentId": "p"}, "predictionEnvironmentId"),
    ):
        answer = client.patch(where, body)
        assert (answer.status_code, set(answer.json()["errors"])) == (422, {field})
    client.patch(where, {"datasetId": None})
    assert client.get(where).json()["dataset"] is None


def test_informative_features_leave_out_what_tells_nothing(owner: User) -> None:
    deployment = make_world(owner, requests=False)
    rows = table().with_columns(town=pl.lit("Oslo"))
    RetrainingSettings.objects.create(deployment=deployment, dataset=dataset(rows, owner))
    made = finished(policy(deployment, owner, feature_list_strategy=FeatureList.INFORMATIVE))
    assert made.report["features"] == ["age"], made.error_message


def test_the_metric_and_the_parts_are_those_of_the_project_options(owner: User) -> None:
    deployment = make_world(owner)
    chosen = ProjectOptions(metric="AUC", holdout_pct=30, validation_type=options.Validation.SET_ASIDE)
    made = finished(
        policy(
            *(deployment, owner),
            project_options=chosen,
            project_options_strategy=options.OptionsStrategy.CUSTOM,
            autopilot_options=options.Autopilot(mode=Mode.AUTO),
        )
    )
    assert (made.report["metric"], made.report["holdoutRows"]) == ("AUC", 120)
