"""Custom metrics that work themselves out: a recipe of `library` or an address (`calling`), run when due by `work`."""
