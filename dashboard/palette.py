"""The command palette: deployments by name, tabs of the one that is open, pages and actions, as one short list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import reverse

from dashboard.reader import Reader
from dashboard.tabs.registry import ROWS
from monitoring.fleet import ORDERS
from monitoring.models import Role, Watched

MOST = 8
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: where it leads, the shape beside it, the keys that lead there without the palette."""

    group: str
    word: str
    href: str
    status: str = ""
    note: str = ""
    keys: str = ""


#: Pages by name of their address: the word, other words they are found by, keys.
PAGES = (
    ("fleet", "Fleet", "deployments home", "g f"),
    ("incidents", "Incidents", "alerts open", "g i"),
    ("reviews", "Reviews", "meeting health", "g r"),
    ("actions", "Action items", "promises reviews", ""),
    ("blind-spots", "Blind spots", "not watched", "g b"),
    ("watch", "Watch health", "polling lag coverage", "g w"),
    ("mails", "Mail", "messages sent archive", "g m"),
    ("sources", "Sources", "settings servers", "g s"),
    ("views", "Saved views", "filters", ""),
    ("silences", "Silences", "maintenance mute", ""),
    ("channels", "Channels", "slack webhook teams", ""),
    ("rules", "Rules", "notifications alerts", ""),
    ("handover", "Hand-over", "shift", ""),
    ("noise", "Noise", "useful mails", ""),
    ("teams", "Teams", "members roles invite", ""),
    ("tokens", "API tokens", "keys access", ""),
    ("preferences", "Preferences", "time zone theme digest", "g p"),
    ("glossary", "Glossary", "help metrics meaning", "g h"),
)
#: Actions by name of their address: the word, other words, whether only those who manage a team may.
ACTIONS = (
    ("register", "Register a model", "new deployment upload", True),
    ("source-add", "Add a source", "connect server", True),
    ("silence-add", "Plan a silence or maintenance", "mute window", False),
    ("review-plan-add", "Plan a review", "meeting", True),
    ("channel-add", "Add a channel", "slack webhook", True),
)


def entries(reader: Reader, text: str, at: int | None) -> list[Entry]:
    """What fits the words typed; without any, the tabs of deployment `at`, pages and actions. At most two queries."""
    words = text.replace("\x00", "").lower().split()[:8]
    return [
        *_tabs(reader, words, at),
        *_deployments(reader, text.replace("\x00", "").strip()[:LONGEST]),
        *_pages(words),
        *_actions(reader, words),
    ]


def _fits(words: list[str], *among: str) -> bool:
    told = " ".join(among).lower()
    return all(word in told for word in words)


def _tabs(reader: Reader, words: list[str], at: int | None) -> Iterator[Entry]:
    watched = Watched.objects.filter(pk=at, source__team__in=reader.team_ids).first() if at is not None else None
    if watched is None:
        return
    for row in ROWS:
        shown = row.by_batch if watched.batch_monitoring else row.by_time
        if shown and _fits(words, row.word, "tab"):
            yield Entry(watched.label, row.word, reverse(row.slug, args=[watched.pk]))


def _deployments(reader: Reader, text: str) -> Iterator[Entry]:
    """Names that hold the text, the worst first."""
    if not text:
        return
    listed = Watched.objects.filter(source__team__in=reader.team_ids, gone_at__isnull=True, label__icontains=text)
    found = listed.order_by(*ORDERS["worst"]).values_list("pk", "label", "worst", "source__name")
    for pk, label, worst, source in found[:MOST]:
        yield Entry("Deployments", label, reverse("overview", args=[pk]), worst, source)


def _pages(words: list[str]) -> Iterator[Entry]:
    for name, word, more, keys in PAGES:
        if _fits(words, word, more):
            yield Entry("Pages", word, reverse(name), keys=keys)


def _actions(reader: Reader, words: list[str]) -> Iterator[Entry]:
    manages = any(Role(m.role).may_change for m in reader.memberships)
    acts = any(Role(m.role).may_act for m in reader.memberships)
    for name, word, more, for_managers in ACTIONS:
        if (manages if for_managers else acts) and _fits(words, word, more):
            yield Entry("Actions", word, reverse(name))
