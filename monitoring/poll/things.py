"""Challengers, retraining and jobs: whether a deployment has any, and what is asked then. Pure.

That there are some is looked for once a day; what is there is asked hourly.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitoring import questions as q
from monitoring.poll.pace import Pace
from monitoring.questions import Question
from monitoring.snapshots import Snapshot


@dataclass(frozen=True, slots=True)
class ThingFacts:
    """What the newest answers list."""

    challengers: bool = False
    policies: bool = False
    jobs: bool = False


def thing_fact_questions() -> list[Question]:
    """What `thing_facts` reads."""
    return [q.challengers(), q.retraining_policies(), q.jobs()]


def thing_facts(known: Snapshot) -> ThingFacts:
    """Facts from the snapshot; what the source refused or has not said is not there."""
    return ThingFacts(*(bool(known.payload(question).get("data")) for question in thing_fact_questions()))


def thing_questions(facts: ThingFacts) -> list[tuple[Question, Pace]]:
    """The standing questions: hourly for what is there, daily to learn of the rest."""
    there = (facts.challengers, facts.policies, facts.jobs)
    pairs = zip(thing_fact_questions(), there, strict=True)
    found = [(question, Pace.QUIET if one else Pace.DAILY) for question, one in pairs]
    found.append((q.model_history(), Pace.DAILY))
    return found + ([(q.replay_settings(), Pace.QUIET)] if facts.challengers else [])
