"""Runtime parameters: defined by a package, set otherwise by a deployment, asked for by whatever runs the model.

A definition says the kind of value, its limits and its default. Credentials are kept encrypted and shown as MASK.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from msgspec import Meta

from deployments.audit import record
from deployments.models import Deployment, ModelPackage, RuntimeValue

MASK = "********"
CREDENTIAL = "credential"
LONGEST = 4096
Kind = Literal["boolean", "credential", "numeric", "string"]
Value = bool | float | str | None
_TYPES: Mapping[str, tuple[type, ...]] = {
    "boolean": (bool,),
    "numeric": (int, float),
    "string": (str,),
    CREDENTIAL: (str,),
}


class Definition(msgspec.Struct, rename="camel"):
    """One parameter as its package defines it."""

    field_name: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    type: Kind
    default_value: bool | float | str | None = None
    description: Annotated[str, Meta(max_length=2000)] = ""
    allow_empty: bool = True
    min_value: float | None = None
    max_value: float | None = None
    credential_type: Annotated[str, Meta(max_length=100)] | None = None


class Setting(msgspec.Struct, rename="camel"):
    """A value that a deployment sets; None takes back what it set before."""

    field_name: str
    type: str | None = None
    value: bool | float | str | None = None


class BadValues(ValueError):
    """Values that do not fit their definitions; `errors` by place."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(next(iter(errors.values()), ""))
        self.errors = errors


def check_definitions(definitions: Sequence[Definition], place: str) -> dict[str, str]:
    """What is wrong with a package's definitions, by place."""
    errors: dict[str, str] = {}
    seen: set[str] = set()
    for number, one in enumerate(definitions):
        where = f"{place}[{number}]"
        if one.field_name in seen:
            errors[f"{where}.fieldName"] = f"{one.field_name} is there twice."
        seen.add(one.field_name)
        if one.min_value is not None and one.max_value is not None and one.min_value > one.max_value:
            errors[f"{where}.minValue"] = "Must not be above maxValue."
        if one.type != "numeric" and (one.min_value is not None or one.max_value is not None):
            errors[f"{where}.minValue"] = "Only numbers have limits."
        if one.type == CREDENTIAL and one.default_value is not None:
            errors[f"{where}.defaultValue"] = "A credential is not part of a package."
        elif one.default_value is not None and (wrong := problem(one, one.default_value)):
            errors[f"{where}.defaultValue"] = wrong
    return errors


def problem(definition: Definition, value: Value) -> str:
    """What is wrong with a value; empty when nothing is."""
    fits = isinstance(value, _TYPES[definition.type])
    if not fits or (definition.type == "numeric" and isinstance(value, bool)):
        return f"Expected a {definition.type} value."
    if isinstance(value, str):
        if not value and not definition.allow_empty:
            return "Must not be empty."
        if "\x00" in value:
            return "Must not hold null characters."
        return f"At most {LONGEST} characters." if len(value) > LONGEST else ""
    if isinstance(value, bool) or value is None:
        return ""
    if not math.isfinite(value):
        return "Must be a finite number."
    low, high = definition.min_value, definition.max_value
    if (low is not None and value < low) or (high is not None and value > high):
        return f"Must lie within {'-∞' if low is None else f'{low:g}'} and {'∞' if high is None else f'{high:g}'}."
    return ""


def definitions_of(package: ModelPackage | None) -> list[Definition]:
    """The parameters of a package, in its order."""
    stored: Any = [] if package is None else package.runtime_parameters
    return msgspec.convert(stored, list[Definition])


@transaction.atomic
def replace(deployment: Deployment, wanted: Sequence[Setting], user: User | None, place: str) -> None:
    """Set these values and take back all others. Raises BadValues, and then nothing is changed."""
    package = None if deployment.champion is None else deployment.champion.package
    known = check(package, wanted, place)
    Deployment.objects.select_for_update().get(pk=deployment.pk)
    before = _told(deployment)
    RuntimeValue.objects.filter(deployment=deployment).delete()
    for one in wanted:
        if one.value is not None:
            _set(deployment, known[one.field_name], one.value)
    record(deployment, user, "runtimeParameters.updated", before, _told(deployment))


def check(package: ModelPackage | None, wanted: Sequence[Setting], place: str) -> dict[str, Definition]:
    """The package's parameters by name. Raises BadValues if these values do not fit them."""
    known = {one.field_name: one for one in definitions_of(package)}
    errors: dict[str, str] = {}
    for number, one in enumerate(wanted):
        where, definition = f"{place}[{number}]", known.get(one.field_name)
        if definition is None:
            errors[f"{where}.fieldName"] = f"The model has no runtime parameter {one.field_name!r}."
        elif one.field_name in {other.field_name for other in wanted[:number]}:
            errors[f"{where}.fieldName"] = f"{one.field_name} is there twice."
        elif one.type is not None and one.type != definition.type:
            errors[f"{where}.type"] = f"{one.field_name} is of the type {definition.type}."
        elif one.value is not None and (wrong := problem(definition, one.value)):
            errors[f"{where}.value"] = wrong
    if errors:
        raise BadValues(errors)
    return known


def shown(deployment: Deployment) -> list[dict[str, Any]]:
    """Every parameter with what holds, credentials masked."""
    package = None if deployment.champion is None else deployment.champion.package
    own = {row.name: row for row in deployment.runtime_values.all()}
    found = []
    for one in definitions_of(package):
        row = own.get(one.field_name)
        fits = row is not None and row.kind == one.type
        override = (MASK if one.type == CREDENTIAL else row.value) if row is not None and fits else None
        found.append(
            {
                **msgspec.to_builtins(one),
                "keyValueId": _key(package, one.field_name),
                "overrideValue": override,
                "currentValue": one.default_value if override is None else override,
            }
        )
    return found


def current(deployment: Deployment) -> dict[str, Value]:
    """What holds, credentials in the clear: for whoever runs the model."""
    package = None if deployment.champion is None else deployment.champion.package
    own = {row.name: row for row in deployment.runtime_values.all()}
    values: dict[str, Value] = {}
    for one in definitions_of(package):
        row = own.get(one.field_name)
        values[one.field_name] = one.default_value
        if row is not None and row.kind == one.type:
            values[one.field_name] = _revealed(row) if one.type == CREDENTIAL else row.value
    return values


def for_scoring(deployment: Deployment, package: ModelPackage) -> dict[str, bool | float | str]:
    """What a package's scoring address is told when it scores for a deployment.

    The package's defaults, and the deployment's value where its champion's parameter has the same name and type.
    Secrets are left out: they were given for the champion, and another package's address belongs to somebody else.
    """
    own = {row.name: row for row in deployment.runtime_values.all()}
    told: dict[str, bool | float | str] = {}
    for one in definitions_of(package):
        if one.type == CREDENTIAL:
            continue
        row = own.get(one.field_name)
        fits = row is not None and row.kind == one.type and not problem(one, row.value)
        value = row.value if row is not None and fits else one.default_value
        if value is not None:
            told[one.field_name] = value
    return told


def _set(deployment: Deployment, definition: Definition, value: Value) -> None:
    row = RuntimeValue(deployment=deployment, name=definition.field_name, kind=definition.type)
    if definition.type == CREDENTIAL:
        row.secret_encrypted = _box().encrypt(str(value).encode())
    else:
        row.value = value
    row.save()


def _told(deployment: Deployment) -> dict[str, Any]:
    """The values as an audit may keep them. A changed credential is told by a fingerprint of its ciphertext."""
    return {
        row.name: f"{MASK} ({hashlib.sha256(bytes(row.secret_encrypted)).hexdigest()[:8]})"
        if row.secret_encrypted
        else row.value
        for row in RuntimeValue.objects.filter(deployment=deployment)
    }


def _revealed(row: RuntimeValue) -> str | None:
    try:
        return _box().decrypt(bytes(row.secret_encrypted or b"")).decode()
    except InvalidToken:
        return None


def _box() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FERNET_KEYS])


def _key(package: ModelPackage | None, name: str) -> str:
    """An id for one parameter of one package, always the same."""
    return hashlib.sha256(f"{package and package.public_id}/{name}".encode()).hexdigest()[:24]
