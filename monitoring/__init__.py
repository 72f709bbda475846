"""The watcher: due -> fetch -> snapshot -> health -> transition -> mail.

Vitals meets a Deployments API over HTTP only. What it answered is kept append-only, with the time at which it was
known; health is judged from those snapshots by pure functions; every change of a verdict is a row; mail leaves through
an outbox table. Pages read snapshots and ask nobody.

Reading order: `questions` (what can be asked), `snapshots` (what is known), `poll.plan` (what to ask now),
`judging` (the verdict), `mail.why` (whether to write).
"""
