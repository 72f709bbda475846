"""Champion and challengers side by side, the replay that scores them, and retraining, where new ones come from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from dashboard.charts import words
from dashboard.charts.accuracy import ACCURACY, AccuracyPoints
from dashboard.charts.chart import ChartView
from dashboard.charts.predictions import PREDICTIONS, PredictionPoints
from dashboard.charts.timeline import Series, TimePoints
from dashboard.jobs import JobLine
from dashboard.tabs import accuracy, jobs, retraining, rivals
from dashboard.tabs.parts import Tab, switch
from dashboard.tabs.rivals import Rival, Row
from dashboard.tabs.subject import Subject
from monitoring import questions as q
from monitoring import schedules
from monitoring.models import TopicState
from monitoring.poll.areas import plain_ids

AGAIN = timedelta(minutes=10)
REPLAY = "Replay of challengers"
COLUMNS = 3


def build(subject: Subject, chosen: str = "") -> Tab:
    """The table, two charts of all models, the replay, then retraining."""
    metric = chosen if chosen in accuracy.offered(subject) else subject.metric
    at_work = read(subject, metric)
    found = rivals.rivals(subject)
    metrics = list(dict.fromkeys((metric, subject.metric, *subject.default_metrics)))[:COLUMNS]
    rows = rivals.table(subject, found, metrics, metric)
    policies = retraining.policies(subject)
    more = {
        "offered": offered(subject, q.challengers()),
        "retrains": offered(subject, q.retraining_policies()),
        "rows": rows,
        "metrics": metrics,
        "metric": metric,
        "window": window_words(subject),
        "note": note(rows),
        "others": [str(one.get("name") or "") for one in rivals.listed(subject)[rivals.MOST_DRAWN :]],
        "replay": replay(subject, at_work),
        "policies": policies,
        "switch": switch(
            "Metric", _links(subject, metrics, metric), _links(subject, accuracy.offered(subject), metric)
        ),
        "unit": "%" if subject.watched.target_type == "Binary" else "",
    }
    drawn = charts(subject, found, metric, rows[0].scores[0].baseline) if len(found) > 1 else {}
    return Tab("dashboard/tab_challengers.html", drawn, more=more)


def read(subject: Subject, metric: str) -> Sequence[JobLine]:
    """First what there is, then the numbers of each; the jobs that run or ran."""
    subject.shelf.read([q.challengers(), q.replay_settings(), q.retraining_policies()], again=AGAIN)
    at_work = jobs.read(subject)
    found = rivals.rivals(subject)
    if len(found) > 1:
        subject.shelf.read(question for rival in found for question in rivals.questions(subject, rival, metric))
    known = plain_ids(subject.shelf.entries(q.retraining_policies()))
    subject.shelf.read([q.retraining_runs(one) for one in known[: retraining.MOST_POLICIES]], again=AGAIN)
    return at_work


def offered(subject: Subject, question: q.Question) -> bool:
    """Whether the source answers it at all."""
    return subject.shelf.state(question) is not TopicState.REFUSED


def charts(subject: Subject, found: Sequence[Rival], metric: str, base: float | None) -> dict[str, ChartView]:
    """The metric and the level of predictions, a line a model."""
    more = f"metric={quote(metric)}" if metric != subject.metric else ""
    lead = TimePoints(
        subject.clock.start,
        subject.clock.step,
        tuple(_line(subject, rival, rivals.scores(subject, rival, metric)) for rival in found),
        metric=metric,
        caption=metric,
        baseline=base,
        changes=subject.changes(),
        unfinished=subject.running,
        height=240,
    )
    level = TimePoints(
        subject.clock.start,
        subject.clock.step,
        tuple(Series(rival.name, rivals.levels(subject, rival), rival.token, label=label(rival)) for rival in found),
        unit="%" if subject.watched.target_type == "Binary" else "",
        caption="mean prediction",
        changes=subject.changes(),
        unfinished=subject.running,
        height=180,
    )
    made = {
        "main": ACCURACY.view(
            "challengers-main",
            AccuracyPoints(lead, better=subject.better(metric)),
            title=title(subject, found, metric),
            caption=f"{metric} by {subject.view.bucket_noun} of prediction, each model on the rows that it scored",
            foot="Hollow: labels still arriving. Challengers are scored by replay of stored requests.",
            api_url=subject.api_url(rivals.series_question(subject, found[-1], metric)),
            csv_url=subject.csv_url("challengers", "main", more),
        )
    }
    if any(value is not None for line in level.series for value in line.values):
        made["level"] = PREDICTIONS.view(
            "challengers-level",
            PredictionPoints(level),
            title=level_title(subject, found),
            caption=f"Mean prediction by {subject.view.bucket_noun}",
            foot="A challenger that predicts on another level decides otherwise at the same threshold.",
            api_url=subject.api_url(rivals.level_question(subject, found[-1])),
            csv_url=subject.csv_url("challengers", "level", more),
        )
    return made


def _line(subject: Subject, rival: Rival, values: Sequence[float | None]) -> Series:
    late = frozenset(i for i in subject.late if i < len(values) and values[i] is not None)
    width = 2.5 if rival.is_champion else 2
    return Series(rival.name, tuple(values), rival.token, immature=late, width=width, label=label(rival))


def label(rival: Rival) -> str:
    """What stands at the right end of a model's line: the margin is narrow."""
    return "champion" if rival.is_champion else words.shortened(rival.name, 15)


def level_title(subject: Subject, found: Sequence[Rival]) -> str:
    """`Rates v2 predicts 21.5 % on average, the champion 17.7 %`: the challenger that is farthest off."""
    base = rivals.level_of(subject, found[0])
    known = [(level, one.name) for one in found[1:] if (level := rivals.level_of(subject, one)) is not None]
    if base is None or not known:
        return "What the models predict on average"
    level, name = max(known, key=lambda pair: abs(pair[0] - base))
    share = subject.watched.target_type == "Binary"
    mine, theirs = (words.percent(one) if share else words.number(one) for one in (level, base))
    return f"{words.shortened(name, 30)} predicts {mine} on average, the champion {theirs}"


def title(subject: Subject, found: Sequence[Rival], metric: str) -> str:
    """Who is better on how many of the bins that both have judged labels in."""
    champion = rivals.scores(subject, found[0], metric)
    told: list[tuple[int, int, str]] = []
    for rival in found[1:]:
        pairs = [
            (mine, theirs)
            for i, (mine, theirs) in enumerate(zip(rivals.scores(subject, rival, metric), champion, strict=True))
            if mine is not None and theirs is not None and i not in subject.late
        ]
        wins = sum(1 for mine, theirs in pairs if (mine - theirs) * subject.better(metric) > 0)
        if pairs:
            told.append((wins, len(pairs), rival.name))
    if not told:
        return "No challenger has a judged value beside the champion yet"
    wins, n, name = max(told, key=lambda one: (one[0] / one[1], one[1]))
    unit = words.count(n, subject.view.bucket_noun)
    return f"{words.shortened(name, 34)} beat the champion on {wins} of {unit}"


def window_words(subject: Subject) -> str:
    """`17 – 23 Nov`: the days that the table is about."""
    span = rivals.window(subject)
    return words.span_of_days(span.start, span.end)


def note(rows: Sequence[Row]) -> str:
    """That models stand on different rows, where they do: their numbers do not compare without a grain of salt."""
    known = {row.rows for row in rows if row.rows is not None}
    if len(known) < 2:
        return ""
    least, most = min(known), max(known)
    return (
        f"Models stand on different rows: {words.number(least, 0)} to {words.number(most, 0)}. "
        "Replay what is missing before you compare."
    )


def replay(subject: Subject, at_work: Sequence[JobLine]) -> dict[str, object]:
    """Whether and when challengers are replayed, and how the newest replay went."""
    stored = subject.shelf.payload(q.replay_settings())
    schedule, enabled = stored.get("schedule"), stored.get("enabled") is True
    runs = [one for one in at_work if one.kind == REPLAY]
    past = subject.view.as_of is not None
    return {
        "known": bool(stored),
        "enabled": enabled,
        "words": schedules.words(schedule) if enabled else "",
        "next": schedules.next_due(schedule, subject.now) if enabled and not past else None,
        "last": runs[0] if runs else None,
        "told": jobs.offered(subject),
    }


def _links(subject: Subject, names: Sequence[str], chosen: str) -> list[tuple[str, str, bool]]:
    base = subject.url("challengers")
    join = "&" if "?" in base else "?"
    return [(name, f"{base}{join}metric={quote(name)}", name == chosen) for name in names]
