"""Changes at a source that people ask for on a page: a row, carried out by a worker, shown as pending and then as done.

`kinds` declares what can be asked, one row each. `asking` is the only door: it checks the role and stores the row.
`running` claims rows and finishes them, `carrying` speaks to the source: it reads before it sends, so that a change
made there meanwhile is a conflict, a lost answer is not repeated blindly, and what cannot be known is in doubt.

The source's token is used, so only members who manage the team may ask. The rows are the record of who asked for what,
what stood there before and after, and how it ended.
"""

from monitoring.commands.asking import (
    OPEN_STATES,
    BadTarget,
    NotAllowed,
    ask,
    dismiss,
    obstacle,
    open_commands,
    role_of,
    shown,
)
from monitoring.commands.kinds import KINDS, Kind, Method, Repeat, kind_of
from monitoring.commands.matching import id_of, includes
from monitoring.commands.running import run_due
from monitoring.commands.sealing import sealed

__all__ = [
    "KINDS",
    "OPEN_STATES",
    "BadTarget",
    "Kind",
    "Method",
    "NotAllowed",
    "Repeat",
    "ask",
    "dismiss",
    "id_of",
    "includes",
    "kind_of",
    "obstacle",
    "open_commands",
    "role_of",
    "run_due",
    "sealed",
    "shown",
]
