"""Why is it red: the sentence of a verdict, cut where it names a number, each cut a link to the view of that number.

The arithmetic is the watcher's own; here its evidence only says what was looked at: which metric, feature or class, and
over which window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from dashboard.filters import Preset
from dashboard.tabs.registry import TABS, leads_to
from dashboard.tabs.subject import Subject
from metrics.buckets import HOUR
from metrics.wording import drift, plural, score
from monitoring.clock import duration_or, floor_hour
from monitoring.models import Area, Status

#: (words of the sentence, address)
Found = Iterator[tuple[str, str]]
LOUD = (Status.FAILING, Status.WARNING)


@dataclass(frozen=True)
class Piece:
    """A part of a sentence; with an address where a page shows its number."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class Why:
    """One clause of the head: an area, its verdict and the arithmetic behind it."""

    area: str
    status: str
    href: str
    pieces: tuple[Piece, ...]

    @property
    def reason(self) -> str:
        return "".join(piece.text for piece in self.pieces)


def why(subject: Subject) -> list[Why]:
    """The areas that are not passing, worst first; all of them when everything is well."""
    found = [clause(subject, area) for area in subject.watched.shown_areas]
    bad = [one for one in found if one.status in LOUD]
    shown = bad or [one for one in found if one.status != Status.PASSING] or found
    return sorted(shown, key=lambda one: -Status(one.status).severity)


def clause(subject: Subject, area: Area) -> Why:
    """One area. Where no tab shows it, the sentence has no links."""
    tab = leads_to(area, batch=subject.watched.batch_monitoring)
    row = subject.areas.get(area)
    evidence = row.evidence if row is not None and isinstance(row.evidence, dict) else {}
    links = _LINKS[area](View(subject, tab, area), evidence)
    return Why(area.label, subject.status(area).value, View(subject, tab, area).url(), cut(subject.reason(area), links))


def cut(sentence: str, links: Found) -> tuple[Piece, ...]:
    """The sentence in pieces: the first place of each of the words becomes a link; joined they are the sentence."""
    places: list[tuple[int, int, str]] = []
    for text, href in links:
        at = sentence.find(text) if text and href else -1
        if at >= 0 and all(at >= end or at + len(text) <= start for start, end, _ in places):
            places.append((at, at + len(text), href))
    pieces, done = [], 0
    for start, end, href in sorted(places):
        pieces += [Piece(sentence[done:start])] if start > done else []
        pieces.append(Piece(sentence[start:end], href))
        done = end
    return tuple([*pieces, Piece(sentence[done:])] if done < len(sentence) else pieces)


@dataclass(frozen=True)
class View:
    """Addresses of one tab over the window that the area was judged by."""

    subject: Subject
    tab: str
    area: Area

    def url(self, anchor: str = "", **query: str) -> str:
        base = self.subject.url(self.tab, **self._range())
        kept = {name: value for name, value in query.items() if value and name in TABS[self.tab].kept}
        joined = ("&" if "?" in base else "?") + urlencode(kept) if kept else ""
        return base + joined + (f"#{anchor}" if anchor else "")

    def _range(self) -> dict[str, Any]:
        if self.subject.watched.batch_monitoring or self.area not in _WINDOWED:
            return {}
        length = (
            timedelta(days=1) if self.area is Area.SERVICE else duration_or(self.subject.interval, timedelta(days=7))
        )
        lag = self.subject.lag if self.area is Area.ACCURACY else timedelta(0)
        preset = next((one for one in Preset if one.length == length), None)
        if preset is not None and lag < HOUR:
            return {"preset": preset, "model": "", "segment": None}
        end = floor_hour(self.subject.anchor - lag)
        return {"preset": None, "start": end - length, "end": end, "model": "", "segment": None}


#: Judged over a window that ends now, or where labels are complete; timeliness looks at the newest event alone.
_WINDOWED = frozenset({Area.SERVICE, Area.DRIFT, Area.ACCURACY, Area.FAIRNESS, Area.CUSTOM_METRICS})


def _service(view: View, evidence: Mapping[str, Any]) -> Found:
    for name, noun in (("serverErrors", "server error"), ("userErrors", "user error"), ("requests", "request")):
        count = evidence.get(name)
        if isinstance(count, int) and count:
            yield plural(count, noun), view.url("service-main")


def _drift(view: View, evidence: Mapping[str, Any]) -> Found:
    sentence = view.subject.reason(view.area)  # it names a few of hundreds
    for group in ("highImportance", "lowImportance", "noise"):
        for one in _listed(evidence, group):
            name, value = one.get("name"), one.get("score")
            if isinstance(name, str) and isinstance(value, int | float) and name in sentence:
                yield f"{name} {drift(value)}", view.url("drift-distribution", feature=name)
    counted = len(_listed(evidence, "highImportance")), len(_listed(evidence, "lowImportance"))
    for n, words in zip(counted, ("high-importance feature", "low-importance feature"), strict=True):
        yield plural(n, words), view.url("drift-importance")


def _accuracy(view: View, evidence: Mapping[str, Any]) -> Found:
    metric, value, baseline = (evidence.get(name) for name in ("metric", "value", "baseline"))
    if isinstance(metric, str) and isinstance(value, int | float):
        yield f"{metric} {score(value)}", view.url("accuracy-main", metric=metric)
        if isinstance(baseline, int | float):
            yield f"baseline {score(baseline)}", view.url("accuracy-main", metric=metric)


def _fairness(view: View, evidence: Mapping[str, Any]) -> Found:
    for one in _listed(evidence, "below"):
        feature, name, value = str(one.get("feature") or ""), str(one.get("class") or ""), one.get("value")
        if isinstance(value, int | float):
            yield f"{feature} {name} {score(value)}", view.url("fairness-main", feature=feature, **{"class": name})


def _custom(view: View, evidence: Mapping[str, Any]) -> Found:
    met = evidence.get("condition")
    if isinstance(met, dict) and isinstance(met.get("value"), int | float):
        yield f"{met.get('name')} {score(met['value'])}", view.url("custom-main", metric=str(met.get("metricId") or ""))


def _none(view: View, evidence: Mapping[str, Any]) -> Found:
    yield from ()


def _listed(evidence: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = evidence.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


_LINKS: Mapping[Area, Callable[[View, Mapping[str, Any]], Found]] = {
    Area.SERVICE: _service,
    Area.DRIFT: _drift,
    Area.ACCURACY: _accuracy,
    Area.FAIRNESS: _fairness,
    Area.CUSTOM_METRICS: _custom,
    Area.PREDICTIONS_TIMELINESS: _none,
    Area.ACTUALS_TIMELINESS: _none,
}
