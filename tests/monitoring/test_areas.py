"""Fairness, custom metrics, humility and timeliness: asked for where they are on, judged, and shown only then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring import questions as q
from monitoring import snapshots
from monitoring.evidence import short
from monitoring.fleet import cells, fleet
from monitoring.health import blind_spots, judge
from monitoring.kept_buckets import Point
from monitoring.mail import further
from monitoring.mail.chart import Verdict
from monitoring.mail.words import value_and_limit
from monitoring.models import CORE_AREAS, Area, HealthDay, Source, Status, Topic, TopicState, Transition, Watched
from monitoring.poll import cycle
from monitoring.poll.areas import AreaFacts, custom_ids
from monitoring.poll.facts import facts_of
from monitoring.poll.standing import DAYS, Facts
from monitoring.questions import Last, Question
from monitoring.snapshots import AnswerView, SeriesView, Snapshot, _series_slot
from tests.monitoring.factories import make_source
from tests.monitoring.far_side import FarSide, Remote, json

NOW = datetime(2026, 5, 1, 10, 20, tzinfo=UTC)
WEEK = Last("P7D")
FURTHER = ["fairnessScores", "humility", "customMetricsSummary", "valuesOver", "OverSpace"]


def known(answers: dict[Question, Any], serieses: dict[Question, SeriesView] | None = None) -> Snapshot:
    found = Snapshot(now=NOW)
    found.answers.update({question.key: AnswerView(payload, NOW, NOW) for question, payload in answers.items()})
    found.serieses.update({_series_slot(question, NOW): view for question, view in (serieses or {}).items()})
    return found


def watched(last: datetime | None = NOW, **fields: Any) -> Watched:
    return Watched(label="Loan default", target_type="Binary", last_prediction_at=last, **fields)


# --- Fairness -----------------------------------------------------------------------------------------------------


def score(label: str, value: float | None, *, significant: bool | None = True) -> dict[str, Any]:
    found = {"label": label, "value": value, "sampleSize": 500}
    return found if significant is None else found | {"isStatisticallySignificant": significant}


M, F, X = score("male", 1.0), score("female", 0.62), score("other", 0.5)
FEW = score("other", 0.1, significant=False)
FAIRNESS: list[tuple[list[dict[str, Any]], dict[str, Any] | None, str, str]] = [
    ([M, score("female", 0.85)], None, "passing", "No class of 2 below 0.8."),
    ([M, F], None, "warning", "1 class below 0.8, limit 1: sex female 0.620."),
    ([M, F, X], None, "failing", "2 classes below 0.8, limit 2: sex other 0.500, sex female 0.620."),
    ([M, FEW], None, "passing", "No class of 1 below 0.8."),
    ([M, score("female", 0.62, significant=None)], None, "warning", "1 class below 0.8, limit 1: sex female 0.620."),
    ([], None, "unknown", "No class has enough rows for a fairness score."),
    ([M, score("female", None)], None, "passing", "No class of 1 below 0.8."),
    ([M, F], {"protectedClassFailingCount": 1}, "failing", "1 class below 0.8, limit 1: sex female 0.620."),
    (
        [M, F],
        {"protectedClassFailingCount": None, "protectedClassWarningCount": None},
        "passing",
        "1 class below 0.8, within the limits: sex female 0.620.",
    ),
]


@pytest.mark.parametrize(("scores", "limits", "status", "reason"), FAIRNESS)
def test_fairness_counts_the_classes_below_the_threshold(
    scores: list[dict[str, Any]], limits: dict[str, Any] | None, status: str, reason: str
) -> None:
    answers: dict[Question, Any] = {q.fairness(WEEK, "sex"): {"summary": {"scores": scores}}}
    answers[q.health_settings()] = {"fairness": limits} if limits else {}
    verdict = judge(watched(), known(answers), Facts(areas=AreaFacts(("sex",))))[Area.FAIRNESS].verdict
    assert (verdict.status.value, verdict.reason) == (status, reason)


def test_a_class_is_judged_by_its_worst_metric_and_the_number_shown_is_the_lowest() -> None:
    facts = Facts(areas=AreaFacts(("sex",), ("favorableClassBalance", "unfavorableClassBalance")))
    answers: dict[Question, Any] = {
        q.fairness(WEEK, "sex", metric): {"summary": {"scores": [M, score("female", value)]}}
        for metric, value in (("favorableClassBalance", 0.9), ("unfavorableClassBalance", 0.7))
    }
    found = judge(watched(), known(answers), facts)[Area.FAIRNESS]
    assert (found.verdict.status.value, found.value) == ("warning", 0.7)
    assert short(Area.FAIRNESS, found.verdict.evidence) == "sex female 0.700"


def test_the_sources_own_threshold_is_used() -> None:
    answers: dict[Question, Any] = {
        q.fairness(WEEK, "sex"): {"summary": {"scores": [M, F]}},
        q.settings(): {"biasAndFairness": {"protectedFeatures": ["sex"], "fairnessThreshold": 0.5}},
    }
    found = judge(watched(), known(answers), Facts(areas=AreaFacts(("sex",))))
    assert found[Area.FAIRNESS].verdict.reason == "No class of 2 below 0.5."


@pytest.mark.parametrize(("value", "status"), [(0.9, "unknown"), (0.5, "warning")])
def test_a_feature_that_was_not_answered_never_passes_and_never_hides_trouble(value: float, status: str) -> None:
    answers: dict[Question, Any] = {q.fairness(WEEK, "sex"): {"summary": {"scores": [M, score("female", value)]}}}
    verdict = judge(watched(), known(answers), Facts(areas=AreaFacts(("sex", "race"))))[Area.FAIRNESS].verdict
    assert verdict.status.value == status


# --- Custom metrics -----------------------------------------------------------------------------------------------


def rule(failing: Any = None, warning: Any = None) -> dict[str, Any]:
    return {"customMetrics": {"failingConditions": failing or [], "warningConditions": warning or []}}


def lt(threshold: float, metric: str = "m1", operator: str = "lt") -> list[dict[str, Any]]:
    return [{"metricId": metric, "compareOperator": operator, "threshold": threshold}]


def value(number: float | None, key: str = "m1", name: str | None = "saved") -> dict[str, Any]:
    return {"id": key, "name": name, "value": number}


UNHEARD = "No condition speaks of a custom metric that the source tells of."
CUSTOM: list[tuple[list[dict[str, Any]], dict[str, Any], str, str]] = [
    ([value(3.0)], rule(lt(5)), "failing", "saved 3.000 < 5.000 in 7\u202fd."),
    ([value(3.0)], rule(lt(2), lt(5)), "warning", "saved 3.000 < 5.000 in 7\u202fd."),
    ([value(8.0)], rule(lt(2), lt(5)), "passing", "saved 8.000 in 7\u202fd; no condition is met."),
    ([value(None)], rule(lt(5)), "unknown", "No value of the judged custom metrics in 7\u202fd."),
    ([value(3.0, name=None)], rule(lt(5)), "failing", "m1 3.000 < 5.000 in 7\u202fd."),
    ([value(3.0)], rule(lt(5, metric="gone")), "unknown", UNHEARD),
    ([value(3.0)], rule(lt(5, operator="about")), "unknown", UNHEARD),
    (
        [value(3.0), value(9.0, "m2")],
        rule(lt(5, "m2")),
        "passing",
        "saved (m2) 9.000 in 7\u202fd; no condition is met.",
    ),
]


@pytest.mark.parametrize(("metrics", "rules", "status", "reason"), CUSTOM)
def test_custom_metrics_are_judged_by_their_conditions(
    metrics: list[dict[str, Any]], rules: dict[str, Any], status: str, reason: str
) -> None:
    answers: dict[Question, Any] = {q.custom_summary(WEEK): {"metrics": metrics}, q.health_settings(): rules}
    facts = Facts(areas=AreaFacts(custom=("m1",), custom_judged=True))
    verdict = judge(watched(), known(answers), facts)[Area.CUSTOM_METRICS].verdict
    assert (verdict.status.value, verdict.reason) == (status, reason)


def test_batches_are_judged_by_the_summary_of_the_last_ones() -> None:
    facts = Facts(batch=True, drift_batches=("b3",), areas=AreaFacts(custom=("m1",), custom_judged=True))
    answers: dict[Question, Any] = {
        q.custom_batch_summary(["b3"]): {"metrics": [value(3.0)]},
        q.health_settings(): rule(lt(5)),
    }
    verdict = judge(watched(), known(answers), facts)[Area.CUSTOM_METRICS].verdict
    assert (verdict.status.value, verdict.reason) == ("failing", "saved 3.000 < 5.000 in the last batch.")


def test_metrics_without_a_condition_are_a_blind_spot_and_no_verdict() -> None:
    facts = Facts(areas=AreaFacts(custom=("m1",)))
    assert judge(watched(), known({}), facts)[Area.CUSTOM_METRICS].verdict.status.value == Status.UNAVAILABLE
    assert blind_spots(known({}), facts, readers=1) == ["No condition on custom metrics"]


# --- Timeliness ---------------------------------------------------------------------------------------------------

TIMELY: list[tuple[str, datetime | None, dict[str, Any], str, str]] = [
    ("P1D", NOW - timedelta(hours=3), {}, "passing", "Last predictions 3\u202fh ago, expected every 1\u202fd."),
    ("PT1H", NOW - timedelta(hours=3), {}, "failing", "No predictions for 3\u202fh, expected every 1\u202fh."),
    ("P1D", None, {}, "unknown", "The source does not tell when the last prediction came."),
    (
        "P1D",
        None,
        {"predictionUsage": {"lastTimestamp": None}},
        "not_started",
        "No predictions received yet; expected every 1\u202fd.",
    ),
    ("soon", NOW, {}, "unknown", "The expected frequency of predictions, soon, cannot be read."),
    ("", NOW, {}, "unavailable", "Timeliness of predictions is switched off."),
]


@pytest.mark.parametrize(("every", "last", "listing", "status", "reason"), TIMELY)
def test_silence_is_held_against_the_expected_frequency(
    every: str, last: datetime | None, listing: dict[str, Any], status: str, reason: str
) -> None:
    facts = Facts(areas=AreaFacts(predictions_every=every))
    verdict = judge(watched(last, listing=listing), known({}), facts)[Area.PREDICTIONS_TIMELINESS].verdict
    assert (verdict.status.value, verdict.reason) == (status, reason)


def test_a_message_tells_how_long_it_has_been_silent() -> None:
    evidence = {"expectedSeconds": 3600, "ageSeconds": 3 * 3600}
    words = value_and_limit(Area.PREDICTIONS_TIMELINESS, evidence)
    assert words == "last 3\u202fh ago, expected every 1\u202fh"


def labels(*buckets: tuple[int, float, int, bool]) -> SeriesView:
    """(days back, rows with an actual, known so many hours ago, of the first look)."""
    midnight = NOW.replace(hour=0, minute=0)
    points = [
        Point(
            midnight - timedelta(days=back),
            midnight - timedelta(days=back - 1),
            {"rowCountTotal": 100, "rowCountWithActual": rows},
            NOW - timedelta(hours=ago),
            reconstructed=first,
        )
        for back, rows, ago, first in buckets
    ]
    return SeriesView(tuple(points), {}, NOW, NOW, ())


ACTUALS = [
    ([(3, 50, 30, False), (2, 50, 5, False)], "passing", 5),
    ([(3, 50, 30, False), (2, 0, 5, False)], "failing", 30),
    ([(3, 50, 1, True)], "failing", 34),
    ([(3, 0, 1, True)], "not_started", None),
]


@pytest.mark.parametrize(("buckets", "status", "hours"), ACTUALS)
def test_actuals_are_seen_when_the_counts_of_labels_change(
    buckets: list[tuple[int, float, int, bool]], status: str, hours: int | None
) -> None:
    facts = Facts(label_lag=timedelta(hours=24), areas=AreaFacts(actuals_every="P1D"))
    series = {q.predictions_vs_actuals_over_time(DAYS): labels(*buckets)}
    verdict = judge(watched(), known({}, series), facts)[Area.ACTUALS_TIMELINESS].verdict
    assert verdict.status.value == status
    age = verdict.evidence["ageSeconds"]
    assert (age // 3600 if isinstance(age, int) else None) == hours


@pytest.mark.parametrize("status", ["passing", "failing", "unavailable"])
def test_the_source_knows_best_when_actuals_came(status: str) -> None:
    row = watched(source_health={"actuals_timeliness": {"status": status, "message": "As I see it."}})
    facts = Facts(areas=AreaFacts(actuals_every="P1D"))
    verdict = judge(row, known({}), facts)[Area.ACTUALS_TIMELINESS].verdict
    assert (verdict.status.value, verdict.reason) == (status, "As I see it.")


# --- Polling ------------------------------------------------------------------------------------------------------


def run(source: Source, far: FarSide, now: datetime = NOW) -> None:
    far.now = now
    source.refresh_from_db()
    cycle.discover(source, now, far)
    cycle.poll(source, cycle.claim_due(source, now, 100), now, far)


def everything_on() -> Remote:
    return Remote(
        "d1",
        settings={"biasAndFairness": {"protectedFeatures": ["sex"]}, "humility": {"enabled": True}},
        health_settings={
            **rule(lt(5, "id-saved")),
            "predictionsTimeliness": {"enabled": True, "expectedFrequency": "P1D"},
            "actualsTimeliness": {"enabled": True, "expectedFrequency": "P1D"},
        },
        fairness={"sex": {"male": 1.0, "female": 0.9}},
        custom={"saved": 8.0},
        status={"fairnessHealth": "warning", "actualsTimelinessHealth": "passing"},
    )


@pytest.mark.django_db
def test_an_area_that_is_off_costs_no_request_and_leaves_no_trace() -> None:
    source, far = make_source(), FarSide(Remote("d1"))
    run(source, far)
    assert [path for path in far.asked if any(word in path for word in FURTHER)] == []
    row = Watched.objects.get()
    assert {area.area for area in row.areas.all()} == set(CORE_AREAS)
    assert row.shown_areas == CORE_AREAS
    assert row.worst == Status.PASSING
    assert set(HealthDay.objects.values_list("area", flat=True)) == set(CORE_AREAS)


@pytest.mark.django_db
def test_areas_that_are_on_are_asked_for_stored_and_judged() -> None:
    source, far = make_source(), FarSide(everything_on())
    run(source, far)
    row = Watched.objects.get()
    assert {area.area: area.status for area in row.areas.all()} == dict.fromkeys(Area.values, Status.PASSING)
    theirs = row.areas.get(area=Area.FAIRNESS)
    assert (theirs.source_status, theirs.disagrees) == (Status.WARNING, True)
    for question in (q.fairness_over_time("sex", DAYS, metric="proportionalParity"), q.humility_over_time(DAYS)):
        view = snapshots.series(row, question, now=NOW)
        assert view is not None
        assert len(view.points) == 30
    assert snapshots.answer(row, q.humility(WEEK)) is not None
    far.asked.clear()
    run(source, far, NOW + timedelta(minutes=2))
    assert far.asked == ["GET deployments/"]


@pytest.mark.django_db
def test_a_custom_metric_is_drawn_once_its_list_is_known() -> None:
    remote = everything_on()
    source, far = make_source(), FarSide(remote)
    run(source, far)
    remote.last += timedelta(hours=1)
    run(source, far, NOW + timedelta(hours=1))
    view = snapshots.series(Watched.objects.get(), q.custom_over_time("id-saved", DAYS), now=NOW)
    assert view is not None
    assert {point.number() for point in view.points} == {8.0}


@pytest.mark.django_db
def test_trouble_in_a_further_area_is_told_with_its_chart_and_leads_the_fleet() -> None:
    remote = everything_on()
    source, far = make_source(), FarSide(remote)
    run(source, far)
    later = NOW + timedelta(hours=1)
    remote.fairness["sex"]["female"], remote.custom["saved"], remote.last = 0.4, 2.0, later
    run(source, far, later)
    found = {one.area: one for one in Transition.objects.select_related("watched")}
    assert {area: one.new for area, one in found.items()} == {"fairness": "warning", "custom_metrics": "failing"}
    assert value_and_limit(Area.FAIRNESS, found[Area.FAIRNESS].evidence) == "sex female 0.400 below 0.8"
    assert value_and_limit(Area.CUSTOM_METRICS, found[Area.CUSTOM_METRICS].evidence) == "saved 2.000 < 5.000"
    for area, last in ((Area.FAIRNESS, 0.4), (Area.CUSTOM_METRICS, 2.0)):
        one = found[area]
        chart = further.chart_of(Verdict(one.watched, area, one.new, one.evidence, later), later)
        assert chart is not None
        assert chart.values[-1] == last
    page = fleet([source.team_id], now=later)
    assert page.rows[0].lead.area == Area.CUSTOM_METRICS
    assert [cell.area for cell in page.rows[0].cells] == list(CORE_AREAS)
    assert len(cells(page.rows[0].watched, {})) == len(Area)


@pytest.mark.django_db
def test_an_area_that_is_switched_off_again_counts_no_longer() -> None:
    remote = everything_on()
    remote.fairness["sex"]["female"] = 0.4
    source, far = make_source(), FarSide(remote)
    run(source, far)
    assert Watched.objects.get().worst == Status.WARNING
    remote.settings = {}
    run(source, far, NOW + timedelta(hours=1))
    row = Watched.objects.get()
    assert (row.worst, row.areas.get(area=Area.FAIRNESS).status) == (Status.PASSING, Status.UNAVAILABLE)
    assert Area.FAIRNESS not in row.shown_areas


@pytest.mark.django_db
@pytest.mark.parametrize("status", [403, 404, 501])
def test_a_source_without_these_operations_says_so_and_nothing_else_suffers(status: int) -> None:
    source, far = make_source(), FarSide(everything_on())
    for name in ("fairnessScoresOverTime/", "customMetrics", "humilityStats"):
        far.odd[name] = lambda request: json({"message": "Not here."}, status)
    run(source, far)
    row = Watched.objects.get()
    assert row.areas.get(area=Area.SERVICE).status == Status.PASSING
    states = dict(Topic.objects.values_list("key", "state"))
    assert states[q.custom_summary(WEEK).key] == TopicState.REFUSED
    assert {Area.FAIRNESS, Area.CUSTOM_METRICS}.isdisjoint(row.areas.values_list("area", flat=True))


@pytest.mark.django_db
def test_silence_is_noticed_though_nothing_moves() -> None:
    remote = everything_on()
    source, far = make_source(), FarSide(remote)
    run(source, far)
    run(source, far, NOW + timedelta(days=2))
    row = Watched.objects.get().areas.get(area=Area.PREDICTIONS_TIMELINESS)
    assert row.status == Status.FAILING
    assert row.evidence["last"] == remote.last.isoformat()


def test_only_metrics_with_a_plain_id_are_asked_about() -> None:
    odd: list[dict[str, Any]] = [{"id": "b"}, {"name": "no id"}, {"id": None}, {"id": "../x"}, {"id": "a"}]
    assert custom_ids([{"id": "last", "displayChart": False}, *odd]) == ["b", "a", "last"]
    facts = facts_of(watched(), known({q.custom_metrics(): {"data": [{"name": "no id"}]}}), NOW)
    assert facts.areas.custom == ()
