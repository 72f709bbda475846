"""A model registered from the pages at the real service: files in, baselines seen, deployed, the first row arrives."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from deployments.models import ApiToken
from monitoring import registering
from monitoring.models import Membership, Registration, RegistrationStep, Role, Source
from tests.contract.in_process import InProcess

pytestmark = pytest.mark.django_db(transaction=True)


def table(seed: int, *, predictions: bool = False, rows: int = 300) -> SimpleUploadedFile:
    """Rows of people who buy or not; towns and ages."""
    random = Random(seed)
    lines = ["customer,age,town,bought" + (",prediction" if predictions else "")]
    for number in range(rows):
        chance = random.random()
        line = f"c-{seed}-{number},{random.gauss(40, 9):.2f},{random.choice(['Oslo', 'Bergen'])},"
        line += ("yes" if random.random() < chance else "no") + (f",{chance:.4f}" if predictions else "")
        lines.append(line)
    return SimpleUploadedFile("holdout.csv" if predictions else "training.csv", "\n".join(lines).encode())


@pytest.fixture
def inside(user: User, source: Source, client: Client) -> Client:
    """A manager of the source's team, logged in."""
    Membership.objects.create(team=source.team, user=user, role=Role.OWNER)
    client.force_login(user)
    return client


def begin(inside: Client, source: Source, **files: Any) -> Registration:
    given = {"training": table(1), "holdout": table(2, predictions=True), **files}
    answer = inside.post(reverse("register"), {"source": source.pk, "name": "Who buys", **given})
    assert answer.status_code == 302, answer.content.decode()
    return Registration.objects.get()


def describe(inside: Client, row: Registration, **changes: str) -> Registration:
    """The form as it is shown, with some fields changed."""
    form = {"target": "bought", "target_type": "Binary", "classes": "no, yes", "association_id": "customer"}
    for number, one in enumerate(row.columns):
        form[f"kind_{number}"] = one["kind"]
        if one["name"] in ("age", "town"):
            form[f"use_{number}"] = "on"
        if one["name"] == "age":
            form[f"impact_{number}"] = "1"
        if one["name"] == "town":
            form[f"segment_{number}"] = "on"
    inside.post(reverse("registration-describe", args=[row.pk]), form | changes)
    row.refresh_from_db()
    return row


def work(row: Registration, api: InProcess, now: datetime | None = None) -> Registration:
    registering.run_due(now or datetime.now(UTC), transport=api)
    row.refresh_from_db()
    return row


def test_from_files_to_the_first_row(inside: Client, source: Source, api: InProcess) -> None:
    row = begin(inside, source)
    assert (row.spec["target"]["name"], row.spec["target"]["type"]) == ("bought", "Binary")
    assert [(one["name"], one["type"]) for one in row.spec["features"]] == [("age", "Numeric"), ("town", "Categorical")]
    row = work(describe(inside, row), api)
    assert (row.step, row.problem) == (RegistrationStep.READY, "")
    assert not default_storage.exists(row.files["training"]["path"] or "nothing")
    page = inside.get(reverse("registration", args=[row.pk])).content.decode()
    assert "On the holdout" in page
    assert "LogLoss" in page
    drawn = {one["name"]: one for one in row.results["baselines"]}
    assert set(drawn) == {"bought", "age", "town"}
    assert sum(share for _, share in drawn["town"]["bars"]) == pytest.approx(1)
    inside.post(reverse("registration-deploy", args=[row.pk]), {"label": "Buyers", "importance": "HIGH"})
    inside.post(reverse("registration-deploy", args=[row.pk]), {"label": "Twice"})
    row.refresh_from_db()
    row = work(row, api)
    assert (row.step, row.problem) == (RegistrationStep.DONE, "")
    _send_first_row(inside, row, api)
    later = datetime.now(UTC) + timedelta(seconds=10)
    row = work(row, api, later)
    assert [one["associationId"] for one in row.rows] == ["first", "second"]
    fragment = inside.get(reverse("registration-state", args=[row.pk]))
    assert fragment.status_code == 286
    assert "The first row has arrived" in fragment.content.decode()


def _send_first_row(inside: Client, row: Registration, api: InProcess) -> None:
    """What the page shows is sent as it stands, with the token that it made: two rows, and what came of the first."""
    waiting = inside.get(reverse("registration-state", args=[row.pk]))
    assert waiting.status_code == 200
    answer = inside.post(reverse("registration-token", args=[row.pk]))
    token = answer.context["token"]
    assert token in answer.content.decode()
    assert token not in inside.get(reverse("registration", args=[row.pk])).content.decode()
    sender = Client(headers={"Authorization": f"Bearer {token}"})
    shown = {one.key: one for one in answer.context["lines"]}
    for key in ("send-curl", "send-actuals"):
        _, method, address, *_, body = shlex.split(shown[key].text.replace("\\\n", "").partition("-sSf")[2])
        assert method == "POST"
        sent = sender.post(urlsplit(address).path, body, content_type="application/json")
        assert sent.status_code == 202, sent.content.decode()


def test_what_the_source_refuses_is_shown_where_it_is_wrong(inside: Client, source: Source, api: InProcess) -> None:
    row = begin(inside, source)
    row = work(describe(inside, row, classes="no, yes, perhaps"), api)
    assert row.step == RegistrationStep.DRAFT
    assert "target.classNames" in row.errors
    assert "A binary target has two classes." in inside.get(reverse("registration", args=[row.pk])).content.decode()
    row = work(describe(inside, row), api)
    assert row.step == RegistrationStep.READY
    assert api.paths.count("/api/v2/datasets/fromFile/") == 2  # what was uploaded once is not uploaded again


def test_a_worker_that_died_is_followed_by_one_that_makes_nothing_twice(
    inside: Client, source: Source, api: InProcess
) -> None:
    row = work(describe(inside, begin(inside, source)), api)
    package = row.results.pop("packageId")  # the answer never came
    row.step, row.attempts, row.files = RegistrationStep.PREPARING, 1, {}
    row.save()
    assert work(row, api).results["packageId"] == package
    inside.post(reverse("registration-deploy", args=[row.pk]), {"label": "Buyers"})
    row.refresh_from_db()
    deployment = work(row, api).results.pop("deploymentId")
    row.step, row.attempts = RegistrationStep.DEPLOYING, 1
    row.save()
    assert work(row, api).results["deploymentId"] == deployment


def test_a_package_whose_answer_was_lost_is_found_though_the_attempts_began_anew(
    inside: Client, source: Source, api: InProcess
) -> None:
    row = work(describe(inside, begin(inside, source)), api)
    package = row.results.pop("packageId")
    row.step, row.attempts, row.files = RegistrationStep.PREPARING, 0, {}
    row.save()
    assert work(row, api).results["packageId"] == package
    inside.post(reverse("registration-deploy", args=[row.pk]), {"label": "Buyers"})
    row.refresh_from_db()
    deployment = work(row, api).results.pop("deploymentId")
    row.step, row.attempts = RegistrationStep.DEPLOYING, 0
    row.save()
    assert work(row, api).results["deploymentId"] == deployment


def test_rows_that_cannot_be_drawn_stop_nothing(
    inside: Client, source: Source, api: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(row: Registration) -> None:
        raise ValueError("a bad row")

    monkeypatch.setattr("monitoring.registering.carrying.baselines", broken)
    row = work(describe(inside, begin(inside, source)), api)
    assert (row.step, row.problem, row.results["baselines"]) == (RegistrationStep.READY, "", [])


def test_a_file_that_is_gone_is_told_and_not_tried_for_ever(inside: Client, source: Source, api: InProcess) -> None:
    row = describe(inside, begin(inside, source))
    default_storage.delete(row.files["training"]["path"])
    row = work(row, api)
    assert row.step == RegistrationStep.DRAFT
    assert "a file is gone" in row.problem
    assert row.claimed_until is None


def test_an_answer_without_an_id_is_told_and_not_tried_for_ever(inside: Client, source: Source) -> None:
    import httpx

    row = describe(inside, begin(inside, source))
    empty = httpx.MockTransport(lambda asked: httpx.Response(200, json={}))
    registering.run_due(datetime.now(UTC), transport=lambda: empty)
    row.refresh_from_db()
    assert row.step == RegistrationStep.DRAFT
    assert "not understood" in row.problem


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("rows.csv", b"a,b\n1,2\n1,2,3\n", "cannot be read"),
        ("rows.csv", b"a,b\n", "no rows"),
        ("rows.xlsx", b"PK", "CSV, NDJSON or Parquet"),
        ("rows.parquet", b"not parquet", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_at_once_and_nothing_stays(
    inside: Client, source: Source, name: str, content: bytes, said: str
) -> None:
    given = {"source": source.pk, "name": "x", "training": SimpleUploadedFile(name, content)}
    page = inside.post(reverse("register"), given)
    assert page.status_code == 200
    assert said in page.content.decode()
    assert not Registration.objects.exists()


def test_a_file_that_is_too_large_is_told_with_the_limit(inside: Client, source: Source, settings: Any) -> None:
    settings.MAX_FILE_BYTES = 1000
    page = inside.post(reverse("register"), {"source": source.pk, "name": "x", "training": table(1)})
    assert "at most 0" in page.content.decode()


def test_a_form_with_nothing_chosen_is_told_field_by_field(inside: Client, source: Source) -> None:
    row = begin(inside, source)
    inside.post(reverse("registration-describe", args=[row.pk]), {"impact_1": "lots", "use_1": "on"})
    row.refresh_from_db()
    assert row.step == RegistrationStep.DRAFT
    assert set(row.errors) == {"target.name", "target.type", "features[0].featureImpact"}
    assert inside.get(reverse("registration", args=[row.pk])).status_code == 200


def test_another_server_that_has_no_such_operations_is_named(inside: Client, source: Source) -> None:
    import httpx

    row = describe(inside, begin(inside, source))
    nothing = httpx.MockTransport(lambda asked: httpx.Response(404, json={"message": "Not found"}))
    registering.run_due(datetime.now(UTC), transport=lambda: nothing)
    row.refresh_from_db()
    assert row.step == RegistrationStep.DRAFT
    assert "This source cannot register models" in row.problem


def test_a_token_that_cannot_be_written_down_is_not_made(
    inside: Client, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no audit")

    row = begin(inside, source)
    row.step, row.results = RegistrationStep.DONE, {"deploymentId": "1" * 24}
    row.save()
    monkeypatch.setattr("dashboard.views.registering.note", broken)
    with pytest.raises(RuntimeError):
        inside.post(reverse("registration-token", args=[row.pk]))
    assert not ApiToken.objects.filter(name__startswith="Sends to").exists()


def test_a_dropped_registration_takes_its_files_along(inside: Client, source: Source) -> None:
    row = begin(inside, source)
    path = row.files["training"]["path"]
    assert default_storage.exists(path)
    inside.post(reverse("registration-forget", args=[row.pk]))
    assert not default_storage.exists(path)
    assert not Registration.objects.exists()
