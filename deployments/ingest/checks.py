"""What is found out about predictions as they come in: humility rules that apply, and predictions worth a warning.

Evaluated once, on whole columns, by the rules and boundaries of that moment, and stored with the rows: a rule that is
made or changed later says nothing about rows that are here already. The prediction itself is stored as the model made
it, so that drift and accuracy speak of the model; what takes its place is stored beside it and answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deployments import humility
from deployments.blocks import FEATURE, OVERRIDE, RULE, SEGMENT, WARNING
from deployments.humility import Bounds
from deployments.ingest.prepared import Intake, Prepared
from deployments.ingest.shape import CONSUMER, HOST_IP, REMOTE_IP, shape_of
from deployments.models import BlockKind, DeployedModel, Deployment, HumilityAction, HumilityRule, Trigger
from deployments.registry import baseline_of
from deployments.settings_schema import PredictionWarning, Settings, parse
from metrics import TargetType

TURNED_DOWN = 480
"""The status of a row that a rule turns down; it counts as an error of the user."""
MOST_TOLD = 10_000
"""Rows that an answer tells one by one: as many as a request in JSON can hold."""

Mask = NDArray[np.bool_]
PlaceOf = Callable[[int], dict[str, Any]]
"""Where in its request a row stands, as the answer says it."""


@dataclass(frozen=True)
class Checks:
    """The rules in force for the rows of a request; both None where they are switched off."""

    rules: Sequence[HumilityRule] | None
    warning: PredictionWarning | None

    @classmethod
    def of(cls, deployment: Deployment) -> Checks:
        """As the deployment's settings say; one query if humility is switched on, else none."""
        settings = parse(Settings, deployment.settings)
        rules = list(humility.rules_of(deployment)) if settings.humility.enabled else None
        return cls(rules, settings.prediction_warning if settings.prediction_warning.enabled else None)

    def check(self, rows: pl.DataFrame, model: DeployedModel, place_of: PlaceOf, intake: Intake) -> Checked:
        """The rows with what was found; the intake is told of single rows at the places that `place_of` names."""
        found = Checked(rows, np.zeros(rows.height, np.bool_))
        if self.rules is not None:
            found = _humble(rows, model, self.rules, place_of, intake)
        if self.warning is not None:
            found = Checked(_warned(found.rows, model, self.warning, place_of, intake), found.turned_down)
        return found


@dataclass(frozen=True)
class Checked:
    """Rows with their columns of findings, and which of them a rule turned down."""

    rows: pl.DataFrame
    turned_down: Mask

    def events(self, model: DeployedModel, batch: int | None) -> list[Prepared]:
        """One service event of the request if any of its rows was turned down."""
        if not self.turned_down.any():
            return []
        first = self.rows.row(int(self.turned_down.argmax()), named=True)
        event = {
            "at": [first["at"]],
            "n": [0],
            "response": pl.Series([None], dtype=pl.Float64),
            "execution": pl.Series([None], dtype=pl.Float64),
            "status": pl.Series([TURNED_DOWN], dtype=pl.Int16),
            "cached": [False],
            **{SEGMENT + name: pl.Series([first.get(SEGMENT + name)], dtype=pl.String) for name in _SERVED},
        }
        return [Prepared(BlockKind.SERVICE, model.pk, batch, pl.DataFrame(event), own=True)]


_SERVED = (CONSUMER, REMOTE_IP, HOST_IP)


def _humble(
    rows: pl.DataFrame, model: DeployedModel, rules: Sequence[HumilityRule], place_of: PlaceOf, intake: Intake
) -> Checked:
    masks = [applies(rule, rows, model) for rule in rules]
    turned_down = np.zeros(rows.height, np.bool_)
    winner = np.full(rows.height, -1, np.int64)
    for place, (rule, mask) in enumerate(zip(rules, masks, strict=True)):
        if rule.action == HumilityAction.THROW_ERROR:
            turned_down |= mask
        elif rule.action == HumilityAction.OVERRIDE:
            winner[mask & (winner < 0)] = place
    winner[turned_down] = -1
    columns = [pl.Series(RULE + str(rule.pk), mask) for rule, mask in zip(rules, masks, strict=True) if mask.any()]
    values = np.array([*(rule.override for rule in rules), None], dtype=object)[winner]
    if (winner >= 0).any():
        regression = shape_of(model).target.kind is TargetType.REGRESSION
        columns.append(pl.Series(OVERRIDE, values.tolist(), pl.Float64 if regression else pl.String))
    _tell(rules, masks, turned_down, values, place_of, intake)
    return Checked(rows.with_columns(columns), turned_down)


def _tell(
    rules: Sequence[HumilityRule],
    masks: Sequence[Mask],
    turned_down: Mask,
    values: NDArray[np.object_],
    place_of: PlaceOf,
    intake: Intake,
) -> None:
    told = intake.told.setdefault("humility", {"triggeredCount": 0, "errorCount": 0, "rows": [], "omittedCount": 0})
    any_rule = np.logical_or.reduce(masks) if masks else np.zeros(len(turned_down), np.bool_)
    hit = np.flatnonzero(any_rule)
    told["triggeredCount"] += len(hit)
    told["errorCount"] += int(turned_down.sum())
    shown = hit[: MOST_TOLD - len(told["rows"])]
    told["omittedCount"] += len(hit) - len(shown)
    for row in shown.tolist():
        told["rows"].append(
            {
                **place_of(row),
                "ruleIds": [rule.public_id for rule, mask in zip(rules, masks, strict=True) if mask[row]],
                "statusCode": TURNED_DOWN if turned_down[row] else 200,
                "overriddenValue": values[row],
            }
        )


def applies(rule: HumilityRule, rows: pl.DataFrame, model: DeployedModel) -> Mask:
    """To which rows a rule applies. A missing prediction or number is neither uncertain nor an outlier.

    A missing category is the value "". Nothing applies to a feature that was not sent.
    """
    nowhere = np.zeros(rows.height, np.bool_)
    target = shape_of(model).target
    if rule.trigger == Trigger.LOW_OBSERVATION_REGION:
        if FEATURE + rule.feature not in rows.columns:
            return nowhere
        words = rows[FEATURE + rule.feature].cast(pl.String).fill_null("")
        return np.asarray(~words.is_in([str(value) for value in rule.values]).to_numpy(), np.bool_)
    column = target.columns[0] if rule.trigger == Trigger.UNCERTAIN_PREDICTION else FEATURE + rule.feature
    bounds = humility.bounds_of(rule, model.package)
    if bounds is None or column not in rows.columns or (column == "p0" and target.classes):
        return nowhere
    numbers = _numbers(rows[column])
    inside = (numbers >= bounds[0]) & (numbers <= bounds[1])
    if rule.trigger == Trigger.UNCERTAIN_PREDICTION and target.is_binary:
        return inside
    return ~inside & ~np.isnan(numbers)


def boundaries(warning: PredictionWarning, model: DeployedModel) -> Bounds | None:
    """Outside of what a prediction is worth a warning: as set, else where the holdout's predictions become rare."""
    if warning.custom_boundaries is not None:
        return warning.custom_boundaries.lower, warning.custom_boundaries.upper
    return humility.pair(baseline_of(model.package).predictions.get("bounds", {}).get("rare"))


def _warned(
    rows: pl.DataFrame, model: DeployedModel, warning: PredictionWarning, place_of: PlaceOf, intake: Intake
) -> pl.DataFrame:
    told = intake.told.setdefault("predictionWarnings", {"count": 0, "rows": [], "omittedCount": 0})
    bounds = boundaries(warning, model)
    target = shape_of(model).target
    if bounds is None or target.kind is not TargetType.REGRESSION or "p" not in rows.columns:
        return rows
    numbers = _numbers(rows["p"])
    outside = (numbers < bounds[0]) | (numbers > bounds[1])
    hit = np.flatnonzero(outside)
    shown = hit[: MOST_TOLD - len(told["rows"])]
    told["count"] += len(hit)
    told["omittedCount"] += len(hit) - len(shown)
    told["rows"] += [place_of(row) for row in shown.tolist()]
    return rows.with_columns(pl.Series(WARNING, outside)) if len(hit) else rows


def _numbers(column: pl.Series) -> NDArray[np.float64]:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()
