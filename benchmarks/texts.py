"""Custom metric values by their range, and generated texts by how many there are.

A year of values at weekly buckets beside a week of them, and a page out of a million rows beside a page out of ten
thousand: both should hardly differ. A search through all texts stands beside polars looking through the same blocks.
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import orjson
import polars as pl

from benchmarks.environment import best_of, ready
from benchmarks.rollup import _parquet
from benchmarks.table import Row

YEAR = 365
DAYS = 20
FEW, MANY = 10_000, 1_000_000
MOST = 200_000
"""Rows of one upload."""
SENTENCE = "the quick brown fox jumps over a lazy dog while some other animals look on from behind the old wooden fence"
WORDS = SENTENCE.split()


def run() -> list[Row]:
    """Values over a year against a week; a page, and a search, among a million texts."""
    ready()
    values = _Values()
    year, week = best_of(lambda: values.over(YEAR, "P7D"), 5), best_of(lambda: values.over(7, "P1D"), 5)
    few, many = _Texts(FEW), _Texts(MANY)
    small, large = best_of(few.page, 3), best_of(many.page, 3)
    search, scan = best_of(many.search, 2), best_of(many.scan, 2)
    return [
        _row("a year of custom metric values by week, against a week by day", year, week, 3),
        _row(f"a page of dataQualityView out of {MANY:,} rows, against {FEW:,}", large, small, 5),
        _row(f"words searched in {MANY:,} responses, against polars on the same blocks", search, scan, 4),
    ]


def _row(name: str, ours: float, reference: float, most: float) -> Row:
    goal, ok = f"≤ {most:g}×", ours <= most * reference
    return Row(name, f"{ours * 1000:.0f} ms", f"{reference * 1000:.0f} ms", ours / reference, goal, ok=ok)


class _Service:
    """A person with a token, and a deployment that generates text."""

    def __init__(self) -> None:
        from django.contrib.auth.models import User
        from django.test import Client

        from deployments.api.authentication import issue

        user = User.objects.create_superuser(f"bench-texts-{next(_numbers)}")
        self.client = Client(headers={"Authorization": f"Bearer {issue(user, 'bench')}", "Host": "localhost"})
        package = self.send("modelPackages/", {"name": "texts", "target": {"name": "answer", "type": "TextGeneration"}})
        made = self.send("deployments/fromModelPackage/", {"modelPackageId": package["id"], "label": "texts"})
        self.base = f"deployments/{made['id']}/"

    def send(self, path: str, body: Any) -> Any:
        answer = self.client.post(f"/api/v2/{path}", orjson.dumps(body), content_type="application/json")
        assert answer.status_code < 300, answer.content
        return answer.json()

    def get(self, path: str, **query: str) -> Any:
        answer = self.client.get(f"/api/v2/{path}", query)
        assert answer.status_code == 200, answer.content
        return answer.json()


class _Values(_Service):
    """A metric with a value in every hour of a year."""

    def __init__(self) -> None:
        super().__init__()
        fields = {"name": "value", "type": "average", "directionality": "higherIsBetter"}
        self.metric = self.send(f"{self.base}customMetrics/", fields)["id"]
        self.end = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        hours = [self.end - dt.timedelta(hours=back) for back in range(1, YEAR * 24 + 1)]
        values = [{"timestamp": hour.isoformat(), "value": place % 97} for place, hour in enumerate(hours)]
        self.send(f"{self.base}customMetrics/{self.metric}/fromJSON/", {"buckets": values})

    def over(self, days: int, size: str) -> None:
        """The values of the last days."""
        period = {"start": (self.end - dt.timedelta(days=days)).isoformat(), "end": self.end.isoformat()}
        self.get(f"{self.base}customMetrics/{self.metric}/valuesOverTime/", **period, bucketSize=size)


class _Texts(_Service):
    """So many prompts and responses over some days."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.end = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.start = self.end - dt.timedelta(days=DAYS)
        step = dt.timedelta(days=DAYS) / count
        for first in range(0, count, MOST):
            numbers = range(first, min(count, first + MOST))
            table = pl.DataFrame(
                {
                    "timestamp": [self.start + number * step for number in numbers],
                    "association_id": [f"row-{number}" for number in numbers],
                    "prompt": [_text(number, 12) for number in numbers],
                    "prediction": [_text(number * 7 + 3, 40) for number in numbers],
                }
            )
            path = f"/api/v2/{self.base}predictionInputs/fromFile/"
            answer = self.client.post(path, _parquet(table), content_type="application/vnd.apache.parquet")
            assert answer.status_code == 202, answer.content

    def page(self, **query: str) -> Any:
        """A hundred rows from the middle, unless they are searched for."""
        period = {"start": self.start.isoformat(), "end": self.end.isoformat()}
        return self.get(f"{self.base}dataQualityView/", **({"offset": "5000"} | period | query))

    def search(self) -> None:
        """Rows whose response holds two words."""
        found = self.page(predictionPattern="fence row77.", offset="0")
        assert found["totalCount"] == sum(77 in _tags(number * 7 + 3, 40) for number in range(MANY))

    def scan(self) -> int:
        """The same words, looked for in the decoded blocks themselves."""
        from django.db import connection

        from deployments.blocks import decode

        text, found = pl.col("p").str.to_lowercase(), 0
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT payload FROM deployments_block b JOIN deployments_deployment d ON d.id = b.deployment_id "
                "WHERE d.public_id = %s ORDER BY b.id",
                [self.base.split("/")[1]],
            )
            for (payload,) in cursor.fetchall():
                rows = decode(payload, ["at", "id", "p"])
                both = text.str.contains("fence", literal=True) & text.str.contains("row77.", literal=True)
                found += rows.filter(both).height
        return found


_numbers = itertools.count()


def _tags(number: int, count: int) -> set[int]:
    return {(number + place) % 1000 for place in range(0, count, 8)} if number % 5 else set()


def _text(number: int, count: int) -> str:
    """Words in an order that the number decides, with some that few texts have."""
    words = [WORDS[(number * 3 + place * (1 + number % 5)) % len(WORDS)] for place in range(count)]
    return " ".join(words + ["fence"] + [f"row{tag}." for tag in sorted(_tags(number, count))])
