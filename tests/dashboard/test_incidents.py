"""The pages of incidents and silences: worst first, one at a time, and what people do about them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from monitoring.incidents import actions
from monitoring.models import EventKind, Incident, IncidentKind, Severity, Silence, SilenceKind, Status, Watched
from tests.dashboard.world import World, person

LIST_QUERIES, PAGE_QUERIES, SILENCE_QUERIES = 13, 40, 13


def now() -> datetime:
    return datetime.now(UTC)


def make(world: World, label: str = "Flight delayed > 15 min", **fields: Any) -> Incident:
    """An open incident of one deployment that began three days ago."""
    of = world.watched(label)
    Incident.objects.filter(watched=of, area=fields.get("area", "drift"), resolved_at=None).delete()
    values = {
        "kind": IncidentKind.DEPLOYMENT,
        "team": world.team,
        "source": world.source,
        "watched": of,
        "area": "drift",
        "status": Status.FAILING,
        "worst": Status.FAILING,
        "severity": Severity.HIGH,
        "reason": "1 high-importance feature above PSI 0.15, limit 1: pressure 3.43.",
        "began_at": now() - timedelta(days=3),
        "opened_at": now() - timedelta(days=3),
        "predictions_affected": 2400.0,
    }
    return Incident.objects.create(**{**values, **fields})


@pytest.fixture
def quiet(world: World) -> World:
    """Without the incidents that the first poll opened."""
    Incident.objects.all().delete()
    return world


def numbers(page: str) -> list[int]:
    return [int(part.split(" ")[0]) for part in page.split('">#')[1:] if part.split(" ")[0].isdecimal()]


def test_without_incidents_the_page_says_when_one_opens(quiet: World, inside: Client) -> None:
    page = inside.get(reverse("incidents")).content.decode()
    assert "No incident is open" in page
    assert "An incident opens when" in page


def test_the_worst_by_consequence_come_first(quiet: World, inside: Client) -> None:
    answered = make(quiet, "Departure delayed, Newark", acknowledged_at=now(), acknowledged_by=quiet.owner)
    waiting = make(quiet)
    mild = make(quiet, "Departure delayed, JetBlue", severity=Severity.LOW, status="warning", worst="warning")
    busy = make(quiet, "Arrival delay, minutes", predictions_affected=2e6)
    page = inside.get(reverse("incidents")).content.decode()
    assert numbers(page) == [busy.pk, waiting.pk, answered.pk, mild.pk]
    assert "4 incidents are open, 3 of them unanswered" in page
    assert "≈ 2\u202fM" in page


@pytest.mark.parametrize(
    ("show", "expected"),
    [("open", {"o", "a", "s"}), ("unanswered", {"o"}), ("mine", {"a"}), ("acknowledged", {"a"}), ("snoozed", {"s"}),
     ("resolved", {"r"}), ("nonsense", {"o", "a", "s"})],
)  # fmt: skip
def test_each_list_shows_its_own(quiet: World, inside: Client, show: str, expected: set[str]) -> None:
    made = {
        "o": make(quiet),
        "a": make(quiet, "Departure delayed, Newark", assignee=quiet.owner),
        "s": make(quiet, "Departure delayed, JetBlue", snoozed_until=now() + timedelta(hours=4), snoozed_why="night"),
        "r": make(quiet, "Arrival delay, minutes", resolved_at=now()),
    }
    page = inside.get(reverse("incidents") + f"?show={show}").content.decode()
    assert set(numbers(page)) == {made[name].pk for name in expected}


def test_lists_are_searched_and_narrowed_by_area(quiet: World, inside: Client) -> None:
    drift, accuracy = make(quiet), make(quiet, "Departure delayed, JetBlue", area="accuracy")
    assert numbers(inside.get(reverse("incidents") + "?area=accuracy").content.decode()) == [accuracy.pk]
    assert numbers(inside.get(reverse("incidents") + "?q=flight").content.decode()) == [drift.pk]
    assert "No incident matches" in inside.get(reverse("incidents") + "?q=nothing").content.decode()


def test_a_fleet_incident_stands_for_its_members(quiet: World, inside: Client) -> None:
    fleet = make(quiet, kind=IncidentKind.FLEET, watched=None, size=2, evidence={"cause": "drift of carrier"})
    first, second = make(quiet, parent=fleet), make(quiet, "Departure delayed, Newark", parent=fleet)
    listed = inside.get(reverse("incidents")).content.decode()
    assert numbers(listed) == [fleet.pk]
    assert "Drift of carrier in 2 deployments" in listed
    page = inside.get(reverse("incident", args=[fleet.pk])).content.decode()
    assert {first.pk, second.pk} <= set(numbers(page))
    assert (
        f'part of <a href="{reverse("incident", args=[fleet.pk])}">'
        in inside.get(reverse("incident", args=[first.pk])).content.decode()
    )
    inside.post(reverse("incident-act", args=[fleet.pk, "acknowledge"]))
    assert Incident.objects.filter(acknowledged_by=quiet.owner).count() == 3


def test_one_incident_tells_everything_about_itself(quiet: World, inside: Client) -> None:
    row = make(quiet)
    actions.note(row, quiet.owner, now(), text="Heat since early July.\nRetraining is due.")
    actions.assign(row, quiet.owner, now(), to=quiet.reader)
    page = inside.get(reverse("incident", args=[row.pk])).content.decode()
    assert f"<h1>#{row.pk} Flight delayed &gt; 15 min: data drift</h1>" in page
    assert "Heat since early July.<br>Retraining is due." in page
    assert "Assigned to Tomas." in page
    assert "≈ 2,400" in page
    assert 'id="review-drift"' in page
    assert "At detection and now" in page


def test_what_was_seen_at_detection_stands_beside_what_is_seen_since(quiet: World, inside: Client) -> None:
    row = make(quiet)
    row.events.create(at=row.opened_at, kind="opened", text="pressure 0.41 <then>", data={"status": "warning"})
    page = inside.get(reverse("incident", args=[row.pk])).content.decode()
    rows = re.findall(r'<tr><td class="ink">(At detection|Latest|Last|Now)\b.*?</tr>', page, re.S)
    assert rows[:2] == ["At detection", "Latest"]
    assert page.count("pressure 0.41 &lt;then&gt;") == 2, "in the table and in the timeline"
    row.events.filter(kind="opened").update(text=row.reason)
    page = inside.get(reverse("incident", args=[row.pk])).content.decode()
    assert re.findall(r'<td class="ink">(At detection|Latest)', page) == ["At detection"]


def test_the_reason_of_a_reconstructed_incident_stands_beside_the_status_that_it_explains(
    quiet: World, inside: Client
) -> None:
    row = make(quiet)
    Incident.objects.filter(pk=row.pk).update(
        reconstructed=True, status=Status.PASSING, worst=Status.FAILING, resolved_at=now(), reason="humid 0.52"
    )
    page = inside.get(reverse("incident", args=[row.pk])).content.decode()
    (then,) = re.findall(r'<tr><td class="ink">Then</td>.*?</tr>', page, re.S)
    assert "Failing" in then
    assert "Passing" not in then
    assert "humid 0.52" in then


def test_people_act_by_forms(quiet: World, inside: Client) -> None:
    row = make(quiet)

    def act(name: str, **values: object) -> None:
        assert inside.post(reverse("incident-act", args=[row.pk, name]), values).status_code == 302
        row.refresh_from_db()

    act("acknowledge")
    assert row.acknowledged_by == quiet.owner
    act("assign", assignee=quiet.reader.pk)
    assert row.assignee == quiet.reader
    act("note", text="Looking.")
    act("snooze", **{"for": "24h", "why": "storm season"})
    assert row.snoozed_until is not None
    assert abs(row.snoozed_until - now() - timedelta(hours=24)) < timedelta(minutes=1)
    page = inside.get(reverse("incident", args=[row.pk])).content.decode()
    assert "Failing, snoozed" in page
    assert "storm season" in page
    act("unsnooze")
    assert not Incident.objects.filter(pk=row.pk, snoozed_until__isnull=False).exists()
    act("resolve", why="Retrained.")
    assert row.resolved_by == quiet.owner
    kinds = set(row.events.values_list("kind", flat=True))
    assert {EventKind.ACKNOWLEDGED, EventKind.NOTE, EventKind.SNOOZED, EventKind.RESOLVED} <= kinds


@pytest.mark.parametrize(
    ("action", "values", "told"),
    [
        ("snooze", {"for": "24h"}, "Say why it is snoozed"),
        ("snooze", {"for": "until", "until": "", "why": "x"}, "A snooze needs an end"),
        ("snooze", {"for": "until", "until": "2020-01-01T00:00", "why": "x"}, "lies ahead"),
        ("snooze", {"for": "until", "until": "2099-01-01T00:00", "why": "x"}, "at most 30 days"),
        ("snooze", {"for": "until", "until": "2026-13-45T00:00", "why": "x"}, "A snooze needs an end"),
        ("note", {"text": "  "}, "Write something."),
        ("assign", {"assignee": "999999"}, "members of its team"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    quiet: World, inside: Client, action: str, values: dict[str, str], told: str
) -> None:
    row = make(quiet)
    page = inside.post(reverse("incident-act", args=[row.pk, action]), values, follow=True).content.decode()
    assert told in page
    row.refresh_from_db()
    assert (row.snoozed_until, row.assignee, row.events.count()) == (None, None, 0)


def test_an_unknown_action_and_another_teams_incident_do_not_exist(quiet: World, inside: Client) -> None:
    row = make(quiet)
    assert inside.post(reverse("incident-act", args=[row.pk, "explode"])).status_code == 404
    inside.force_login(quiet.outsider)
    assert inside.get(reverse("incident", args=[row.pk])).status_code == 404
    assert inside.post(reverse("incident-act", args=[row.pk, "acknowledge"])).status_code == 404
    assert numbers(inside.get(reverse("incidents")).content.decode()) == []


def test_after_an_action_nobody_is_led_to_another_site(quiet: World, inside: Client) -> None:
    row = make(quiet)
    url = reverse("incident-act", args=[row.pk, "acknowledge"])
    assert inside.post(url, {"back": "https://evil.example/"})["Location"] == reverse("incident", args=[row.pk])
    assert inside.post(url, {"back": "/incidents/"})["Location"] == "/incidents/"


def test_who_may_only_read_sees_no_buttons(quiet: World, client: Client) -> None:
    row = make(quiet)
    client.force_login(quiet.reader)
    page = client.get(reverse("incident", args=[row.pk])).content.decode()
    assert "Your role is read only" in page
    assert "incident-act" not in page
    assert "<textarea" not in page


def test_the_fleet_and_the_deployment_name_the_open_incident_and_who_has_it(quiet: World, inside: Client) -> None:
    row = make(quiet, assignee=quiet.reader)
    page = inside.get("/").content.decode()
    assert f"#{row.pk} Tomas" in page
    assert 'class="count"' in page
    head = inside.get(reverse("overview", args=[row.watched_id])).content.decode()
    assert f"Incident {row.pk}, data drift" in head
    assert "Tomas, since" in head


def test_what_is_snoozed_is_striped_and_stays(quiet: World, inside: Client) -> None:
    row = make(quiet, snoozed_until=now() + timedelta(days=2), snoozed_why="storm season")
    page = inside.get("/").content.decode()
    assert f'id="row-{row.watched_id}" class="tall snoozed"' in page or "tall snoozed" in page
    assert "Failing, snoozed" in page
    assert "snoozed to" in page


def test_the_rail_counts_what_is_open_and_marks_what_nobody_answered(quiet: World, inside: Client) -> None:
    assert "count-alert" not in inside.get("/").content.decode()
    row = make(quiet)
    assert "count-alert" in inside.get("/").content.decode()
    actions.acknowledge(row, quiet.owner, now())
    assert "count-alert" not in inside.get("/").content.decode()


def test_the_number_of_queries_does_not_grow(quiet: World, inside: Client) -> None:
    rows = [make(quiet, label) for label in ("Flight delayed > 15 min", "Departure delayed, Newark")]
    with CaptureQueriesContext(connection) as few:
        inside.get(reverse("incidents"))
    for label in ("Departure delayed, JetBlue", "Arrival delay, minutes"):
        for area in ("drift", "accuracy", "service"):
            make(quiet, label, area=area)
    with CaptureQueriesContext(connection) as many:
        inside.get(reverse("incidents"))
    assert len(many) == len(few) <= LIST_QUERIES
    with CaptureQueriesContext(connection) as one:
        inside.get(reverse("incident", args=[rows[0].pk]))
    assert len(one) <= PAGE_QUERIES


# --- Silences -----------------------------------------------------------------------------------------------------


def values(world: World, **fields: object) -> dict[str, object]:
    start = now().replace(second=0, microsecond=0)
    return {
        "kind": "silence",
        "team": world.team.pk,
        "reason": "storm season",
        "starts_at": start.strftime("%Y-%m-%dT%H:%M"),
        "ends_at": (start + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M"),
        **fields,
    }


def test_without_a_silence_the_page_says_what_a_window_is_for(quiet: World, inside: Client) -> None:
    page = inside.get(reverse("silences")).content.decode()
    assert "Nothing is silenced" in page
    assert "Plan a window before you change something" in page


def test_a_silence_has_an_owner_a_reason_and_an_end(quiet: World, inside: Client) -> None:
    watched = quiet.watched()
    given = values(quiet, watched=watched.pk, area="drift")
    assert inside.post(reverse("silence-add"), given).status_code == 302
    made = Silence.objects.get()
    assert (made.owner, made.watched, made.area, made.reason) == (quiet.owner, watched, "drift", "storm season")
    page = inside.get(reverse("silences")).content.decode()
    assert "1 silence holds now" in page
    assert "Flight delayed &gt; 15 min, data drift" in page
    assert "Ines" in page
    inside.post(reverse("silence-cancel", args=[made.pk]))
    made.refresh_from_db()
    assert made.cancelled_by == quiet.owner
    assert "Nothing is silenced" in inside.get(reverse("silences")).content.decode()


def test_a_maintenance_window_recurs_in_the_readers_time_zone(quiet: World, inside: Client) -> None:
    from monitoring.models import UserPreference

    UserPreference.objects.update_or_create(user=quiet.owner, defaults={"time_zone": "America/New_York"})
    begins = (now().astimezone(ZoneInfo("America/New_York")) - timedelta(days=30)).replace(hour=12, minute=0)
    given = values(
        quiet, kind="maintenance", tag="region=EU", repeats="WEEKLY", days=["SU", "WE"], minutes="120",
        starts_at=f"{begins:%Y-%m-%dT12:00}", ends_at=f"{begins + timedelta(days=60):%Y-%m-%dT12:00}",
    )  # fmt: skip
    assert inside.post(reverse("silence-add"), given).status_code == 302
    made = Silence.objects.get()
    assert (made.kind, made.rule, made.minutes) == (SilenceKind.MAINTENANCE, "FREQ=WEEKLY;BYDAY=SU,WE", 120)
    assert made.starts_at == begins.replace(second=0, microsecond=0)
    assert made.time_zone == "America/New_York"
    assert "Every week on Sun and Wed for 2\u202fh" in inside.get(reverse("silences")).content.decode()


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", ""), ("reason", "  "), ("ends_at", "2020-01-01T00:00"), ("ends_at", "2099-01-01T00:00"),
     ("ends_at", "soon"), ("starts_at", ""), ("kind", "x"), ("area", "x"), ("watched", "999999"), ("team", "0"),
     ("repeats", "HOURLY"), ("repeats", "DAILY"), ("minutes", "-3")],
)  # fmt: skip
def test_a_silence_that_cannot_be_is_refused_with_a_reason(
    quiet: World, inside: Client, field: str, value: str
) -> None:
    response = inside.post(reverse("silence-add"), values(quiet, **{field: value}))
    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not Silence.objects.exists()


def test_only_members_who_may_act_silence_and_only_their_own_team(quiet: World, client: Client) -> None:
    made = Silence.objects.create(
        team=quiet.team, reason="x", starts_at=now(), ends_at=now() + timedelta(hours=1), created_at=now()
    )
    client.force_login(quiet.reader)
    assert client.get(reverse("silence-add")).status_code == 403
    assert client.post(reverse("silence-cancel", args=[made.pk])).status_code == 403
    client.force_login(quiet.outsider)
    assert client.post(reverse("silence-cancel", args=[made.pk])).status_code == 404
    assert client.post(reverse("silence-add"), values(quiet)).status_code == 200
    client.force_login(person("alone"))
    assert client.get(reverse("silence-add")).status_code == 403
    assert Silence.objects.count() == 1


def test_silences_cost_no_more_queries_when_there_are_more(quiet: World, inside: Client) -> None:
    def add(n: int) -> None:
        for i in range(n):
            Silence.objects.create(
                team=quiet.team, reason=str(i), starts_at=now(), ends_at=now() + timedelta(hours=1), created_at=now(),
                watched=Watched.objects.first(), owner=quiet.owner,
            )  # fmt: skip

    add(1)
    with CaptureQueriesContext(connection) as few:
        inside.get(reverse("silences"))
    add(10)
    with CaptureQueriesContext(connection) as many:
        inside.get(reverse("silences"))
    assert len(many) == len(few) <= SILENCE_QUERIES
