"""Custom metrics: defined by users, reported by users, added up by hour, day and batch.

`definitions` makes and changes them, `taking` checks reported values, `keeping` adds them to what is there, `reading`
loads what a question needs. Values are added in the transaction that files their request, so each counts once.
"""
