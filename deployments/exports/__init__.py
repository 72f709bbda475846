"""Rows out again: what was ingested, as a file.

`rows` and `outcomes` read predictions and actuals piece by piece in one fixed set of columns, `files` writes the pieces
to a table of one format, `work` is the job around them. However many rows there are, only a few pieces are in memory.
"""
