"""From rows to states, and back from states to what a report needs.

`declarations` lists what is rolled up, `assign` files new blocks under their buckets, `compute` turns rows into states,
`fill` is the engine around them; `read` loads and adds states for reports.
"""
