"""What an act is about: the deployment, the thing on one of its lists, and what is known to choose from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboard.reader import Reader
from dashboard.shelf import Shelf
from monitoring import questions as q
from monitoring.commands import id_of
from monitoring.models import Role, Watched
from monitoring.questions import Question


@dataclass(frozen=True)
class Case:
    """`thing`: the entry of the list that the act is about, {} for acts on the deployment; `of`: what it belongs to.

    `settings`: those that the form starts from. A form that comes back has both as they were when it was shown.
    `coming`: whether something that the form needs is on its way from the source.
    """

    reader: Reader
    watched: Watched
    shelf: Shelf
    now: datetime
    thing: dict[str, Any] = field(default_factory=dict)
    of: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    coming: bool = False

    @property
    def role(self) -> Role | None:
        return self.reader.role_in(self.watched.source.team_id)

    @property
    def name(self) -> str:
        """What the thing is called; the deployment's label where there is none."""
        return name_of(self.thing) or name_of(self.of) or self.watched.label

    @property
    def target(self) -> str:
        """Its ids, as commands name them."""
        ids = [str(one["id"]) for one in (self.of, self.thing) if one.get("id")]
        return "/".join(ids)

    @property
    def capabilities(self) -> list[dict[str, Any]]:
        return self.shelf.entries(q.capabilities())

    def models(self) -> list[tuple[str, str]]:
        """(model id, name) of the champion, then of former ones and challengers, as far as they are known."""
        found = {self.watched.model_id: f"{self.watched.model_name or 'present model'} (champion)"}
        for seen in self.watched.models_seen.order_by("-since"):
            found.setdefault(seen.model_id, seen.name or f"model {seen.model_id[-6:]}")
        for row in self.shelf.entries(q.challengers()):
            model = row.get("model")
            if isinstance(model, dict) and isinstance(model.get("id"), str):
                found.setdefault(model["id"], f"{name_of(row)} (challenger)")
        return [(key, name) for key, name in found.items() if key]

    def packages(self) -> list[tuple[str, str]]:
        """(package id, name) of registered models with the same target that are not the champion."""
        champion = self.shelf.payload(q.champion_package()).get("id")
        found = {}
        for row in self.shelf.entries(q.model_packages()):
            target = row.get("target")
            kind = target.get("type") if isinstance(target, dict) else None
            fits = kind in (None, self.watched.target_type)
            if isinstance(row.get("id"), str) and row["id"] != champion and fits:
                found[row["id"]] = name_of(row) or row["id"]
        return list(found.items())


def entries(shelf: Shelf, question: Question) -> list[dict[str, Any]]:
    """The things of a list that have an id, under `id` whatever the list calls it."""
    found = [{**one, "id": id_of(one)} for one in shelf.entries(question)]
    return [one for one in found if isinstance(one["id"], str)]


def name_of(thing: dict[str, Any]) -> str:
    """The name of a thing as its list tells it."""
    value = thing.get("name")
    return value if isinstance(value, str) else ""
