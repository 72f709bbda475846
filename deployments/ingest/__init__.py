"""Taking in predictions, service events and actuals: decode, check everything, then store in one transaction.

`decode` and `files` turn a body into `prepared.Prepared` rows, `columns` checks values, `store.accept` writes them.
Nothing is computed here; the roll-up works from the stored blocks.
"""
