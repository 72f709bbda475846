"""Every field of every answer: what the reference shows is there and of its kind, and what it does not show is told.

`reference_answers.json` holds the fields of each answer of the reference (version 2.36) by operation, with the kind of
each value; `*` stands for any name. Any value may be null. Fields of ours are in the table of `docs/api.md`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils.dateparse import parse_datetime
from pytest_django import DjangoDbBlocker

from tests.deployments.operations import ONE, OPERATIONS, Operation
from tests.deployments.test_operations import World, build, good_values

HERE = Path(__file__)
ANSWERS: Mapping[str, Any] = json.loads(HERE.with_name("reference_answers.json").read_text())
API_PAGE = HERE.parents[2] / "docs" / "api.md"
SHOWN = [operation for operation in OPERATIONS if operation.name in ANSWERS]
KINDS: Mapping[str, tuple[type, ...]] = {"text": (str,), "time": (str,), "number": (int, float), "flag": (bool,)}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
NARROWING = {"segmentAttribute", "segmentValue", "offset", "limit", "onlyStatisticallySignificant"}


def ours() -> dict[str, set[str]]:
    """The names of fields that are not in the reference, by address, as the API's page lists them."""
    section = API_PAGE.read_text().partition("## Fields of ours")[2].partition("\n## ")[0]
    found: dict[str, set[str]] = {}
    for addresses, fields in re.findall(r"^\| (`.*?`) \| (`.*?`) \|", section, re.M):
        for name in re.findall(r"`(.*?)`", addresses):
            found.setdefault(name, set()).update(re.findall(r"`(.*?)`", fields))
    return found


def address(operation: Operation) -> str:
    """Where an operation is, below the address of a deployment if it is of one."""
    return operation.path.removeprefix(ONE) or operation.path


def is_a(kind: str, value: Any) -> bool:
    if kind == "any":
        return True
    if kind == "time" and not (isinstance(value, str) and TIME.fullmatch(value) and parse_datetime(value)):
        return False
    return isinstance(value, KINDS[kind]) and (kind == "flag" or not isinstance(value, bool))


def differences(shown: Any, answer: Any, place: str = "") -> Iterator[str]:
    """`- place` for a field that is missing, `+ place` for one too many, `! place` for one of another kind."""
    if answer is None:
        return
    if isinstance(shown, str):
        if not is_a(shown, answer):
            yield f"! {place}"
    elif isinstance(shown, list):
        if not isinstance(answer, list):
            yield f"! {place}"
        for one in answer if isinstance(answer, list) and shown else ():
            yield from differences(shown[0], one, f"{place}[]")
    elif not isinstance(answer, dict):
        yield f"! {place}"
    else:
        every = shown.get("*")
        for name in shown.keys() - answer.keys() - {"*"}:
            yield f"- {place}.{name}" if place else f"- {name}"
        for name, value in answer.items():
            inner = f"{place}.{name if name in shown else '*' if every else name}".lstrip(".")
            if every is None and name not in shown:
                yield f"+ {inner}"
            else:
                yield from differences(shown.get(name, every), value, inner)


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield build()
        transaction.set_rollback(True)


@pytest.fixture
def world(built: World, db: None) -> World:
    return built


def question(world: World, operation: Operation) -> dict[str, str]:
    """A query that gets as much of the answer as there is."""
    if operation.of_text:
        return {}
    good = good_values(world) | {"orderBy": "name"}
    if "servicestats" in operation.path.lower():
        good |= {"metric": "slowRequests"}
    if "accuracy" in operation.path:
        good |= {"metric": "AUC"}
    # of the words of an operation's own, only those that it needs
    needed = {"orderBy"} if operation.path.endswith("runtimeParameters/") else set()
    asked = {name for name in operation.query if name in good and name not in NARROWING | {"orderBy"}} | needed
    return {name: good[name] for name in asked - ({"batchId"} if "Over" not in operation.path else set())}


@pytest.mark.parametrize("operation", SHOWN, ids=[operation.name for operation in SHOWN])
def test_an_answer_has_the_fields_of_the_reference_and_no_other_that_is_not_told(
    world: World, operation: Operation
) -> None:
    answer = world.call(operation, query=question(world, operation))
    assert answer.status_code == operation.status, answer.content
    body = answer.json() if answer.content else None
    found = set(differences(ANSWERS[operation.name], body))
    told = ours().get(address(operation), set())
    assert not {one for one in found if not (one.startswith("+ ") and re.split(r"[ .]", one)[-1] in told)}


def test_the_fields_of_ours_are_told_of_addresses_that_there_are() -> None:
    assert ours()
    assert set(ours()) <= {address(operation) for operation in OPERATIONS}


@pytest.mark.parametrize(
    ("shown", "answer", "expected"),
    [
        ({"a": "number"}, {"a": 1.5}, set()),
        ({"a": "number"}, {"a": None}, set()),
        ({"a": "number"}, {"a": "1.5"}, {"! a"}),
        ({"a": "number"}, {"a": True}, {"! a"}),
        ({"a": "time"}, {"a": "2026-03-02T09:00:00+01:00"}, {"! a"}),
        ({"a": "time"}, {"a": "2026-03-02T09:00:00Z"}, set()),
        ({"a": ["text"]}, {"a": ["x", 3]}, {"! a[]"}),
        ({"a": [{"b": "text"}]}, {"a": [{"c": 1}]}, {"- a[].b", "+ a[].c"}),
        ({"a": {"*": {"b": "flag"}}}, {"a": {"x": {"b": 1}}}, {"! a.*.b"}),
    ],
)
def test_differences_are_told_by_their_place(shown: Any, answer: Any, expected: set[str]) -> None:
    assert set(differences(shown, answer)) == expected
