"""The Deployments API over HTTP: one module a resource, and the few modules that all of them share.

`params` reads queries and bodies, `views` holds the base classes, `errors`, `pagination`, `authentication` and
`permissions` have one shape each; `urls` lists every operation in the order of the reference.
"""
