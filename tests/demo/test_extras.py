"""What the demo shows beside its flights: real texts, really answered; and every value counted from the flights."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pydoc_data.topics import topics

import numpy as np
import polars as pl
import pytest

from demo.clock import END, Span, shift_to
from demo.extras import EXTRAS, answers, measures
from demo.questions import Answerer, Question, overlap, passages, questions, shuffled
from demo.replay import asked
from demo.story import STORIES

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SHIFT = shift_to(NOW)


@pytest.fixture(scope="module")
def answerer() -> Answerer:
    return Answerer(passages())


@pytest.fixture(scope="module")
def rows(answerer: Answerer) -> pl.DataFrame:
    old, new = answers._halves(questions(answerer.known))
    return answers._rows(answerer, old, new, NOW)


def test_every_passage_stands_in_the_help_of_its_topic(answerer: Answerer) -> None:
    for passage in answerer.known[::20]:
        assert passage.text in " ".join(topics[passage.topic].split())


def test_every_question_quotes_its_passage_and_is_asked_once(answerer: Answerer) -> None:
    found = questions(answerer.known)
    assert len({one.text for one in found}) == len(found)
    for one in found[::50]:
        quoted = re.findall(r"\w+", one.text.split("“")[1])
        assert quoted == re.findall(r"\w+", one.wanted.text)[-len(quoted) :] or " ".join(quoted) in " ".join(
            re.findall(r"\w+", one.wanted.text)
        )


def test_the_answer_is_the_passage_with_the_highest_cosine(answerer: Answerer) -> None:
    question = questions(answerer.known)[7]
    found = answerer.answer(question.text)
    vector = answerer._vectorizer.transform([question.text]).toarray()[0]
    table = answerer._matrix.toarray()
    cosines = table @ vector / (np.linalg.norm(table, axis=1) * np.linalg.norm(vector))
    assert found.similarity == pytest.approx(cosines.max())
    assert found.passages[0] == answerer.known[int(cosines.argmax())]
    assert found.milliseconds > 0


def test_the_order_is_the_same_every_time_and_loses_nothing(answerer: Answerer) -> None:
    some = questions(answerer.known)[:100]
    assert shuffled(some) == shuffled(list(reversed(some)))
    assert set(shuffled(some)) == set(some)


def test_overlap_is_the_share_of_common_words() -> None:
    assert (overlap("A b c", "c d a"), overlap("", ""), overlap("x", "y")) == (0.5, 1.0, 0.0)


def test_rows_are_measured_on_themselves_and_end_at_the_horizon(rows: pl.DataFrame) -> None:
    for row in rows.iter_rows(named=True):
        assert row["overlap"] == overlap(row["prediction"], row["actual_value"])
        assert row["prediction"] == row["contexts"][0]["context"]
    assert rows["association_id"].n_unique() == rows.height
    assert rows["timestamp"].is_sorted()
    first, last = rows["timestamp"][0], rows["timestamp"][-1]
    assert (first, last < NOW) == (NOW - timedelta(weeks=4), True)


def test_new_topics_come_in_the_last_week_only(answerer: Answerer, rows: pl.DataFrame) -> None:
    old, _ = answers._halves(questions(answerer.known))
    known = {one.text for one in old}
    late = rows["timestamp"] >= NOW - timedelta(weeks=1)
    strange = pl.Series([prompt not in known for prompt in rows["prompt"].to_list()])
    assert strange.filter(~late).sum() == 0
    assert strange.filter(late).sum() == answers.LAST_NEW


def test_training_and_holdout_are_not_asked_again(answerer: Answerer, rows: pl.DataFrame) -> None:
    old, _ = answers._halves(questions(answerer.known))
    kept: list[Question] = old[: answers.TRAINING + answers.HOLDOUT]
    assert not {one.text for one in kept} & set(rows["prompt"].to_list())


@pytest.fixture(scope="module")
def departures(flights: pl.DataFrame) -> pl.DataFrame:
    story = next(story for story in STORIES if story.slug == measures.BY_TIME)
    return asked(story, flights, Span(story.since, END, SHIFT))


@pytest.mark.parametrize("measure", [measures.UNKNOWN_PLANES, measures.MINUTES_LATE, measures.LONGEST_DELAY])
def test_hourly_values_are_those_of_the_flights_of_the_hour(
    departures: pl.DataFrame, measure: measures.Measure
) -> None:
    values = measures.hourly(departures, measure)
    assert values["timestamp"].n_unique() == values.height > 4000
    for row in values.sample(20, seed=1).iter_rows(named=True):
        hour = departures.filter(
            (pl.col("asked_at") >= row["timestamp"]) & (pl.col("asked_at") < row["timestamp"] + timedelta(hours=1))
        )
        delays = [delay for delay in hour["dep_delay"].to_list() if delay is not None]
        expected = {
            "average": sum(seats is None for seats in hour["seats"].to_list()) / hour.height,
            "sum": sum(max(0, delay) for delay in delays),
            "gauge": max(delays, default=0),
        }[str(measure.fields["type"])]
        assert (row["value"], row["flights"]) == (pytest.approx(expected), hour.height)


def test_the_weather_of_an_hour_counts_each_flight_once(departures: pl.DataFrame) -> None:
    counted = measures.sky_by_hour(departures)
    assert counted["flights"].sum() == departures.height
    assert set(counted["value"].to_list()) <= set(measures.WEATHER.fields["categories"])  # type: ignore[call-overload]


def test_a_month_has_the_flights_of_its_batch(flights: pl.DataFrame) -> None:
    story = next(story for story in STORIES if story.slug == measures.BY_BATCH)
    planned = asked(story, flights, Span(story.since, END, SHIFT))
    names = planned["asked_at"].dt.offset_by("-5h").dt.strftime("%B %Y")
    found = measures.monthly(planned, measures.NOT_FLOWN, {name: name for name in names.unique().to_list()})
    for row in found.iter_rows(named=True):
        assert row["value"] == planned.filter(names == row["batch"])["cancelled"].sum()
    assert found["flights"].sum() == planned.height


def test_each_extra_says_what_it_does() -> None:
    assert len({extra.says for extra in EXTRAS}) == len(EXTRAS)
