"""Polling: plan (pure) -> fetch (HTTP) -> store (one transaction) -> judge."""
