"""Challengers, retraining and jobs: looked for daily, asked hourly where there are any."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from monitoring import questions as q
from monitoring.poll.pace import Pace
from monitoring.poll.standing import Facts, standing
from monitoring.poll.things import ThingFacts, thing_facts, thing_questions
from monitoring.questions import Question
from monitoring.snapshots import AnswerView, Snapshot

NOW = datetime(2026, 5, 1, 10, tzinfo=UTC)


def known(*answers: tuple[Question, Any]) -> Snapshot:
    """What is stored."""
    return Snapshot({question.key: AnswerView(payload, NOW, NOW) for question, payload in answers}, now=NOW)


def paces(facts: ThingFacts) -> dict[str, Pace]:
    return {question.path: pace for question, pace in thing_questions(facts)}


def test_what_a_source_has_not_told_of_is_looked_for_once_a_day() -> None:
    facts = thing_facts(known((q.challengers(), {"data": []}), (q.jobs(), {"data": None})))
    assert facts == ThingFacts()
    assert paces(facts) == dict.fromkeys(("challengers/", "retrainingPolicies/", "jobs/", "modelHistory/"), Pace.DAILY)


def test_what_is_there_is_asked_hourly_and_the_replay_with_the_challengers() -> None:
    facts = thing_facts(known((q.challengers(), {"data": [{"id": "c"}]}), (q.jobs(), {"data": [{"id": "j"}]})))
    assert facts == ThingFacts(challengers=True, jobs=True)
    assert paces(facts) == {
        "challengers/": Pace.QUIET,
        "jobs/": Pace.QUIET,
        "challengerReplaySettings/": Pace.QUIET,
        "retrainingPolicies/": Pace.DAILY,
        "modelHistory/": Pace.DAILY,
    }


def test_they_stand_in_the_plan_of_each_kind_of_deployment() -> None:
    for batch in (False, True):
        asked = {item.question: item.pace for item in standing(Facts(batch=batch, things=ThingFacts(policies=True)))}
        assert asked[q.retraining_policies()] is Pace.QUIET
        assert asked[q.jobs()] is Pace.DAILY
