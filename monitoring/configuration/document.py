"""Settings of many deployments as one YAML document, and back: read strictly, every problem with its line.

    vitals-settings: 1
    deployments:
      - id: 5f3c…
        source: ops-east
        label: Loan default
        about: {importance: HIGH}
        health: {dataDrift: {driftThreshold: 0.15}}
        monitoring: {featureDrift: {enabled: true}}

What a document does not name stays as it is. Tokens and addresses of sources are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from monitoring.configuration.edits import Payload
from monitoring.configuration.fields import FIELDS, Path
from monitoring.configuration.present import Payloads
from monitoring.configuration.values import Wrong, checked, value_at
from monitoring.models import CommandKind, Watched

MARK, VERSION = "vitals-settings", 1
#: A document that is uploaded may have this many characters.
LONGEST = 1_000_000
PARTS = {"about": CommandKind.DETAILS, "health": CommandKind.HEALTH_SETTINGS, "monitoring": CommandKind.SETTINGS}
_HEADS = ("id", "source", "label")
_DEEPEST = 12


@dataclass(frozen=True)
class Problem:
    """What is wrong in a document; lines count from 1."""

    line: int
    text: str


@dataclass(frozen=True)
class Wanted:
    """What a document says of one deployment: values by kind and path, and the line that each stands on."""

    line: int
    id: str
    source: str = ""
    label: str = ""
    values: Mapping[tuple[CommandKind, Path], Any] = field(default_factory=dict)
    lines: Mapping[tuple[CommandKind, Path], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    wanted: tuple[Wanted, ...] = ()
    problems: tuple[Problem, ...] = ()


# --- Out ----------------------------------------------------------------------------------------------------------


def written(fleet: Iterable[tuple[Watched, Payloads]]) -> str:
    """The document; fields that a source does not tell are left out."""
    entries = [_entry(watched, payloads) for watched, payloads in fleet]
    data = {MARK: VERSION, "deployments": entries}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def _entry(watched: Watched, payloads: Payloads) -> dict[str, Any]:
    found: dict[str, Any] = {"id": watched.remote_id, "source": watched.source.name, "label": watched.label}
    for word, kind in PARTS.items():
        told = _told(kind, payloads.get(kind, {}))
        if told:
            found[word] = told
    return found


def _told(kind: CommandKind, payload: Payload) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for (of, path), _ in FIELDS.items():
        holder = value_at(payload, path[:-1]) if len(path) > 1 else payload
        if of is kind and isinstance(holder, Mapping) and path[-1] in holder:
            at = found
            for part in path[:-1]:
                at = at.setdefault(part, {})
            at[path[-1]] = holder[path[-1]]
    return found


# --- In -----------------------------------------------------------------------------------------------------------


if TYPE_CHECKING:
    from yaml import SafeLoader as _Base
else:
    _Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """Dates stay text: no setting is one."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rows if tag != "tag:yaml.org,2002:timestamp"]
    for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(text: str, *, longest: int = LONGEST) -> Document:
    """The document, with all of its problems; one with problems wants nothing."""
    if len(text) > longest:
        return Document(problems=(Problem(1, f"The document is longer than {longest:,} characters."),))
    reader = _Reader()
    try:
        root = reader.tree(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        return Document(problems=(Problem(mark.line + 1 if mark else 1, f"This is no YAML: {said}."),))
    wanted = reader.document(root)
    problems = tuple(sorted(reader.problems, key=lambda one: one.line))
    return Document(() if problems else tuple(wanted), problems)


class _Reader:
    """Walks the tree of nodes, which know their lines."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def tree(self, text: str) -> yaml.Node | None:
        for token in yaml.scan(text, Loader=_Loader):
            if isinstance(token, yaml.AliasToken | yaml.AnchorToken):
                self.wrong(token.start_mark.line + 1, "Anchors and aliases are not taken.")
                return None
        self.loader = _Loader("")
        return yaml.compose(text, Loader=_Loader)

    def wrong(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))

    def document(self, root: yaml.Node | None) -> list[Wanted]:
        if self.problems:
            return []
        top = self.keys(root, "The document") if root is not None else {}
        line = root.start_mark.line + 1 if root is not None else 1
        if MARK not in top or self.plain(top[MARK]) != VERSION:
            self.wrong(line, f"The document begins with `{MARK}: {VERSION}`.")
            return []
        for name in top.keys() - {MARK, "deployments"}:
            self.wrong(self.line(top[name]), f"Unknown: {name}. Known: deployments.")
        rows = top.get("deployments")
        if not isinstance(rows, yaml.SequenceNode):
            self.wrong(self.line(rows) if rows is not None else line, "`deployments` is a list.")
            return []
        found = [one for row in rows.value if (one := self.wanted(row)) is not None]
        self.twins(found)
        return found

    def twins(self, found: Iterable[Wanted]) -> None:
        seen: dict[tuple[str, str], int] = {}
        for one in found:
            if (one.source, one.id) in seen:
                self.wrong(one.line, f"Deployment {one.id} stands on line {seen[one.source, one.id]} already.")
            seen.setdefault((one.source, one.id), one.line)

    def wanted(self, row: yaml.Node) -> Wanted | None:
        keys = self.keys(row, "A deployment")
        heads = {name: self.plain(keys[name]) for name in _HEADS if name in keys}
        for name, value in heads.items():
            if not isinstance(value, str):
                self.wrong(self.line(keys[name]), f"{name} is text; put it in quotes.")
        for name in keys.keys() - {*_HEADS, *PARTS}:
            self.wrong(self.line(keys[name]), f"Unknown: {name}. Known: {', '.join((*_HEADS, *PARTS))}.")
        if not isinstance(heads.get("id"), str) or not heads["id"]:
            self.wrong(self.line(row), "A deployment is named by its id.")
            return None
        values: dict[tuple[CommandKind, Path], Any] = {}
        lines: dict[tuple[CommandKind, Path], int] = {}
        for word, kind in PARTS.items():
            if word in keys:
                self.part(kind, keys[word], (), values, lines)
        texts = {name: value for name, value in heads.items() if isinstance(value, str)}
        return Wanted(self.line(row), values=values, lines=lines, **texts)

    def part(
        self,
        kind: CommandKind,
        node: yaml.Node,
        above: Path,
        values: dict[tuple[CommandKind, Path], Any],
        lines: dict[tuple[CommandKind, Path], int],
    ) -> None:
        """The settings of one kind, group by group."""
        for name, below in self.keys(node, "Settings").items():
            path = (*above, name)
            declared = FIELDS.get((kind, path))
            if declared is None and any(of is kind and known[: len(path)] == path for of, known in FIELDS):
                self.part(kind, below, path, values, lines)
            elif declared is None:
                self.wrong(self.line(below), f"Unknown setting: {'.'.join(path)}.")
            else:
                try:
                    values[kind, path] = checked(declared, self.plain(below))
                    lines[kind, path] = self.line(below)
                except Wrong as wrong:
                    self.wrong(self.line(below), f"{declared.name}: {wrong}")

    def keys(self, node: yaml.Node | None, what: str) -> dict[str, yaml.Node]:
        """A mapping with text keys, each once."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(self.line(node) if node is not None else 1, f"{what}: `name: value` lines are needed here.")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if not name or name in found:
                self.wrong(self.line(key), f"{name} stands here twice." if name else "A name is needed here.")
            else:
                found[name] = value
        return found

    def plain(self, node: yaml.Node, depth: int = 0) -> Any:
        """The value of a node; wrong ones are noted and None."""
        if depth > _DEEPEST:
            self.wrong(self.line(node), "This is nested too deeply.")
            return None
        if isinstance(node, yaml.MappingNode):
            return {name: self.plain(below, depth + 1) for name, below in self.keys(node, "A value").items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(below, depth + 1) for below in node.value]
        try:
            found = self.loader.construct_object(node)
        except (yaml.YAMLError, ValueError, OverflowError):
            found = object()
        if not isinstance(found, str | int | float | bool | None):
            self.wrong(self.line(node), "A value of this kind is not taken.")
            return None
        return found

    def line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + 1
