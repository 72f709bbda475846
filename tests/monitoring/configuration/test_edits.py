"""From wishes to the PATCH: the laws that hold for any settings, and single values that cannot be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitoring.commands import includes
from monitoring.configuration.edits import applied, differences, edits, patch
from monitoring.configuration.fields import BY_SLUG, FIELDS, SECTIONS, Field, Shape
from monitoring.configuration.values import Known, Wrong, checked, same, value_at, words
from monitoring.models import CommandKind

NAMES = st.lists(st.sampled_from(["income", "region", "age", "été", "a, b"]), unique=True, max_size=4)
NUMBERS = st.one_of(st.integers(-1000, 1000), st.floats(-1e6, 1e6, allow_nan=False))
CONDITION = st.fixed_dictionaries(
    {"metricId": st.sampled_from(["m1", "m2"]), "compareOperator": st.sampled_from(["lt", "gte"]), "threshold": NUMBERS}
)


def valid(field: Field) -> st.SearchStrategy[Any]:
    """Values that the field may have, as a source would send them."""
    low, high = field.low if field.low is not None else -1e6, field.high if field.high is not None else 1e6
    drawn: dict[Shape, st.SearchStrategy[Any]] = {
        Shape.NUMBER: st.floats(low, high, allow_nan=False),
        Shape.COUNT: st.integers(1, 100),
        Shape.CHOICE: st.sampled_from([name for name, _ in field.choices] or [""]),
        Shape.SWITCH: st.booleans(),
        Shape.NAMES: NAMES,
        Shape.PERCENTILES: st.lists(st.integers(1, 100), max_size=4),
        Shape.CONDITIONS: st.lists(CONDITION, max_size=3),
        Shape.RANGE: st.tuples(st.integers(-9, 0), st.integers(1, 9)).map(lambda p: {"lower": p[0], "upper": p[1]}),
        Shape.DURATION: st.sampled_from(["PT1H", "P1D", "P7D"]),
        Shape.TEXT: st.sampled_from(["Loan default", "Größe: 3 #", "yes", "12"]),
        Shape.LONG_TEXT: st.sampled_from(["", "One line.", "Two\nlines: with # and 'quotes'."]),
        Shape.SCALAR: st.one_of(st.booleans(), st.integers(-5, 5), st.sampled_from(["yes", "no"])),
    }
    made = drawn[field.shape]
    return made if field.required or field.shape in (Shape.SWITCH, Shape.NAMES) else st.one_of(st.none(), made)


PRESENT = st.booleans()
VALUES = {key: valid(field) for key, field in FIELDS.items()}


@st.composite
def payloads(draw: st.DrawFn, kind: CommandKind) -> dict[str, Any]:
    """Answers of a source with any of the declared fields."""
    found: dict[str, Any] = {}
    for (of, path), field in FIELDS.items():
        if of is kind and (field.required or draw(PRESENT)):
            at = found
            for part in path[:-1]:
                at = at.setdefault(part, {})
            at[path[-1]] = draw(VALUES[of, path])
    return found


KINDS = st.sampled_from([CommandKind.HEALTH_SETTINGS, CommandKind.SETTINGS, CommandKind.DETAILS])
#: The first draw builds some fifty strategies.
patient = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
PAIRS = KINDS.flatmap(lambda kind: st.tuples(st.just(kind), payloads(kind), payloads(kind)))


@patient
@given(PAIRS)
def test_the_changes_between_two_answers_lead_from_one_to_the_other(
    pair: tuple[CommandKind, dict[str, Any], dict[str, Any]],
) -> None:
    kind, before, after = pair
    result = applied(before, differences(kind, before, after))
    assert differences(kind, result, after) == ()


@patient
@given(PAIRS)
def test_a_patch_brings_its_changes_about_whether_groups_are_replaced_or_merged(
    pair: tuple[CommandKind, dict[str, Any], dict[str, Any]],
) -> None:
    kind, before, after = pair
    changes = differences(kind, before, after)
    body, read = patch(kind, before, changes)
    replaced = {**before, **body}
    merged = {
        **before,
        **{name: {**before.get(name, {}), **group} for name, group in body.items() if isinstance(group, dict)},
    }
    merged |= {name: value for name, value in body.items() if not isinstance(value, dict)}
    for result in (replaced, merged):
        assert differences(kind, result, after) == ()
    assert includes(before, read)
    assert (body == {}) is (changes == ())


@patient
@given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind), payloads(kind))))
def test_what_a_source_shows_may_be_sent_back_as_it_is(pair: tuple[CommandKind, dict[str, Any]]) -> None:
    kind, payload = pair
    for (of, path), field in FIELDS.items():
        value = value_at(payload, path)
        if of is kind and value is not None:
            assert same(checked(field, value), value), field.name


def test_every_field_of_the_reference_is_declared_once() -> None:
    """The example answers of the reference, key by key."""
    health = {
        *(f"accuracy.{name}" for name in ("batchCount", "failingThreshold", "measurement", "metric")),
        *("accuracy.warningThreshold", "service.batchCount"),
        *(f"{one}Timeliness.{name}" for one in ("actuals", "predictions") for name in ("enabled", "expectedFrequency")),
        *("customMetrics.failingConditions", "customMetrics.warningConditions"),
        *(f"dataDrift.{name}" for name in ("batchCount", "driftThreshold", "excludedFeatures", "timeInterval")),
        *(f"dataDrift.{importance}Importance{level}Count" for importance in ("high", "low") for level in LEVELS),
        *("dataDrift.importanceThreshold", "dataDrift.starredFeatures"),
        *("fairness.protectedClassFailingCount", "fairness.protectedClassWarningCount"),
    }
    settings = {
        *("associationId.columnNames", "associationId.requiredInPredictionRequests", "automaticActuals.enabled"),
        *(f"biasAndFairness.{name}" for name in ("fairnessMetricsSet", "fairnessThreshold", "preferableTargetValue")),
        *("biasAndFairness.protectedFeatures", "challengerModels.enabled", "featureDrift.enabled"),
        *("humility.enabled", "predictionIntervals.enabled", "predictionIntervals.percentiles"),
        *("predictionWarning.customBoundaries", "predictionWarning.enabled"),
        *(f"predictionsByForecastDate.{name}" for name in ("columnName", "datetimeFormat", "enabled")),
        *("predictionsDataCollection.enabled", "processingLimits.interval"),
        *("segmentAnalysis.attributes", "segmentAnalysis.enabled", "targetDrift.enabled"),
    }
    declared = {kind: {field.name for (of, _), field in FIELDS.items() if of is kind} for kind in CommandKind}
    assert declared[CommandKind.HEALTH_SETTINGS] == health
    assert declared[CommandKind.SETTINGS] == settings
    assert declared[CommandKind.DETAILS] == {"label", "description", "importance"}
    assert sum(len(section.fields) for section in SECTIONS) == len(FIELDS)


LEVELS = ("Warning", "Failing")
CROSSED = "The lower boundary must lie below the upper one."
EQUAL = {"metricId": "m1", "compareOperator": "eq", "threshold": 1}
OTHER = {"metricId": "x", "compareOperator": "lt", "threshold": 1}


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("dataDrift.driftThreshold", "", "A value is needed here."),
        ("dataDrift.driftThreshold", "1.5", "Must lie between 0 and 1."),
        ("dataDrift.driftThreshold", "nan", "A finite number is needed here."),
        ("dataDrift.driftThreshold", "much", "A number is needed here."),
        ("dataDrift.highImportanceFailingCount", "1.5", "A whole number is needed here."),
        ("dataDrift.highImportanceFailingCount", "0", "Must lie between 1 and 1e+06."),
        ("dataDrift.timeInterval", "P8D", "Must be one of: T2H, P1D, P7D, P30D, P90D, P180D, P365D."),
        ("dataDrift.excludedFeatures", "income", "A list of names is needed here."),
        ("predictionsTimeliness.expectedFrequency", "daily", "A duration such as PT1H, P1D or P7D is needed here."),
        ("predictionWarning.customBoundaries", {"lower": 3, "upper": 2}, CROSSED),
        ("predictionWarning.customBoundaries", {"lower": 3}, "Both boundaries are numbers, or both are empty."),
        ("predictionIntervals.percentiles", "10, 101", "Whole numbers from 1 to 100, parted by commas."),
        ("customMetrics.failingConditions", [EQUAL], "Condition 1: the comparison is one of lt, lte, gt, gte."),
        ("customMetrics.failingConditions", [OTHER], "Condition 1: there is no such custom metric here."),
        ("featureDrift.enabled", "maybe", "Must be on or off."),
        ("label", " ", "A value is needed here."),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_a_sentence(path: str, value: Any, said: str) -> None:
    field = next(field for field in FIELDS.values() if field.name == path)
    with pytest.raises(Wrong, match=f"^{re.escape(said)}$"):
        checked(field, value, Known(metrics=(("m1", "Revenue"),)))


def test_a_threshold_of_zero_is_not_the_same_as_none() -> None:
    assert not same(0, None)
    assert same(None, [])
    assert same(1, "1")
    assert not same(True, 1)


def test_values_are_told_in_words() -> None:
    fields = {field.name: field for section in SECTIONS for field in section.fields}
    known = Known(metrics=(("m1", "Revenue"),))
    condition = [{"metricId": "m1", "compareOperator": "lt", "threshold": 2.5}]
    assert words(fields["customMetrics.failingConditions"], condition, known) == "Revenue below 2.5"
    assert words(fields["dataDrift.lowImportanceFailingCount"], None) == "off"
    assert words(fields["dataDrift.timeInterval"], "P7D") == "7 days"
    assert words(fields["dataDrift.excludedFeatures"], []) == "none"


def test_only_the_groups_that_change_are_sent_and_read() -> None:
    present = {
        "dataDrift": {"driftThreshold": 0.15, "importanceThreshold": 0.5, "lowImportanceFailingCount": None, "own": 1},
        "service": {"batchCount": "1"},
    }
    section = BY_SLUG["drift"]
    body, read = patch(section.kind, present, edits(section.fields, present, {("dataDrift", "driftThreshold"): 0.2}))
    assert body == {"dataDrift": {"driftThreshold": 0.2, "importanceThreshold": 0.5, "lowImportanceFailingCount": None}}
    assert read == {
        "dataDrift": {"driftThreshold": 0.15, "importanceThreshold": 0.5, "lowImportanceFailingCount": None}
    }
