"""The Deployments API: ingest, roll-ups, reports, answers."""
