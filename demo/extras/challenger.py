"""A retraining policy, a run of it that really trains, and the challenger that comes of it, replayed.

The run learns from the flights that the deployment was asked about and whose delay is known by now; the replay scores
those same requests with what it learnt.
"""

import time
from typing import Any

from demo.sending import Sender

SLUG = "us-airways-late-arrivals"
POLICY = {
    "name": "When drift or time asks for it",
    "description": "Learns from the flights whose outcome is known, and puts the new model beside the champion.",
    "action": "create_challenger",
    # the destination is a place on the map, which cannot be trained on
    "featureListStrategy": "informative_features",
    "autopilotOptions": {"mode": "auto"},
    "projectOptionsStrategy": "custom",
    "projectOptions": {"validationType": "TVH", "validationPct": 20, "metric": "LogLoss"},
    "trigger": {
        "type": "data_drift_decline",
        "statusDeclinesToFailing": True,
        "minIntervalBetweenRuns": "P30D",
    },
}
REPLAY = {
    "enabled": True,
    "schedule": {"minute": [30], "hour": ["*"], "dayOfMonth": ["*"], "month": ["*"], "dayOfWeek": ["*"]},
}
FINISHED = ("succeeded", "failed", "cancelled")
PATIENCE = 180.0
"""Seconds to wait for the run; the load goes on without it, and the next load replays its challenger."""


def add(sender: Sender) -> None:
    """Make what is missing: settings, policy, run, replay and its schedule."""
    client, path = sender.client, sender.deployed[SLUG].path
    client.send("PATCH", f"{path}/settings/", {"challengerModels": {"enabled": True}})
    known = {policy["name"]: policy for policy in client.all(f"{path}/retrainingPolicies/")}
    policy = known.get(str(POLICY["name"])) or client.send("POST", f"{path}/retrainingPolicies/", POLICY)
    runs = f"{path}/retrainingPolicies/{policy['id']}/runs/"
    run = policy["latestRun"] or client.send("POST", runs, {})
    if _finished(sender, f"{runs}{run['id']}/")["status"] != "succeeded":
        return
    if not client.get(f"{path}/challengerReplaySettings/")["enabled"]:
        client.send("POST", f"{path}/challengerPredictions/", {})
        client.send("PATCH", f"{path}/challengerReplaySettings/", REPLAY)


def _finished(sender: Sender, path: str) -> Any:
    deadline = time.monotonic() + PATIENCE
    while (run := sender.client.get(path))["status"] not in FINISHED and time.monotonic() < deadline:
        time.sleep(0.5)
    return run
