"""Writes `flights.json`: ninety days of the demo's flights, as its own service answered about them.

    python -m tests.monitoring.backtest.make_past http://localhost:8000/api/v2 TOKEN

asks a running demo for data drift and accuracy of the seven days that ended at each of the last ninety midnights, and
for rows a day, and keeps what verdicts are made from: scores rounded to five digits, sizes, importance. Run it again
only if the story of the demo changes: the tests assert what follows from it.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

FILE = Path(__file__).with_name("flights.json")
DAYS, WINDOW, DAY = 90, timedelta(days=7), timedelta(days=1)
#: Deployments that are kept: each goes in and out of trouble in its own way.
LABELS = (
    "Late departures",
    "Late departures, from the timetable alone",
    "JFK: arrival delay",
    "JetBlue: arrival delay",
)


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def digits(value: Any) -> Any:
    return round(value, 5) if isinstance(value, float) else value


def drift(answer: dict[str, Any]) -> list[list[Any]]:
    fields = ("name", "type", "driftScore", "featureImpact", "sampleSize", "baselineSampleSize")
    return [[digits(one.get(field)) for field in fields] for one in answer["data"]]


def accuracy(answer: dict[str, Any]) -> dict[str, list[Any]]:
    return {
        name: [digits(one.get("value")), digits(one.get("baselineValue"))]
        for name, one in (answer.get("metrics") or {}).items()
        if one and one.get("value") is not None
    }


def rows(answer: dict[str, Any]) -> list[list[Any]]:
    return [
        [one["period"]["start"], one.get("rowCountTotal") or 0, one.get("rowCountWithActual") or 0]
        for one in answer["buckets"]
    ]


def of_deployment(api: httpx.Client, entry: dict[str, Any], until: datetime) -> dict[str, Any]:
    path = f"deployments/{entry['id']}"
    ends = [until - (DAYS - 1 - back) * DAY for back in range(DAYS)]

    def asked(name: str, **query: Any) -> dict[str, Any]:
        response = api.get(f"{path}/{name}", params=query)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    windows = [{"start": iso(end - WINDOW), "end": iso(end)} for end in ends]
    whole = {"start": iso(ends[0] - WINDOW), "end": iso(until), "bucketSize": "P1D"}
    return {
        "label": entry["label"],
        "importance": entry["importance"],
        "target": entry["model"]["targetType"],
        "ends": [iso(end) for end in ends],
        "drift": [drift(asked("featureDrift/", limit=100, **window)) for window in windows],
        "accuracy": [accuracy(asked("accuracy/", **window)) for window in windows],
        "rows": rows(asked("predictionsVsActualsOverTime/", **whole)),
    }


def main(address: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=address.rstrip("/") + "/", headers=headers, timeout=60) as api:
        listed = api.get("deployments/", params={"limit": 100}).json()["data"]
        by_label = {entry["label"]: entry for entry in listed}
        until = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        found = [of_deployment(api, by_label[label], until) for label in LABELS]
    lines = ",\n".join(json.dumps(one, separators=(",", ":")) for one in found)
    FILE.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
