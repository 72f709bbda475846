"""Reports: load states, add them up, ask `metrics`, say it in the words of the reference.

Every report takes a `Scope` (deployment, model, segment) and periods or batches, and returns plain JSON-able values;
`deployments.api` only reads parameters and wraps. No report touches prediction rows.
"""
