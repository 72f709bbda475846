"""What happened to a deployment, in one line of time: for the History tab, and as marks on every chart.

`entries` gathers it from rows of the watcher and stored answers, each kind by one bounded statement; `marks` makes the
few that are drawn on charts. Nothing is asked of the source, and what was not known at the page's moment is not told.
"""

from dashboard.story.entries import Entry, Kind, entries, questions
from dashboard.story.marks import changes, replacements

__all__ = ["Entry", "Kind", "changes", "entries", "questions", "replacements"]
