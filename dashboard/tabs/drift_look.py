"""How drift is looked at: which feature, on which scale, by which measure. Only PSI is judged."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import quote_plus, urlencode

from django.utils.safestring import SafeString

from dashboard.glossary.drift import NAMES
from dashboard.tabs.parts import switch, switches
from dashboard.tabs.subject import Subject
from metrics.drift import DriftMetric


@dataclass(frozen=True)
class Look:
    """`measure`: None for PSI, which is what the source answers unasked, what is polled and what is judged."""

    feature: str = ""
    linear: bool = False
    measure: str | None = None

    @classmethod
    def of(cls, feature: str, linear: bool, measure: str) -> Look:
        """A measure that does not exist is PSI."""
        known = measure in set(DriftMetric) and measure != DriftMetric.PSI
        return cls(feature, linear, measure if known else None)

    @property
    def word(self) -> str:
        return NAMES[DriftMetric(self.measure or DriftMetric.PSI)]

    @property
    def query(self) -> str:
        """As the address has it, defaults left out."""
        pairs = [
            ("feature", self.feature),
            ("scale", "linear" if self.linear else ""),
            ("measure", self.measure or ""),
        ]
        return urlencode([pair for pair in pairs if pair[1]])

    def addresses(self, subject: Subject, features: Iterable[str]) -> list[str]:
        """The tab with each feature chosen: hundreds at the price of one."""
        base, rest = subject.url("drift"), replace(self, feature="").query
        head, tail = f"{base}{'&' if '?' in base else '?'}feature=", f"&{rest}" if rest else ""
        return [f"{head}{quote_plus(name)}{tail}" for name in features]

    def address(self, subject: Subject) -> str:
        """The tab seen so."""
        base = subject.url("drift")
        return f"{base}{'&' if '?' in base else '?'}{self.query}" if self.query else base


def controls(subject: Subject, look: Look) -> SafeString:
    """PSI and the chosen measure at hand, all of them in the menu; and the scale."""
    measures = [
        (NAMES[one], replace(look, measure=None if one is DriftMetric.PSI else one.value).address(subject), one)
        for one in DriftMetric
    ]
    links = [(word, href, word == look.word) for word, href, _ in measures]
    near = [link for link in links if link[2] or link[0] == NAMES[DriftMetric.PSI]]
    scales = [
        (word, replace(look, linear=linear).address(subject), linear == look.linear)
        for word, linear in (("Log", False), ("Linear", True))
    ]
    return switches(switch("Measure", near, links), switch("Scale", scales))
