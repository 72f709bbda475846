"""Past days judged by the windows that ended on them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from monitoring import mail
from monitoring.incidents import actions, due
from monitoring.models import Area, HealthDay, Message, Source, Status, Transition, Watched
from monitoring.poll import cycle, history
from tests.monitoring.factories import NOW, make_member, make_source
from tests.monitoring.far_side import FarSide, Remote

pytestmark = pytest.mark.django_db


class Turning(FarSide):
    """A far side whose income drifted in windows that end between two days."""

    bad = (datetime.fromisoformat("2026-04-10T00:00:00Z"), datetime.fromisoformat("2026-04-20T00:00:00Z"))

    def on_featureDrift(self, remote: Remote, query: dict[str, list[str]]) -> dict[str, Any]:
        end = datetime.fromisoformat(query["end"][0])
        remote.psi["income"] = 0.31 if self.bad[0] <= end < self.bad[1] else 0.02
        return super().on_featureDrift(remote, query)


def polled(far: FarSide) -> Source:
    source = make_source()
    cycle.discover(source, NOW, far)
    cycle.poll(source, cycle.claim_due(source, NOW, 10), NOW, far)
    source.refresh_from_db()
    return source


def test_past_days_are_judged_by_their_own_windows_and_marked() -> None:
    far = Turning(Remote("d1"))
    source = polled(far)
    run = history.rebuild(source, history.claim(source, NOW), NOW, far)
    assert run.asked == 29 * 2
    days = HealthDay.objects.filter(area=Area.DRIFT, reconstructed=True)
    failing = sorted(row.day.isoformat() for row in days if row.status == Status.FAILING)
    assert (failing[0], failing[-1], len(failing)) == ("2026-04-09", "2026-04-18", 10)
    assert "1 high-importance feature above PSI 0.15, limit 1: income 0.31" in days.get(day="2026-04-12").reason


def test_the_turns_between_past_days_become_reconstructed_transitions_that_nobody_is_mailed_about() -> None:
    make_member()
    far = Turning(Remote("d1"))
    source = polled(far)
    for _ in range(2):
        history.rebuild(source, [Watched.objects.get().pk], NOW, far)
    turns = Transition.objects.filter(reconstructed=True).order_by("at")
    assert [(turn.old, turn.new) for turn in turns] == [
        (Status.PASSING, Status.FAILING),
        (Status.FAILING, Status.PASSING),
    ]
    assert turns[1].trouble_since == turns[0].at
    mail.decide(NOW)
    assert not Message.objects.exists()


def test_past_trouble_becomes_an_incident_that_is_over_and_told_to_nobody() -> None:
    far = Turning(Remote("d1"))
    source = polled(far)
    watched = Watched.objects.get()
    for _ in range(2):
        history.rebuild(source, [watched.pk], NOW, far)
    incident = watched.incidents.get()
    assert (incident.area, incident.reconstructed, incident.worst) == (Area.DRIFT, True, Status.FAILING)
    assert f"{incident.opened_at:%m-%d %H:%M} {incident.resolved_at:%m-%d %H:%M}" == "04-10 00:10 04-20 00:30"
    assert [event.kind for event in incident.events.all()] == ["opened", "recovering", "resolved"]
    assert not incident.notices.exists()


def test_a_past_incident_that_is_no_longer_one_goes_unless_somebody_wrote_about_it() -> None:
    far = Turning(Remote("d1"))
    source, ines = polled(far), make_member().user
    watched = Watched.objects.get()
    history.rebuild(source, [watched.pk], NOW, far)
    incident = watched.incidents.get()
    far.bad = (far.bad[0], far.bad[0])
    history.rebuild(source, [watched.pk], NOW, far)
    assert not watched.incidents.exists()
    far.bad = Turning.bad
    history.rebuild(source, [watched.pk], NOW, far)
    actions.note(watched.incidents.get(), ines, NOW, text="The campaign.")
    far.bad = (far.bad[0], far.bad[0])
    history.rebuild(source, [watched.pk], NOW, far)
    assert watched.incidents.get().events.filter(by=ines).exists()
    assert incident.pk != watched.incidents.get().pk


def test_trouble_at_the_first_look_began_when_its_past_says() -> None:
    far = Turning(Remote("d1"))
    far.bad = (far.bad[0], NOW + timedelta(days=9))
    source = polled(far)
    watched = Watched.objects.get()
    history.rebuild(source, [watched.pk], NOW, far)
    due.run_due(NOW + timedelta(minutes=1))
    incident = watched.incidents.get()
    assert (incident.reconstructed, incident.is_open) == (False, True)
    assert f"{incident.began_at:%Y-%m-%d %H:%M}" == "2026-04-10 00:00"
    assert incident.predictions_affected > 0


def test_what_was_judged_live_is_never_rewritten() -> None:
    far = Turning(Remote("d1"))
    source = polled(far)
    watched = Watched.objects.get()
    HealthDay.objects.filter(area=Area.DRIFT, day="2026-04-12").delete()
    said = HealthDay.objects.create(watched=watched, area=Area.DRIFT, day="2026-04-12", status=Status.WARNING)
    history.rebuild(source, [watched.pk], NOW, far)
    said.refresh_from_db()
    assert (said.status, said.reconstructed) == (Status.WARNING, False)


def test_a_large_source_is_not_asked_for_its_past() -> None:
    far = Turning(Remote("d1"))
    source = polled(far)
    source.deployments_count = history.LARGEST_SOURCE + 1
    assert history.claim(source, NOW) == []


def test_the_past_is_asked_for_once_and_again_when_old_data_changed() -> None:
    far = Turning(Remote("d1"))
    source = polled(far)
    history.rebuild(source, history.claim(source, NOW), NOW, far)
    assert history.claim(source, NOW + timedelta(hours=1)) == []
    remote = far.remotes["d1"]
    remote.rows_a_day, remote.last = 3000, remote.last + timedelta(minutes=5)
    later = NOW + timedelta(minutes=5)
    cycle.discover(source, later, far)
    cycle.poll(source, cycle.claim_due(source, later, 10), later, far)
    assert history.claim(source, later + timedelta(minutes=1)) == []
    assert history.claim(source, later + timedelta(minutes=3)) == [Watched.objects.get().pk]
