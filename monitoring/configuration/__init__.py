"""The settings of deployments: what can be set, what a change means, who changed what, and all of it as one document.

`fields` declares every setting; `values` checks single values; `edits` makes the PATCH; `loosening` says which changes
let more trouble pass.
"""
