"""The settings of a deployment as forms: what was posted, what it would have done, and what became of it."""
