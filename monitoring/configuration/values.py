"""Reads, writes and checks single values. Pure: text of a form or a document in, a value or a sentence out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.clock import parse_duration
from monitoring.configuration.fields import OPERATORS, Field, Path, Shape


class Wrong(ValueError):
    """A value that cannot be; the message says why, in a sentence."""


@dataclass(frozen=True)
class Known:
    """What a deployment has to choose from; an empty collection means that it is not known, and all is let through."""

    features: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    metrics: tuple[tuple[str, str], ...] = ()
    accuracy_metrics: tuple[str, ...] = ()

    def names(self, field: Field) -> tuple[str, ...]:
        return {"features": self.features, "categorical": self.categorical}.get(field.known, ())


def value_at(payload: Mapping[str, Any], path: Path) -> Any:
    """The value at a path of an answer; None where there is none."""
    found: Any = payload
    for part in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(part)
    return found


def checked(field: Field, value: Any, known: Known | None = None) -> Any:
    """The value as it is sent. Raises Wrong, in words, if it cannot be."""
    if value is None or value == "":
        return _absent(field)
    return _CHECKS[field.shape](field, value, known or Known())


def _absent(field: Field) -> Any:
    if field.required:
        raise Wrong("A value is needed here.")
    if field.shape in (Shape.NAMES, Shape.PERCENTILES, Shape.CONDITIONS):
        return []
    if field.shape is Shape.SWITCH:
        return False
    return "" if field.shape is Shape.LONG_TEXT else None


def _number(field: Field, value: Any, known: Known) -> float | int:
    if isinstance(value, bool):
        raise Wrong("A number is needed here.")
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise Wrong("A number is needed here.") from None
    if not math.isfinite(found):
        raise Wrong("A finite number is needed here.")
    _within(field, found)
    return int(found) if found.is_integer() and abs(found) < 1e15 else found


def _within(field: Field, value: float) -> None:
    low = -math.inf if field.low is None else field.low
    high = math.inf if field.high is None else field.high
    if not low <= value <= high:
        raise Wrong(f"Must lie between {low:g} and {high:g}.")


def _count(field: Field, value: Any, known: Known) -> int:
    found = _number(field, value, known)
    if not isinstance(found, int):
        raise Wrong("A whole number is needed here.")
    return found


def _choice(field: Field, value: Any, known: Known) -> str:
    allowed = [name for name, _ in field.choices]
    if field.path == ("accuracy", "metric") and known.accuracy_metrics:
        allowed = list(known.accuracy_metrics)
    text = str(value)
    if text not in allowed:
        raise Wrong(f"Must be one of: {', '.join(allowed)}.")
    return text


def _switch(field: Field, value: Any, known: Known) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("on", "off"):
        return bool(value == "on")
    raise Wrong("Must be on or off.")


def _names(field: Field, value: Any, known: Known) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise Wrong("A list of names is needed here.")
    found = list(dict.fromkeys(one.strip() if isinstance(one, str) else one for one in value))
    if not all(isinstance(one, str) and one and len(one) <= 500 for one in found):
        raise Wrong("Names are text of 1 to 500 characters.")
    if field.most and len(found) > field.most:
        raise Wrong(f"At most {field.most} names.")
    return found


def _percentiles(field: Field, value: Any, known: Known) -> list[int]:
    parts = [part for part in value.replace(";", ",").split(",") if part.strip()] if isinstance(value, str) else value
    if not isinstance(parts, Sequence):
        raise Wrong("A list of whole numbers is needed here.")
    try:
        found = [int(part) for part in parts if not isinstance(part, bool)]
    except (TypeError, ValueError):
        raise Wrong("Whole numbers from 1 to 100, parted by commas.") from None
    if len(found) != len(parts) or any(not 1 <= one <= 100 for one in found):
        raise Wrong("Whole numbers from 1 to 100, parted by commas.")
    if len(found) > field.most:
        raise Wrong(f"At most {field.most} percentiles.")
    return found


def _conditions(field: Field, value: Any, known: Known) -> list[dict[str, Any]]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise Wrong("A list of conditions is needed here.")
    if len(value) > field.most:
        raise Wrong(f"At most {field.most} conditions.")
    return [_condition(number, one, known) for number, one in enumerate(value, 1)]


def _condition(number: int, one: Any, known: Known) -> dict[str, Any]:
    if not isinstance(one, Mapping):
        raise Wrong(f"Condition {number}: metricId, compareOperator and threshold are needed.")
    metric, operator = one.get("metricId"), one.get("compareOperator")
    if not isinstance(metric, str) or not metric:
        raise Wrong(f"Condition {number}: choose a metric.")
    if known.metrics and metric not in dict(known.metrics):
        raise Wrong(f"Condition {number}: there is no such custom metric here.")
    if operator not in dict(OPERATORS):
        raise Wrong(f"Condition {number}: the comparison is one of {', '.join(dict(OPERATORS))}.")
    try:
        threshold = _number(Field((), "", Shape.NUMBER), one.get("threshold"), known)
    except Wrong:
        raise Wrong(f"Condition {number}: the threshold is a finite number.") from None
    return {"metricId": metric, "compareOperator": operator, "threshold": threshold}


def _range(field: Field, value: Any, known: Known) -> dict[str, float] | None:
    if not isinstance(value, Mapping):
        raise Wrong("A lower and an upper boundary are needed here.")
    ends = [value.get("lower"), value.get("upper")]
    if all(end in (None, "") for end in ends):
        return None
    try:
        lower, upper = (_number(Field((), "", Shape.NUMBER), end, known) for end in ends)
    except Wrong:
        raise Wrong("Both boundaries are numbers, or both are empty.") from None
    if lower >= upper:
        raise Wrong("The lower boundary must lie below the upper one.")
    return {"lower": lower, "upper": upper}


def _duration(field: Field, value: Any, known: Known) -> str:
    try:
        parse_duration(str(value))
    except ValueError:
        raise Wrong("A duration such as PT1H, P1D or P7D is needed here.") from None
    return str(value)


def _text(field: Field, value: Any, known: Known) -> str:
    if not isinstance(value, str):
        raise Wrong("Text is needed here.")
    if len(value) > field.most:
        raise Wrong(f"At most {field.most} characters.")
    if field.required and not value.strip():
        raise Wrong("A value is needed here.")
    return value.replace("\r\n", "\n")


def _scalar(field: Field, value: Any, known: Known) -> Any:
    if not isinstance(value, str | int | float | bool):
        raise Wrong("A single value is needed here.")
    if isinstance(value, float) and not math.isfinite(value):
        raise Wrong("A finite number is needed here.")
    return value


_CHECKS = {
    Shape.NUMBER: _number,
    Shape.COUNT: _count,
    Shape.CHOICE: _choice,
    Shape.SWITCH: _switch,
    Shape.NAMES: _names,
    Shape.PERCENTILES: _percentiles,
    Shape.CONDITIONS: _conditions,
    Shape.RANGE: _range,
    Shape.DURATION: _duration,
    Shape.TEXT: _text,
    Shape.LONG_TEXT: _text,
    Shape.SCALAR: _scalar,
}


def unknown_names(field: Field, value: Any, known: Known, present: Collection[str] = ()) -> list[str]:
    """Names that this deployment does not have, save those that stand there already."""
    names = known.names(field)
    if field.shape is not Shape.NAMES or not names or not isinstance(value, list):
        return []
    return [name for name in value if name not in names and name not in present]


def same(first: Any, second: Any) -> bool:
    """Whether two values mean the same: nothing is nothing, however it is written, and `1` is "1" for counts."""
    if _nothing(first) and _nothing(second):
        return True
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if {type(first), type(second)} == {int, str}:
        return str(first) == str(second)
    return bool(first == second)


def _nothing(value: Any) -> bool:
    return value is None or value is False or value == "" or value == []


def words(field: Field, value: Any, known: Known | None = None) -> str:
    """The value as people read it."""
    if field.shape is Shape.SWITCH:
        return "on" if value else "off"
    if value in (None, "", []):
        return "none" if field.shape in (Shape.NAMES, Shape.CONDITIONS, Shape.TEXT, Shape.LONG_TEXT) else "off"
    if field.shape is Shape.CHOICE:
        return dict(field.choices).get(str(value), str(value))
    if field.shape is Shape.RANGE and isinstance(value, Mapping):
        return f"{plain(value.get('lower'))} to {plain(value.get('upper'))}"
    if field.shape is Shape.CONDITIONS and isinstance(value, Sequence):
        names = dict(known.metrics) if known is not None else {}
        return "; ".join(_condition_words(one, names) for one in value)
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return plain(value)


def _condition_words(one: Any, names: Mapping[str, str]) -> str:
    if not isinstance(one, Mapping):
        return str(one)
    metric, operator = str(one.get("metricId")), str(one.get("compareOperator"))
    return f"{names.get(metric, metric)} {dict(OPERATORS).get(operator, operator)} {plain(one.get('threshold'))}"


def plain(value: Any) -> str:
    """A number without needless digits, as a form shows it; other values as text, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
