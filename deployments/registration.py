"""Registering a model: a description and two datasets in, a package with frozen baselines out.

Everything is checked before anything is stored; what is wrong is told by its place in the body.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import polars as pl
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from deployments import addresses, baselines, datasets, forecasting, places
from deployments.addresses import AddressRefused
from deployments.baselines import Holdout
from deployments.ingest.errors import Problems, Refused
from deployments.ingest.tables import BadColumn, as_numbers, as_words
from deployments.models import Dataset, Feature, FeatureType, ModelPackage
from deployments.runtime import Definition, check_definitions
from deployments.scoring.open_inference import ScoringAddress
from metrics import TargetType
from metrics.arrays import FloatArray

MOST_CLASSES = 100
TEXT = TargetType.TEXT_GENERATION.value
PROMPT = "promptText"
"""How the column with the prompts is called unless the registration says otherwise."""
TRUE_WORDS = ("1", "true", "True", "yes")


class TargetSpec(msgspec.Struct, rename="camel"):
    """What the model predicts."""

    name: str
    type: Literal["Regression", "Binary", "Multiclass", "TextGeneration"]
    class_names: list[str] = []
    positive_class: str | None = None
    prediction_threshold: float = 0.5
    prompt_column: Annotated[str, msgspec.Meta(min_length=1, max_length=300)] | None = None


class FeatureSpec(msgspec.Struct, rename="camel"):
    """One feature; `featureImpact` is permutation importance with the top feature at 1."""

    name: str
    type: Literal["Numeric", "Categorical", "Text", "Date", "Geospatial"]
    importance: float | None = None
    feature_impact: float | None = None


class PackageSpec(msgspec.Struct, rename="camel"):
    """The body of a registration."""

    name: str
    target: TargetSpec
    features: list[FeatureSpec] = []
    description: str = ""
    training_dataset_id: str | None = None
    holdout_dataset_id: str | None = None
    prediction_columns: dict[str, str] = {}
    segment_attributes: list[str] = []
    runtime_parameters: list[Definition] = []
    time_series: forecasting.TimeSeriesSpec | None = None
    scoring_address: ScoringAddress | None = None


def register(spec: PackageSpec, user: User) -> ModelPackage:
    """Store the package with its baselines. Raises Refused with the places that are wrong."""
    spec = _with_prompt(spec)
    _check(spec)
    training = _dataset(spec.training_dataset_id, user, "trainingDatasetId")
    holdout = _dataset(spec.holdout_dataset_id, user, "holdoutDatasetId")
    training_rows = None if training is None else datasets.read(training)
    holdout_rows = None if holdout is None else datasets.read(holdout)
    _check_columns(spec, training_rows, holdout_rows)
    classes = _classes(spec, holdout_rows, training_rows)
    text = spec.target.type == TEXT
    _check_address(spec.scoring_address, classes)
    held = None if holdout_rows is None or text else _holdout(spec, holdout_rows, classes)
    package = ModelPackage(
        name=spec.name,
        description=spec.description,
        owner=user,
        target_name=spec.target.name,
        target_type=spec.target.type,
        class_names=list(classes),
        positive_class=classes[-1] if spec.target.type == "Binary" else "",
        prediction_threshold=spec.target.prediction_threshold,
        training_dataset=training,
        holdout_dataset=holdout,
        training_rows=0 if training_rows is None else training_rows.height,
        segment_attributes=list(dict.fromkeys(spec.segment_attributes)),
        runtime_parameters=msgspec.to_builtins(spec.runtime_parameters),
        prompt_name=spec.target.prompt_column or "",
        time_series={} if spec.time_series is None else msgspec.to_builtins(spec.time_series),
        scoring_address={} if spec.scoring_address is None else msgspec.to_builtins(spec.scoring_address),
    )
    package.center = _center(spec, training_rows, held)
    if held is not None and holdout_rows is not None:
        _set_holdout_baseline(
            package, held, _segments(spec, holdout_rows.filter(pl.col(spec.target.name).is_not_null()))
        )
    elif text and holdout_rows is not None:
        _set_text_baseline(package, spec, holdout_rows)
    features = _features(spec, training_rows, package)
    with transaction.atomic():
        package.save()
        for feature in features:
            feature.package = package
        Feature.objects.bulk_create(features)
        places.freeze(package, training_rows, holdout_rows, held)
    return package


def _with_prompt(spec: PackageSpec) -> PackageSpec:
    """A model that generates text has its prompt as a text feature; others have none."""
    target = spec.target
    if target.type != TEXT:
        if target.prompt_column is not None:
            raise Refused({"target.promptColumn": "Only a TextGeneration target has a prompt."})
        return spec
    prompt = target.prompt_column or PROMPT
    named = next((feature for feature in spec.features if feature.name == prompt), None)
    if named is not None and named.type != "Text":
        raise Refused({"target.promptColumn": f"{prompt!r} is a feature of another type than Text."})
    first = [] if named is not None else [FeatureSpec(prompt, "Text", feature_impact=1.0)]
    target = msgspec.structs.replace(target, prompt_column=prompt)
    return msgspec.structs.replace(spec, target=target, features=[*first, *spec.features])


def _check(spec: PackageSpec) -> None:
    problems = Problems()
    if not spec.name.strip():
        problems.add("name", "A name is needed.")
    if not spec.features:
        problems.add("features", "At least one feature is needed.")
    if len(spec.features) > settings.MAX_FEATURES:
        problems.add("features", f"At most {settings.MAX_FEATURES} features (MAX_FEATURES).")
    seen: set[str] = set()
    for place, feature in enumerate(spec.features):
        if feature.name in seen:
            problems.add(f"features[{place}].name", f"{feature.name!r} is there twice.")
        seen.add(feature.name)
        for field in ("importance", "feature_impact"):
            value = getattr(feature, field)
            if value is not None and not 0 <= value <= 1:
                problems.add(f"features[{place}].{field}", "Expected a number from 0 to 1.")
    _check_target(spec.target, problems)
    for where, wrong in check_definitions(spec.runtime_parameters, "runtimeParameters").items():
        problems.add(where, wrong)
    problems.check()


def _check_target(target: TargetSpec, problems: Problems) -> None:
    if not 0 <= target.prediction_threshold <= 1:
        problems.add("target.predictionThreshold", "Expected a number from 0 to 1.")
    if len(set(target.class_names)) != len(target.class_names):
        problems.add("target.classNames", "A class is there twice.")
    if target.type in ("Regression", TEXT) and target.class_names:
        problems.add("target.classNames", f"A {target.type} target has no classes.")
    if target.type == "Binary" and target.class_names and len(target.class_names) != 2:
        problems.add("target.classNames", "A binary target has two classes.")
    if len(target.class_names) > MOST_CLASSES:
        problems.add("target.classNames", f"At most {MOST_CLASSES} classes.")
    if target.positive_class is not None and target.class_names and target.positive_class not in target.class_names:
        problems.add("target.positiveClass", "Not one of the classNames.")


def _check_address(address: ScoringAddress | None, classes: tuple[str, ...]) -> None:
    if address is None:
        return
    try:
        addresses.check(address.url)
    except AddressRefused as error:
        raise Refused({"scoringAddress.url": str(error)}) from None
    if address.class_names is not None and sorted(address.class_names) != sorted(classes):
        raise Refused({"scoringAddress.classNames": f"Must name each of {', '.join(classes) or 'no classes'} once."})


def _dataset(public_id: str | None, user: User, place: str) -> Dataset | None:
    if public_id is None:
        return None
    found = datasets.visible(user).filter(public_id=public_id).first()
    if found is None:
        raise Refused({place: "There is no such dataset."})
    return found


def _check_columns(spec: PackageSpec, training: pl.DataFrame | None, holdout: pl.DataFrame | None) -> None:
    problems = Problems()
    if training is not None:
        for place, feature in enumerate(spec.features):
            if feature.name not in training.columns:
                problems.add(f"features[{place}].name", f"The training data has no column {feature.name!r}.")
        for place, attribute in enumerate(spec.segment_attributes):
            if attribute not in training.columns:
                problems.add(f"segmentAttributes[{place}]", f"The training data has no column {attribute!r}.")
    if spec.time_series is not None:
        forecasting.check(spec.time_series, training, problems)
    text = spec.target.type == TEXT
    if holdout is not None and not text and spec.target.name not in holdout.columns:
        problems.add("target.name", f"The holdout has no column {spec.target.name!r}.")
    problems.check()


def _classes(spec: PackageSpec, holdout: pl.DataFrame | None, training: pl.DataFrame | None) -> tuple[str, ...]:
    """The classes in their order; of a binary target the positive one is last."""
    target = spec.target
    if target.type in ("Regression", TEXT):
        return ()
    names = target.class_names or _classes_of_data(target.name, holdout, training)
    if target.type == "Binary" and len(names) != 2:
        raise Refused({"target.classNames": f"A binary target has two classes; the data has {len(names)}."})
    if len(names) < 2:
        raise Refused({"target.classNames": "At least two classes are needed, here or in the data's target column."})
    if target.type == "Binary":
        likely = next((name for name in names if name in TRUE_WORDS), names[-1])
        positive = target.positive_class or (names[-1] if target.class_names else likely)
        if positive not in names:
            raise Refused({"target.positiveClass": f"Not one of the classes {', '.join(names)}."})
        return (*(name for name in names if name != positive), positive)
    return tuple(names)


def _classes_of_data(name: str, *tables: pl.DataFrame | None) -> list[str]:
    for table in tables:
        if table is not None and name in table.columns:
            found = sorted(set(as_words(table[name]).drop_nulls().to_list()))
            if len(found) > MOST_CLASSES:
                raise Refused({"target.name": f"{len(found)} classes in the data; at most {MOST_CLASSES}."})
            return found
    return []


def _holdout(spec: PackageSpec, table: pl.DataFrame, classes: tuple[str, ...]) -> Holdout:
    """The holdout as arrays, rows without an actual left out."""
    table = table.filter(pl.col(spec.target.name).is_not_null())
    columns = spec.prediction_columns
    kind = TargetType(spec.target.type)
    if kind is TargetType.REGRESSION:
        predicted = _numbers(table, columns.get("value", "prediction"), "predictionColumns.value")
        return Holdout(kind, _numbers(table, spec.target.name, "target.name"), predicted)
    probabilities = _probabilities(table, classes, columns, kind)
    number = {name: place for place, name in enumerate(classes)}
    words = as_words(table[spec.target.name]).to_list()
    unknown = sorted({word for word in words if word not in number})
    if unknown:
        raise Refused({"target.classNames": f"The holdout has the class {unknown[0]!r}, which is not among them."})
    actual = np.array([number[word] for word in words], dtype=np.float64)
    return Holdout(kind, actual, actual, probabilities, classes, spec.target.prediction_threshold)


def _probabilities(
    table: pl.DataFrame, classes: tuple[str, ...], columns: dict[str, str], kind: TargetType
) -> FloatArray:
    """One column a class; of a binary target the positive class's is enough."""
    named = {name: columns.get(name, f"prediction_{name}") for name in classes}
    if kind is TargetType.BINARY:
        plain = columns.get("value", "prediction")
        column = named[classes[1]] if named[classes[1]] in table.columns else plain
        positive = _numbers(table, column, "predictionColumns")
        both = np.column_stack([1 - positive, positive])
    else:
        both = np.column_stack([_numbers(table, named[name], f"predictionColumns.{name}") for name in classes])
    if both.size and (both.min() < 0 or both.max() > 1):
        raise Refused({"predictionColumns": "Probabilities lie between 0 and 1."})
    return both


def _numbers(table: pl.DataFrame, column: str, place: str) -> FloatArray:
    if column not in table.columns:
        raise Refused({place: f"The holdout has no column {column!r}."})
    try:
        numbers = as_numbers(table[column]).to_numpy().astype(np.float64)
    except BadColumn as problem:
        raise Refused({place: f"Column {column!r}, row {problem.row + 1}: {problem}"}) from None
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise Refused({place: f"Column {column!r}, row {row + 1}: a number is missing."})
    return numbers


def _segments(spec: PackageSpec, table: pl.DataFrame) -> dict[str, pl.Series]:
    """The columns of the segment attributes that a table has: those that are named, and those of time series."""
    named = {name: table[name] for name in spec.segment_attributes if name in table.columns}
    return forecasting.attributes(spec.time_series, table) | named


def _center(spec: PackageSpec, training: pl.DataFrame | None, held: Holdout | None) -> float:
    """A number near the usual actuals: the mean of the holdout's, else of the training data's; 0 without any."""
    if TargetType(spec.target.type) is not TargetType.REGRESSION:
        return 0.0
    actual = np.empty(0) if held is None else held.actual
    if not actual.size and training is not None and spec.target.name in training.columns:
        with suppress(BadColumn):
            actual = as_numbers(training[spec.target.name]).to_numpy()
    actual = actual[np.isfinite(actual)]
    return float(actual.mean()) if actual.size else 0.0


def _set_holdout_baseline(package: ModelPackage, held: Holdout, columns: dict[str, pl.Series]) -> None:
    package.holdout_rows = held.rows
    known = baselines.frozen(held, package.center)
    package.accuracy_baseline, package.accuracy_by_class = known["accuracy"], known["byClass"]
    package.prediction_baseline = known["predictions"]
    bins = baselines.target_bins(held)
    everything = np.zeros(held.rows, dtype=np.int64)
    segments: dict[str, Any] = {}
    for attribute, column in columns.items():
        values, group = baselines.segment_groups(column)
        counted = baselines.target_counts(bins, held, group, len(values))
        segments[attribute] = {value: row.tolist() for value, row in zip(values, counted, strict=True)}
        package.holdout_segments[attribute] = baselines.by_segment(held, package.center, column)
    package.target_baseline = {
        "bins": bins.to_dict(),
        "counts": baselines.target_counts(bins, held, everything, 1)[0].tolist(),
        "segments": segments,
    }


def _set_text_baseline(package: ModelPackage, spec: PackageSpec, table: pl.DataFrame) -> None:
    """The words of the holdout's responses; their column is `prediction` unless the registration says otherwise."""
    column = spec.prediction_columns.get("value", "prediction")
    if column not in table.columns:
        raise Refused({"predictionColumns.value": f"The holdout has no column {column!r}."})
    kept = table.filter(pl.col(column).is_not_null())
    try:
        responses = as_words(kept[column])
    except BadColumn as problem:
        raise Refused({"predictionColumns.value": str(problem)}) from None
    bins = baselines.fit_feature(FeatureType.TEXT, responses)
    assert bins is not None
    segments: dict[str, Any] = {}
    for attribute in package.segment_attributes:
        if attribute in kept.columns:
            values, group = baselines.segment_groups(kept[attribute])
            counted = baselines.counts_by(bins, responses, group, len(values))
            segments[attribute] = {value: row.tolist() for value, row in zip(values, counted, strict=True)}
    everything = np.zeros(kept.height, dtype=np.int64)
    package.holdout_rows = kept.height
    package.prediction_baseline = {"rows": kept.height}
    package.target_baseline = {
        "bins": bins.to_dict(),
        "counts": baselines.counts_by(bins, responses, everything, 1)[0].tolist(),
        "segments": segments,
    }


def _features(spec: PackageSpec, training: pl.DataFrame | None, package: ModelPackage) -> list[Feature]:
    groups = {}
    if training is not None:
        groups = {name: baselines.segment_groups(column) for name, column in _segments(spec, training).items()}
        package.segment_rows = {
            name: {value: int((group == place).sum()) for place, value in enumerate(values)}
            for name, (values, group) in groups.items()
        }
    problems, rows = Problems(), []
    for place, wanted in enumerate(spec.features):
        feature = Feature(
            position=place,
            name=wanted.name,
            kind=wanted.type,
            importance=wanted.importance,
            feature_impact=wanted.feature_impact,
        )
        if training is not None:
            try:
                _set_baseline(feature, training[wanted.name], groups)
            except BadColumn as problem:
                problems.add(f"features[{place}]", f"Column {wanted.name!r}, row {problem.row + 1}: {problem}")
        rows.append(feature)
    problems.check()
    return rows


def _set_baseline(feature: Feature, column: pl.Series, groups: dict[str, Any]) -> None:
    bins = baselines.fit_feature(FeatureType(feature.kind), column)
    if bins is None:
        return
    everything = np.zeros(len(column), dtype=np.int64)
    counts: dict[str, Any] = {"": baselines.counts_by(bins, column, everything, 1)[0].tolist()}
    segments: dict[str, Any] = {}
    for attribute, (values, group) in groups.items():
        counted = baselines.counts_by(bins, column, group, len(values))
        segments[attribute] = {value: row.tolist() for value, row in zip(values, counted, strict=True)}
    feature.tracked = True
    feature.bins = bins.to_dict()
    feature.baseline = {"counts": counts[""], "segments": segments}
    if feature.kind == FeatureType.NUMERIC:
        feature.baseline["bounds"] = baselines.quantiles(as_numbers(column).to_numpy(), baselines.USUAL)
