"""The History tab, notes, and the marks of what happened on the charts of every tab."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.models import (
    Command,
    CommandKind,
    EventKind,
    Incident,
    Membership,
    ModelSeen,
    Note,
    Role,
    Silence,
    Transition,
    WorkState,
)
from tests.dashboard.story_source import POLICY, answering, page, policy, run, stamp
from tests.dashboard.test_incidents import make as make_incident
from tests.dashboard.world import World, answer_waiting, person

QUERIES = 30
CHARTED = ("service", "drift", "accuracy", "predictions")


def now() -> datetime:
    return datetime.now(UTC)


def ago(days: float) -> datetime:
    return now() - timedelta(days=days)


def note(world: World, text: str = "Moved to the new gateway", days: float = 3, **fields: Any) -> Note:
    values = {"author": world.owner, "at": ago(days), "written_at": ago(days)}
    return Note.objects.create(watched=world.watched(), text=text, **{**values, **fields})


@pytest.fixture
def eventful(world: World) -> World:
    """Something of every kind within the last month, and nothing else."""
    watched = world.watched()
    for model in (Incident, Transition, ModelSeen):
        model.objects.filter(watched=watched).delete()
    for name, since, until in (("Rates v1", ago(38), ago(12)), ("Rates v2", ago(12), None)):
        ModelSeen.objects.create(watched=watched, model_id=name, name=name, since=since, until=until, seen_at=since)
    began = ago(9)
    make_incident(world, began_at=began, opened_at=began, resolved_at=ago(5), status="passing")
    Transition.objects.create(
        watched=watched, area="drift", old="passing", new="failing", reason="pressure 3.43", at=began
    )
    note(world)
    Silence.objects.create(
        team=world.team, watched=watched, reason="Storm", owner=world.owner, created_at=ago(7), starts_at=ago(7),
        ends_at=ago(6),
    )  # fmt: skip
    Command.objects.create(
        source=world.source, watched=watched, kind=CommandKind.HEALTH_SETTINGS, body={"dataDrift": {}},
        asked_by=world.owner, asked_at=ago(8), finished_at=ago(8), state=WorkState.DONE,
    )  # fmt: skip
    return world


def open_tab(client: Client, world: World, query: str = "", tab: str = "history") -> str:
    response = client.get(reverse(tab, args=[world.watched().pk]) + query)
    assert response.status_code == 200
    return str(response.content.decode())


def facts(text: str) -> list[str]:
    """What the list says, newest first."""
    body = text.partition('class="story-day"')[2]
    found = re.findall(r"<b>(.*?)</b>|<p class=\"quote ink\">(.*?)</p>", body, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", first or second) for first, second in found]


def test_everything_that_happened_stands_in_one_line_of_time(eventful: World, inside: Client) -> None:
    incident = Incident.objects.get(watched=eventful.watched())
    with answering(
        modelHistory=page([{"modelId": "Rates v2", "replacementReason": "SCHEDULED_REFRESH"}]),
        retrainingPolicies=page([policy(run(2, ago(2)))]),
        **{f"retrainingPolicies__{POLICY}__runs": page([run(2, ago(2)), run(1, ago(4), status="failed")])},
    ):
        open_tab(inside, eventful)
        answer_waiting(eventful)
        open_tab(inside, eventful)
        answer_waiting(eventful)
        text = open_tab(inside, eventful)
    assert facts(text) == [
        "Retraining by Every Monday: succeeded",
        "Moved to the new gateway",
        "Retraining by Every Monday: failed",
        f"Incident #{incident.pk} ended: data drift after 4\u202fd",
        "Silence, Ines",
        "Health settings changed, Ines",
        f"Incident #{incident.pk} began: data drift failing",
        "Data drift: passing to failing",
        "Rates v2 took over",
    ]
    assert "Took over from Rates v1. Reason: scheduled refresh." in text
    assert "A model package came out of it." in text


def test_an_incident_begins_with_what_was_seen_then_and_not_with_what_is_known_now(
    eventful: World, inside: Client
) -> None:
    incident = Incident.objects.get(watched=eventful.watched())
    incident.events.create(at=incident.opened_at, kind=EventKind.OPENED, text="pressure 0.41 <then>")
    incident.events.create(at=ago(7), kind=EventKind.REOPENED, text="pressure 0.77")
    Incident.objects.filter(pk=incident.pk).update(reason="pressure 9.99")
    text = open_tab(inside, eventful)
    assert "When it was opened: pressure 0.41 &lt;then&gt;" in text
    assert "9.99" not in text


def test_a_source_that_tells_no_history_is_named_and_the_rest_is_shown(eventful: World, inside: Client) -> None:
    open_tab(inside, eventful)
    answer_waiting(eventful)
    text = open_tab(inside, eventful)
    assert "Not enabled at the source: modelHistory and retrainingPolicies." in text
    assert "Moved to the new gateway" in facts(text)


def test_the_list_is_narrowed_by_kinds_words_and_range(eventful: World, inside: Client) -> None:
    assert facts(open_tab(inside, eventful, "?kind=note")) == ["Moved to the new gateway"]
    assert len(facts(open_tab(inside, eventful, "?kind=note,model"))) == 2
    assert facts(open_tab(inside, eventful, "?text=GATEWAY")) == ["Moved to the new gateway"]
    assert facts(open_tab(inside, eventful, "?range=24h")) == []
    assert "Nothing of this kind happened" in open_tab(inside, eventful, "?kind=batch")


def test_the_past_does_not_know_what_came_later(eventful: World, inside: Client) -> None:
    note(eventful, "Written long after", days=8, written_at=ago(1))
    incident = Incident.objects.get(watched=eventful.watched())
    then = stamp(ago(7.5)).replace("+", "%2B")
    found = facts(open_tab(inside, eventful, f"?as_of={then}"))
    assert found == [
        "Health settings changed, Ines",
        f"Incident #{incident.pk} began: data drift failing",
        "Data drift: passing to failing",
        "Rates v2 took over",
    ]


def marks_of(text: str) -> set[str]:
    """What the table twins of a page say happened."""
    tables = re.findall(r"What happened in this range</caption>.*?<tbody>(.*?)</tbody>", text, re.DOTALL)
    return {cell for table in tables for cell in re.findall(r"<td>([^<]*)</td>", table)[1::2]}


@pytest.mark.parametrize("tab", CHARTED)
def test_every_chart_over_time_is_marked_and_its_table_lists_what_happened(
    eventful: World, inside: Client, tab: str
) -> None:
    incident = Incident.objects.get(watched=eventful.watched())
    text = open_tab(inside, eventful, tab=tab)
    assert marks_of(text) >= {
        "Moved to the new gateway (Ines)",
        f"Incident #{incident.pk} began: data drift failing",
        f"Incident #{incident.pk} ended: data drift after 4\u202fd",
        "Rates v2 took over",
        "Health settings changed",
    }
    figures = [
        json.loads(raw) for raw in re.findall(r'type="application/json">(.*?)</script>', text) if "layout" in raw
    ]
    shapes = [[one for one in figure["layout"]["shapes"] if one["type"] == "line"] for figure in figures]
    assert max(len({one["x0"] for one in lines if one["x0"] == one["x1"]}) for lines in shapes) == 5


def test_marks_can_be_hidden(eventful: World, inside: Client) -> None:
    shown = open_tab(inside, eventful, tab="accuracy")
    assert 'aria-checked="true"' in shown
    hidden = open_tab(inside, eventful, "?marks=off", tab="accuracy")
    assert (marks_of(hidden), 'aria-checked="false"' in hidden) == (set(), True)


def test_the_overview_names_what_happened_in_its_first_lane_only(eventful: World, inside: Client) -> None:
    text = open_tab(inside, eventful, tab="overview")
    spoken = [lane for lane in text.split('class="lane"')[1:] if re.search(r"<text[^>]*>Rates v2 took over", lane)]
    assert len(spoken) == 1


@pytest.mark.parametrize("tab", CHARTED)
def test_marks_cost_three_statements_however_much_happened(eventful: World, inside: Client, tab: str) -> None:
    def cost(query: str = "") -> int:
        with CaptureQueriesContext(
            connection,
        ) as taken:
            open_tab(inside, eventful, query, tab=tab)
        return len(taken)

    cost()
    few = cost()
    for number in range(40):
        note(eventful, f"Note {number}", days=number / 2)
    assert cost() == few
    assert cost("?marks=off") == few - 3


def test_the_history_costs_the_same_however_much_happened(eventful: World, inside: Client) -> None:
    open_tab(inside, eventful)
    answer_waiting(eventful)
    for number in range(40):
        note(eventful, f"Note {number}", days=number / 2)
    open_tab(inside, eventful)
    with CaptureQueriesContext(connection) as taken:
        open_tab(inside, eventful)
    assert len(taken) <= QUERIES, len(taken)


# --- Notes ------------------------------------------------------------------------------------------------------


def test_a_note_is_written_changed_and_removed(world: World, inside: Client) -> None:
    watched = world.watched()
    answer = inside.post(
        reverse("note-add", args=[watched.pk]), {"text": " Retrained by hand \n", "at": "2024-01-02T10:00"}
    )
    assert answer.status_code == 302
    made = Note.objects.get()
    assert (made.text, made.at, made.author) == ("Retrained by hand", datetime(2024, 1, 2, 10, tzinfo=UTC), world.owner)
    inside.post(reverse("note-change", args=[made.pk]), {"text": "By the job", "at": "2024-01-03T10:00"})
    made.refresh_from_db()
    assert (made.text, made.at.day, made.edited_by) == ("By the job", 3, world.owner)
    inside.post(reverse("note-remove", args=[made.pk]))
    assert not Note.objects.exists()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"text": "  "}, "This field is required."),
        ({"text": "x", "at": "someday"}, "Give a day and a time."),
        ({"text": "x" * 2001}, "at most 2000 characters"),
        ({"text": "x", "at": "2999-01-01T00:00"}, "days ahead"),
        ({"text": "a\x00b"}, "Null characters are not allowed."),
    ],
)
def test_what_is_no_note_is_told_and_kept_in_the_form(
    world: World, inside: Client, body: dict[str, str], words: str
) -> None:
    answer = inside.post(reverse("note-add", args=[world.watched().pk]), body)
    assert (answer.status_code, words in answer.content.decode()) == (200, True)
    assert not Note.objects.exists()


def test_others_notes_are_changed_by_owners_only(world: World, client: Client) -> None:
    member = person("mia", world.team, Role.MEMBER)
    made = note(world)
    client.force_login(member)
    assert client.post(reverse("note-change", args=[made.pk]), {"text": "No"}).status_code == 403
    assert client.post(reverse("note-remove", args=[made.pk])).status_code == 403
    own = note(world, author=member)
    assert client.post(reverse("note-change", args=[own.pk]), {"text": "Yes"}).status_code == 302
    Membership.objects.filter(user=member).update(role=Role.READONLY)
    assert client.post(reverse("note-remove", args=[own.pk])).status_code == 403
    assert f'id="note-{made.pk}"' in client.get(reverse("history", args=[world.watched().pk])).content.decode()


def test_markup_in_a_note_is_shown_as_it_was_written(world: World, inside: Client) -> None:
    note(world, "<script>alert(1)</script>")
    for tab in ("history", "accuracy"):
        text = open_tab(inside, world, tab=tab)
        assert "<script>alert" not in text
        assert "alert(1)" in text
