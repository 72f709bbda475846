"""Rows from a file, and the forms of what a model runs with, in a real browser: filled in, refused, asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from dashboard.acts.rows import ACTS
from monitoring import questions as q
from monitoring.models import Command, TopicState
from monitoring.poll.fetch import Outcome
from monitoring.poll.plan import ask_of
from monitoring.poll.store import save
from monitoring.questions import Question
from tests.browser.test_access_for_all_in_browser import held_against
from tests.browser.test_pages_in_browser import DESK, PHONE, Visit, visit
from tests.dashboard import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FORMS = ("metric_from_job", "runtime", "secondary_create", "report_create", "policy_create", "actuals_dataset")
TOLD: dict[Question, list[dict[str, object]]] = {
    q.custom_jobs(): [{"id": "j1", "name": "Missing rate", "description": "The share of missing values."}],
    q.datasets(): [{"id": "d1", "name": "rows.csv", "rowCount": 12, "columns": [{"name": "flight"}]}],
    q.runtime_parameters(): [
        {"fieldName": "retries", "type": "numeric", "defaultValue": 3, "maxValue": 10},
        {"fieldName": "strict", "type": "boolean"},
        {"fieldName": "key", "type": "credential", "overrideValue": "********"},
    ],
}


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def seen(request: pytest.FixtureRequest, browser: Browser, live_server: LiveServer) -> Iterator[Visit]:
    found = visit(browser, live_server, request.param, "light")
    worlds.beside(lambda: told(found))
    yield found
    found.context.close()


def told(seen: Visit) -> None:
    """The source has answered what the forms choose from."""
    pk = seen.world.watched().pk
    asked = {one for kind in FORMS for one in ACTS[kind].form.asks}
    outcomes = [
        Outcome(pk, ask_of((one,), None), TopicState.OK, {"data": TOLD.get(one, [])})
        for one in sorted(asked | set(TOLD), key=repr)
    ]
    save(outcomes, now=timezone.now(), lags={})


def form(seen: Visit, kind: str) -> str:
    pk = worlds.beside(lambda: seen.world.watched().pk)
    return reverse("act-on", args=[pk, kind])


def test_a_file_with_other_columns_is_refused_and_one_with_them_is_asked_for(seen: Visit, tmp_path: Path) -> None:
    page = seen.page
    (tmp_path / "wrong.csv").write_text("id,late\na1,1\n")
    (tmp_path / "right.csv").write_text("flight,late\na1,1\n")
    seen.deployment("manage")
    page.get_by_role("link", name="Send actuals").click()
    page.get_by_label("Column with the association id").fill("flight")
    page.get_by_label("Column with the actual value").fill("late")
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "wrong.csv")
    page.get_by_role("button", name="Send actuals").click()
    expect(page.get_by_text("There is no column 'flight'; there is id, late.")).to_be_visible()
    assert worlds.beside(Command.objects.count) == 0
    page.get_by_label("File", exact=True).set_input_files(tmp_path / "right.csv")
    page.get_by_role("button", name="Send actuals").click()
    expect(page.locator(".command-open")).to_contain_text("Send actuals from a file")
    body = worlds.beside(lambda: Command.objects.get().body)
    assert (body["file"]["name"], body["associationIdColumn"]) == ("right.csv", "flight")
    assert seen.trouble == []


def test_the_forms_shut_nobody_out(seen: Visit) -> None:
    wrong: list[str] = []
    for kind in FORMS:
        seen.go(form(seen, kind))
        expect(seen.page.locator("form.act-form")).to_be_visible()
        wrong += held_against(seen, kind)
    assert not wrong, "\n".join(wrong)
