"""The built-in trainer: scikit-learn pipelines over numbers, categories and texts, and the same as ONNX.

Two families: histogram gradient boosting, which takes missing numbers as they are, and a linear model over imputed,
scaled numbers and one-hot categories. Texts become weighted word counts in both. Numbers are rounded to single
precision before fitting, as the exported model sees them. Everything is seeded: the same rows give the same model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from deployments import baselines
from deployments.baselines import Holdout
from deployments.models import FeatureType
from deployments.retraining.options import Mode, Partition, ProjectOptions, Validation
from metrics import ACCURACY_METRICS, JUDGED_METRIC, TargetType
from metrics.arrays import FloatArray

SEED = 0
HOLDOUT, SET_ASIDE, FOLDS = 20.0, 20.0, 5
MOST_CATEGORIES, MOST_WORDS = 100, 200
WORD = "[a-zA-Z0-9_]+"
IMPACT_ROWS = 1_000

Table = np.ndarray[Any, np.dtype[np.object_]]
Tell = Callable[[float, str], None]
Parameters = Mapping[str, Any]


class CannotTrain(ValueError):
    """The rows do not make a model; the message is for people."""


@dataclass(frozen=True)
class Task:
    """What is to be learnt: features with their kinds, the target, its classes (of two the positive one last)."""

    features: Mapping[str, FeatureType]
    target: str
    kind: TargetType
    classes: tuple[str, ...] = ()
    threshold: float = 0.5

    def table(self, rows: pl.DataFrame) -> Table:
        """The features as an array of objects: numbers in single precision, words as they are, missing ones empty."""
        columns = []
        for name, kind in self.features.items():
            if kind is FeatureType.NUMERIC:
                columns.append(rows[name].cast(pl.Float32).fill_null(np.nan).to_numpy().astype(object))
            else:
                columns.append(rows[name].fill_null("").to_numpy().astype(object))
        return np.column_stack(columns)

    def outcomes(self, rows: pl.DataFrame) -> FloatArray:
        """The target as numbers; classes by their number."""
        if not self.classes:
            return rows[self.target].to_numpy().astype(np.float64)
        number = {name: place for place, name in enumerate(self.classes)}
        return rows[self.target].replace_strict(number, return_dtype=pl.Int64).to_numpy().astype(np.float64)

    def places(self, *kinds: FeatureType) -> list[int]:
        """Where features of these kinds stand."""
        return [place for place, kind in enumerate(self.features.values()) if kind in kinds]


@dataclass(frozen=True)
class Candidate:
    """A family with its parameters."""

    blueprint: str
    parameters: Parameters = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.parameters.items())
        return f"{self.blueprint} ({told})" if told else self.blueprint


BOOSTING, LINEAR = "gradient boosting", "linear"
DEFAULTS = {
    BOOSTING: {"learning_rate": 0.1, "max_iter": 100, "max_leaf_nodes": 31},
    LINEAR: {"strength": 1.0},
}


def candidates(mode: Mode) -> list[Candidate]:
    """What is tried: boosting alone, both families, or several settings of both."""
    boosting, linear = Candidate(BOOSTING, DEFAULTS[BOOSTING]), Candidate(LINEAR, DEFAULTS[LINEAR])
    if mode is Mode.QUICK:
        return [boosting]
    if mode is Mode.AUTO:
        return [boosting, linear]
    slower = {**DEFAULTS[BOOSTING], "learning_rate": 0.05, "max_iter": 200}
    smaller = {**DEFAULTS[BOOSTING], "max_leaf_nodes": 15}
    linears = [Candidate(LINEAR, {"strength": strength}) for strength in (0.1, 1.0, 10.0)]
    return [boosting, Candidate(BOOSTING, slower), Candidate(BOOSTING, smaller), *linears]


@dataclass(frozen=True)
class Parts:
    """Training rows and holdout."""

    training: pl.DataFrame
    holdout: pl.DataFrame


def parted(rows: pl.DataFrame, task: Task, options: ProjectOptions) -> Parts:
    """Set the holdout aside, by class where there are classes. Raises CannotTrain for a class with too few rows."""
    outcomes = task.outcomes(rows)
    if task.classes:
        counts = np.bincount(outcomes.astype(np.int64), minlength=len(task.classes))
        rare = [name for name, count in zip(task.classes, counts, strict=True) if count < 2 * FOLDS]
        if rare:
            raise CannotTrain(f"The class {rare[0]!r} has fewer than {2 * FOLDS} rows with an outcome.")
    share = (options.holdout_pct or HOLDOUT) / 100
    kept, held = train_test_split(
        np.arange(rows.height), test_size=share, random_state=SEED, stratify=outcomes if task.classes else None
    )
    return Parts(rows[np.sort(kept)], rows[np.sort(held)])


def informative(rows: pl.DataFrame, features: Mapping[str, FeatureType]) -> dict[str, FeatureType]:
    """The features that can be trained on and have at least two values."""
    usable = (FeatureType.NUMERIC, FeatureType.CATEGORICAL, FeatureType.TEXT)
    return {name: kind for name, kind in features.items() if kind in usable and rows[name].drop_nulls().n_unique() > 1}


@dataclass(frozen=True)
class Chosen:
    """The best candidate, and every candidate's value of the metric; None where it is undefined on some part."""

    candidate: Candidate
    metric: str
    values: list[tuple[str, float | None]]


def choose(rows: pl.DataFrame, task: Task, tried: Sequence[Candidate], options: ProjectOptions, tell: Tell) -> Chosen:
    """Fit each candidate on parts of the training rows and compare them on the rest."""
    metric = options.metric or JUDGED_METRIC[task.kind]
    if len(tried) == 1:
        return Chosen(tried[0], metric, [])
    table, outcomes = task.table(rows), task.outcomes(rows)
    splits = list(_splits(outcomes, task, options))
    values: list[tuple[str, float | None]] = []
    for number, candidate in enumerate(tried):
        found = []
        for place, (fitted, left) in enumerate(splits):
            done = (number * len(splits) + place) / (len(tried) * len(splits))
            tell(done, f"Comparing {candidate}, part {place + 1} of {len(splits)}")
            model = fit(table[fitted], outcomes[fitted], task, candidate)
            found.append(_measured(predict(model, table[left], task), outcomes[left], task)[metric])
        mean = float(np.mean([np.nan if one is None else one for one in found]))
        values.append((str(candidate), baselines.finite(mean)))
    sign = ACCURACY_METRICS[metric].direction.sign
    ranked = [-np.inf if value is None else sign * value for _, value in values]
    return Chosen(tried[int(np.argmax(ranked))], metric, values)


def _splits(outcomes: FloatArray, task: Task, options: ProjectOptions) -> Iterator[tuple[Any, Any]]:
    stratified = options.cv_method is Partition.STRATIFIED or bool(task.classes)
    if options.validation_type is Validation.SET_ASIDE:
        share = (options.validation_pct or SET_ASIDE) / 100
        where = np.arange(len(outcomes))
        yield tuple(
            train_test_split(where, test_size=share, random_state=SEED, stratify=outcomes if stratified else None)
        )
        return
    folds = (StratifiedKFold if stratified else KFold)(options.reps or FOLDS, shuffle=True, random_state=SEED)
    yield from folds.split(outcomes, outcomes)


def fit(table: Table, outcomes: FloatArray, task: Task, candidate: Candidate) -> Pipeline:
    """A fitted pipeline; one thread, since small data gains nothing from more."""
    with threadpool_limits(1):
        fitted: Pipeline = _pipeline(task, candidate).fit(
            table, outcomes.astype(np.int64) if task.classes else outcomes
        )
    if candidate.blueprint == BOOSTING:
        _round_thresholds(fitted[-1])
    return fitted


def _round_thresholds(trees: Any) -> None:
    """Thresholds in single precision, rounded down: no single-precision number falls on another side of them.

    So the exported model, which holds them in single precision, splits every row as the original does.
    """
    for predictor in (one for iteration in trees._predictors for one in iteration):
        exact = predictor.nodes["num_threshold"]
        rounded = exact.astype(np.float32)
        down = np.where(rounded > exact, np.nextafter(rounded, np.float32(-np.inf)), rounded)
        predictor.nodes["num_threshold"] = down


def predict(model: Pipeline, table: Table, task: Task) -> FloatArray:
    """One column a class, or one column of numbers."""
    with threadpool_limits(1):
        found = model.predict_proba(table) if task.classes else model.predict(table)
    return np.asarray(found, np.float64).reshape(len(table), -1)


def _pipeline(task: Task, candidate: Candidate) -> Pipeline:
    numbers, words = task.places(FeatureType.NUMERIC), task.places(FeatureType.CATEGORICAL)
    texts: list[tuple[str, Any, Any]] = [
        (
            f"text {place}",
            TfidfVectorizer(max_features=MOST_WORDS, lowercase=False, token_pattern=WORD),
            place,
        )
        for place in task.places(FeatureType.TEXT)
    ]
    if candidate.blueprint == BOOSTING:
        encoder = OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1, max_categories=MOST_CATEGORIES, dtype=np.float32
        )
        plain = [("numbers", "passthrough", numbers), ("words", encoder, words)]
    else:
        scaled = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
        plain = [("numbers", scaled, numbers), ("words", OneHotEncoder(handle_unknown="ignore"), words)]
    parts = [part for part in (*plain, *texts) if part[2] != []]
    return make_pipeline(ColumnTransformer(parts, sparse_threshold=0), _last(task, candidate))


def _last(task: Task, candidate: Candidate) -> Any:
    parameters = dict(candidate.parameters)
    if candidate.blueprint == BOOSTING:
        trees = HistGradientBoostingClassifier if task.classes else HistGradientBoostingRegressor
        return trees(random_state=SEED, early_stopping=False, **parameters)
    strength = float(parameters["strength"])
    if task.classes:
        return LogisticRegression(C=1 / strength, max_iter=500)
    return Ridge(alpha=strength)


# --- What is registered -----------------------------------------------------------------------------------------


def measured(predicted: FloatArray, rows: pl.DataFrame, task: Task) -> dict[str, float | None]:
    """Every metric of the target's kind."""
    return _measured(predicted, task.outcomes(rows), task)


def _measured(predicted: FloatArray, outcomes: FloatArray, task: Task) -> dict[str, float | None]:
    if not task.classes:
        held = Holdout(task.kind, outcomes, predicted[:, 0])
        return baselines.accuracy_on(held, float(outcomes.mean()))
    held = Holdout(task.kind, outcomes, outcomes, predicted, task.classes, task.threshold)
    return baselines.accuracy_on(held, 0.0)


def impact(model: Pipeline, rows: pl.DataFrame, task: Task, tell: Tell) -> dict[str, float]:
    """How much worse the judged metric gets when one column is shuffled; the worst is 1, no harm is 0."""
    sample = rows.gather_every(max(1, rows.height // IMPACT_ROWS))
    table, outcomes, metric = task.table(sample), task.outcomes(sample), JUDGED_METRIC[task.kind]
    order = np.random.default_rng(SEED).permutation(len(table))
    intact = _measured(predict(model, table, task), outcomes, task)[metric] or 0.0
    harm: dict[str, float] = {}
    for place, name in enumerate(task.features):
        tell(place / len(task.features), f"Impact of {name}")
        shuffled = table.copy()
        shuffled[:, place] = table[order, place]
        found = _measured(predict(model, shuffled, task), outcomes, task)[metric]
        harm[name] = max(0.0, (found or 0.0) - intact)
    worst = max(harm.values(), default=0.0)
    return {name: value / worst if worst else 0.0 for name, value in harm.items()}


def difference(original: FloatArray, converted: FloatArray, task: Task) -> float:
    """The share of rows on which two models do not agree to a thousandth (numbers: of their spread)."""
    allowed = 1e-3 if task.classes else 1e-3 * max(float(original.std()), float(abs(original).mean()), 1e-9)
    return float((abs(original - converted).max(axis=1) > allowed).mean())
