"""Timeliness of predictions and actuals, what it does to service health, and lists by every status."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from deployments import health, listing
from deployments.models import HEALTH_AREAS, Deployment, Role
from metrics.health import Status
from tests.deployments.api.conftest import member
from tests.deployments.factories import (
    HOUR,
    NOW,
    make_deployment,
    roll_up,
    send_actuals,
    send_predictions,
    send_service,
)

pytestmark = pytest.mark.django_db

WORDS = [order.value for order in listing.HEALTH_ORDERS.values()]


def ruled(**rules: Any) -> Deployment:
    """A deployment with these health settings."""
    deployment = make_deployment()
    deployment.health_settings = rules
    deployment.save()
    return deployment


def judged(deployment: Deployment, area: str, now: datetime = NOW) -> dict[str, Any]:
    """The verdict as it is kept, which its column repeats."""
    health.refresh(deployment.pk, now)
    deployment.refresh_from_db()
    found: dict[str, Any] = deployment.health[area]
    assert getattr(deployment, f"{area}_status") == found["status"]
    return found


@pytest.mark.parametrize(
    ("frequency", "age", "expected"),
    [
        ("P1D", timedelta(hours=2), "passing"),
        ("PT2H", timedelta(hours=2), "passing"),  # equal is still in time
        ("PT2H", timedelta(hours=2, seconds=1), "failing"),
        ("P1M", timedelta(days=31), "passing"),  # March has 31 days
        ("P1M", timedelta(days=31, seconds=1), "failing"),
    ],
)
def test_predictions_are_in_time_until_the_expected_frequency_has_passed(
    frequency: str, age: timedelta, expected: str
) -> None:
    deployment = ruled(predictionsTimeliness={"enabled": True, "expectedFrequency": frequency})
    send_predictions(deployment, [0.5], at=HOUR)
    roll_up(deployment)
    assert judged(deployment, "predictions_timeliness", HOUR + age)["status"] == expected


def test_without_any_prediction_timeliness_has_not_started() -> None:
    deployment = ruled(predictionsTimeliness={"enabled": True})
    assert judged(deployment, "predictions_timeliness")["status"] == "not_started"


def test_timeliness_is_unavailable_until_it_is_switched_on() -> None:
    deployment = ruled()
    send_predictions(deployment, [0.5], ids=["a"])
    send_actuals(deployment, {"a": "yes"})
    roll_up(deployment)
    for area in ("predictions_timeliness", "actuals_timeliness"):
        found = judged(deployment, area)
        assert (found["status"], "switched off" in found["message"]) == ("unavailable", True)


def test_actuals_count_by_their_upload_and_not_by_the_time_of_their_prediction() -> None:
    deployment = ruled(actualsTimeliness={"enabled": True, "expectedFrequency": "PT3H"})
    send_predictions(deployment, [0.5], at=NOW - timedelta(days=3), ids=["a"])
    roll_up(deployment)
    assert judged(deployment, "actuals_timeliness")["status"] == "not_started"
    send_actuals(deployment, {"a": "yes"}, received=NOW)
    roll_up(deployment)
    assert judged(deployment, "actuals_timeliness", NOW + timedelta(hours=3))["status"] == "passing"
    late = judged(deployment, "actuals_timeliness", NOW + timedelta(hours=4))
    assert late["status"] == "failing"
    assert late["message"] == "No actuals for 4\u202fh, expected every 3\u202fh."
    assert datetime.fromisoformat(late["endDate"]) - datetime.fromisoformat(late["startDate"]) == timedelta(hours=3)


def test_actuals_that_could_never_be_matched_are_not_awaited() -> None:
    without_ids = ruled(actualsTimeliness={"enabled": True})
    send_predictions(without_ids, [0.5])
    roll_up(without_ids)
    assert "association id" in judged(without_ids, "actuals_timeliness")["message"]
    without_target = ruled(actualsTimeliness={"enabled": True})
    without_target.settings = {**without_target.settings, "targetDrift": {"enabled": False}}
    without_target.save()
    found = judged(without_target, "actuals_timeliness")
    assert (found["status"], "Target monitoring" in found["message"]) == ("unavailable", True)


@pytest.mark.parametrize(("timely", "expected"), [(True, "failing"), (False, "unknown")])
def test_the_last_service_status_stays_where_timeliness_watches_for_silence(timely: bool, expected: str) -> None:
    deployment = ruled(predictionsTimeliness={"enabled": timely})
    send_service(deployment, [{"numPredictions": 0, "systemError": True}])
    roll_up(deployment)
    before = judged(deployment, "service")
    assert before["status"] == "failing"
    for days in (2, 30):
        after = judged(deployment, "service", NOW + timedelta(days=days))
        assert after["status"] == expected
        assert (after == before) is timely


def test_new_requests_are_judged_anew_after_a_silence() -> None:
    deployment = ruled(predictionsTimeliness={"enabled": True})
    send_service(deployment, [{"numPredictions": 0, "systemError": True}])
    roll_up(deployment)
    judged(deployment, "service")
    later = NOW + timedelta(days=2)
    assert judged(deployment, "service", later)["status"] == "failing"
    send_service(deployment, [{"timestamp": later.isoformat(), "numPredictions": 3}], received=later)
    roll_up(deployment)
    assert judged(deployment, "service", later)["status"] == "passing"


# --- Lists by status -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("area", "word"), list(zip(HEALTH_AREAS, WORDS, strict=True)))
def test_the_list_is_filtered_and_sorted_by_each_status(area: str, word: str) -> None:
    deployments = {status: make_deployment() for status in Status}
    for status, deployment in deployments.items():
        Deployment.objects.filter(pk=deployment.pk).update(label=status, **{f"{area}_status": status})
    client = a_member_of_all(list(deployments.values()))
    assert shown(client, f"orderBy=-{word}") == [str(status) for status in Status]
    assert shown(client, f"orderBy={word}") == [str(status) for status in reversed(Status)]
    assert shown(client, f"orderBy=-{word}&{word}=warning,passing") == ["warning", "passing"]
    row = client.get(f"/api/v2/deployments/?{word}=failing").json()["data"][0]
    assert row[word]["status"] == "failing"
    refused = client.get(f"/api/v2/deployments/?{word}=red")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, [word])


@pytest.mark.parametrize("area", HEALTH_AREAS)
def test_filter_and_order_by_a_status_use_its_index(area: str) -> None:
    rows = Deployment.objects.all()
    word = listing.HEALTH_ORDERS[area]
    filtered = listing.matching(rows, listing.Filters(health={area: ["failing"]}), make_deployment().created_by)  # type: ignore[arg-type]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    for plan in (
        filtered.explain(),
        listing.ordered(rows, word).explain(),
        listing.ordered(rows, f"-{word}").explain(),
    ):
        assert f"by_{area}" in plan, plan


def a_member_of_all(deployments: list[Deployment]) -> APIClient:
    first, *rest = deployments
    client = member(first, Role.CONSUMER)
    user = first.roles.get(role=Role.CONSUMER).user
    for deployment in rest:
        deployment.roles.create(user=user, role=Role.CONSUMER)
    return client


def shown(client: APIClient, query: str) -> list[str]:
    answer = client.get(f"/api/v2/deployments/?{query}")
    assert answer.status_code == 200, answer.content
    return [row["label"] for row in answer.json()["data"]]
