"""Whether the source shows what was asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]


def includes(present: Any, wanted: Any) -> bool:
    """Whether every field of `wanted` stands so in `present`, however deep; lists must be equal."""
    if isinstance(wanted, Mapping):
        return isinstance(present, Mapping) and all(
            name in present and includes(present[name], value) for name, value in wanted.items()
        )
    return bool(present == wanted)


def given(body: Any) -> Any:
    """The body without what it leaves to the source (null)."""
    if isinstance(body, Mapping):
        return {name: given(value) for name, value in body.items() if value is not None}
    return body


def as_asked(present: Body, body: Body) -> bool:
    """What was sent is what is shown."""
    return includes(present, body)


def but_for_nulls(present: Body, body: Body) -> bool:
    """As asked, where a null lets the source decide."""
    return includes(present, given(body))


def batch_as_asked(present: Body, body: Body) -> bool:
    """A batch is shown with `name` and changed by `batchName`."""
    return includes(present, {("name" if key == "batchName" else key): value for key, value in body.items()})


def same_name(entry: Body, body: Body) -> bool:
    return bool(entry.get("name") == body.get("name"))


def same_batch(entry: Body, body: Body) -> bool:
    return bool(entry.get("name") == body.get("batchName"))


def same_period(entry: Body, body: Body) -> bool:
    """An export of the same period and model, as far as the body names them."""
    period = entry.get("period")
    span = period if isinstance(period, Mapping) else {}
    told = [(span.get(edge), body.get(edge)) for edge in ("start", "end")]
    told.append((entry.get("modelId"), body.get("modelId")))
    return all(asked is None or _alike(shown, asked) for shown, asked in told)


def anything(entry: Body, body: Body) -> bool:
    """Whatever is new on the list is what was asked for: there is one such thing at a time."""
    return True


def _alike(shown: Any, asked: Any) -> bool:
    """Equal as text but for how UTC is written and how many digits of a second there are."""
    return str(shown).rstrip("Z").split(".")[0] == str(asked).rstrip("Z").split(".")[0]


def model_took_over(present: Body, body: Body) -> bool:
    """The champion's package is the one that was sent."""
    return includes(present, {"modelPackage": {"id": body.get("modelPackageId")}})


def retraining_as_asked(present: Body, body: Body) -> bool:
    """Ids go out flat and come back inside objects."""
    for field, inside in (("datasetId", "dataset"), ("retrainingUserId", "retrainingUser")):
        if field in body:
            shown = present.get(inside)
            if (shown.get("id") if isinstance(shown, Mapping) else None) != body[field]:
                return False
    return True


def shared_as_asked(present: Body, body: Body) -> bool:
    """Each named person, group or organisation has the role, or none where none was to be left."""
    rows = present.get("data")
    held = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return all(_held(held, wanted) for wanted in body.get("roles") or ())


def _held(held: list[Mapping[str, Any]], wanted: Body) -> bool:
    name = wanted.get("username") or wanted.get("name")
    found = next(
        (
            row
            for row in held
            if row.get("shareRecipientType") == wanted.get("shareRecipientType", "user")
            and (row.get("id") == wanted["id"] if "id" in wanted else row.get("name") == name)
        ),
        None,
    )
    if wanted.get("role") == "NO_ROLE":
        return found is None
    if found is None or found.get("role") != wanted.get("role"):
        return False
    return "canShare" not in wanted or bool(found.get("canShare")) is bool(wanted["canShare"])


def same_set(present: Body, body: Body) -> bool:
    """The set of secondary datasets that was chosen is in use."""
    return bool(present.get("secondaryDatasetConfigId") == body.get("secondaryDatasetConfigId"))


def parameters_as_asked(present: Body, body: Body) -> bool:
    """Every parameter has the value that was set, or none of its own. A secret is never shown, so it never matches."""
    wanted = {one["fieldName"]: one.get("value") for one in body.get("runtimeParameterValues", ())}
    rows = [row for row in present.get("data") or () if isinstance(row, Mapping)]
    if any(row.get("type") == "credential" and row.get("fieldName") in wanted for row in rows):
        return False
    return bool(rows) and all(row.get("overrideValue") == wanted.get(str(row.get("fieldName"))) for row in rows)


def id_of(entry: Body) -> Any:
    """The id of a thing on a list, whatever its list calls it."""
    return next((entry[name] for name in ("id", "secondaryDatasetConfigId", "datasetId") if entry.get(name)), None)
