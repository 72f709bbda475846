"""Incidents: verdicts in, incidents and notices out.

A verdict that changes is fed to a pure state machine (`machine`), which says what happened; incidents, their timeline
and the notices are the rows that follow from it. A notice (`IncidentNotice`) is a decision that something is to be
told, made once; whoever tells (mail, channels) takes those whose `handled_at` is null, turns them into messages and
marks them handled in the same transaction. `actions` is what people do.
"""
