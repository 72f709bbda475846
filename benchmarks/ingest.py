"""The door: rows a second over HTTP, durable and idempotent, beside a bare COPY and a view that stores nothing.

Real flights: seven numeric and three categorical features. All of it runs in this process against one PostgreSQL.
"""

from __future__ import annotations

import io
import itertools
from typing import Any

import orjson
import polars as pl

from benchmarks.environment import best_of, ready
from benchmarks.table import Row

JSON_ROWS = 10_000
FILE_ROWS = 100_000
NUMERIC = ("distance", "departure_hour", "temp", "humid", "wind_speed", "pressure", "visib")
WORDS = ("carrier", "origin", "dest")
REQUESTS = itertools.count()


def run() -> list[Row]:
    """JSON of 10,000 rows, CSV and Parquet of 100,000, and the bytes that a row takes."""
    ready()
    flights = _flights(FILE_ROWS)
    door = _Door(flights)
    json_rate = JSON_ROWS / best_of(lambda: door.post_json(), 5)
    drf_rate = JSON_ROWS / best_of(lambda: _drf_only(door.rows_json), 2)
    csv_rate = FILE_ROWS / best_of(lambda: door.post_file("text/csv", door.csv))
    parquet_rate = FILE_ROWS / best_of(lambda: door.post_file("application/vnd.apache.parquet", door.parquet))
    copy_rate = FILE_ROWS / best_of(lambda: _bare_copy(door.csv_of_rows()))
    ours, theirs = door.bytes_a_row(), _jsonb_bytes(flights)
    return [
        _rate("JSON of 10,000 rows against a DRF serializer that stores nothing", json_rate, drf_rate, 2, 80_000),
        _rate("CSV of 100,000 rows against bare idempotent COPY", csv_rate, copy_rate, 0.7, 150_000),
        _rate("Parquet of 100,000 rows against bare idempotent COPY", parquet_rate, copy_rate, 0.7, 150_000),
        Row(
            "bytes a stored row, ids indexed, against jsonb rows",
            f"{ours:.0f} B",
            f"{theirs:.0f} B",
            ours / theirs,
            "≤ 0.6×",
            ok=ours <= 0.6 * theirs,
        ),
    ]


def _rate(name: str, ours: float, reference: float, goal: float, least: int) -> Row:
    met = ours >= goal * reference and ours >= least
    wanted = f"≥ {goal}×, ≥ {least // 1000} k/s"
    return Row(
        name, f"{ours / 1000:.0f} k rows/s", f"{reference / 1000:.0f} k rows/s", ours / reference, wanted, ok=met
    )


def _flights(rows: int) -> pl.DataFrame:
    """The first flights of the year with their weather, with ids and times of the last ten days."""
    import datetime as dt

    from demo import data

    table = data.load().head(rows)
    began = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0) - dt.timedelta(days=10)
    seconds = pl.int_range(pl.len()) * (9 * 86_400_000 // rows)
    return table.select(
        (pl.lit(began) + pl.duration(milliseconds=seconds)).alias("timestamp"),
        pl.format("flight-{}", pl.int_range(pl.len())).alias("association_id"),
        *(pl.col(name).cast(pl.Float64) for name in NUMERIC),
        *(pl.col(name).cast(pl.String) for name in WORDS),
        ((pl.int_range(pl.len()) * 37 % 997) / 997).alias("prediction"),
    )


class _Door:
    """One deployment and bodies for it; every request is a new one."""

    def __init__(self, flights: pl.DataFrame) -> None:
        from django.contrib.auth.models import User
        from django.test import Client

        from deployments.api.authentication import issue

        user = User.objects.create_superuser("bench")
        token = issue(user, "bench")
        self.client = Client(headers={"Authorization": f"Bearer {token}", "Host": "localhost"})
        self.deployment = self._deployment()
        self.flights = flights
        head = flights.head(JSON_ROWS)
        self.rows_json = orjson.dumps(head.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).to_dicts())
        self.columns = {
            "data": [
                {
                    "timestamps": head["timestamp"].dt.to_string("iso:strict").to_list(),
                    "features": [{"name": name, "values": head[name].to_list()} for name in (*NUMERIC, *WORDS)],
                    "predictions": [[1 - p, p] for p in head["prediction"]],
                    "associationIds": head["association_id"].to_list(),
                }
            ]
        }
        self.csv = flights.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv().encode()
        out = io.BytesIO()
        flights.write_parquet(out)
        self.parquet = out.getvalue()

    def _deployment(self) -> Any:
        kinds = [{"name": n, "type": "Numeric"} for n in NUMERIC] + [{"name": n, "type": "Categorical"} for n in WORDS]
        package = {
            "name": "bench",
            "target": {"name": "late", "type": "Binary", "classNames": ["no", "yes"]},
            "features": kinds,
        }
        made = self._send("modelPackages/", package)
        return self._send("deployments/fromModelPackage/", {"modelPackageId": made["id"], "label": "bench"})["id"]

    def _send(self, path: str, body: Any) -> Any:
        answer = self.client.post(f"/api/v2/{path}", orjson.dumps(body), content_type="application/json")
        assert answer.status_code < 300, answer.content
        return answer.json()

    def post_json(self) -> None:
        """10,000 rows as parallel columns."""
        self.columns["requestId"] = f"json-{next(REQUESTS)}"  # type: ignore[assignment]
        self._send(f"deployments/{self.deployment}/predictionInputs/fromJSON/", self.columns)

    def post_file(self, media_type: str, content: bytes) -> None:
        """One file."""
        path = f"/api/v2/deployments/{self.deployment}/predictionInputs/fromFile/?requestId=file-{next(REQUESTS)}"
        answer = self.client.post(path, content, content_type=media_type)
        assert answer.status_code < 300, answer.content

    def csv_of_rows(self) -> bytes:
        """The same rows for COPY, with a fresh request's ids."""
        fresh = next(REQUESTS)
        return (
            self.flights.with_columns(
                pl.format("{}-{}", pl.col("association_id"), pl.lit(fresh)).alias("association_id")
            )
            .write_csv(include_header=False)
            .encode()
        )

    def bytes_a_row(self) -> float:
        """Blocks and keys of one file after the roll-up, by row."""
        from django.db import connection
        from django.utils import timezone

        from deployments.models import Deployment
        from deployments.rollups import fill

        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE deployments_block, deployments_predictionkey, deployments_dirtybucket")
        self.post_file("application/vnd.apache.parquet", self.parquet)
        fill.run(Deployment.objects.get(public_id=self.deployment).pk, timezone.now())
        return _total_size("deployments_block", "deployments_predictionkey") / FILE_ROWS


def _total_size(*tables: str) -> int:
    """Bytes on disk of tables with their partitions, indexes and long values."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(coalesce((SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(name::regclass)),"
            " pg_total_relation_size(name::regclass))) FROM unnest(%s::text[]) AS name",
            [list(tables)],
        )
        return int(cursor.fetchone()[0])


def _drf_only(body: bytes) -> None:
    """What a plain REST framework serializer needs to validate the same rows; nothing is stored."""
    from rest_framework import serializers

    fields: dict[str, serializers.Field[Any, Any, Any, Any]] = {
        "timestamp": serializers.DateTimeField(),
        "association_id": serializers.CharField(),
        "prediction": serializers.FloatField(),
    }
    fields |= {name: serializers.FloatField(allow_null=True) for name in NUMERIC}
    fields |= {name: serializers.CharField(allow_null=True) for name in WORDS}
    kind = type("RowSerializer", (serializers.Serializer,), fields)
    checked = kind(data=orjson.loads(body), many=True)
    checked.is_valid(raise_exception=True)


def _bare_copy(body: bytes) -> None:
    """COPY into a temporary table, then insert what is not there yet: a row a prediction, ids unique."""
    from django.db import connection, transaction

    columns = ", ".join(f"{name} double precision" for name in NUMERIC) + ", "
    columns += ", ".join(f"{name} text" for name in WORDS)
    shape = f"at timestamptz, id text, {columns}, prediction double precision"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE IF NOT EXISTS bare ({shape}, UNIQUE (id))")
        cursor.execute("CREATE TEMP TABLE incoming (LIKE bare) ON COMMIT DROP")
        with cursor.copy("COPY incoming FROM STDIN (FORMAT csv)") as copy:
            copy.write(body)
        cursor.execute("INSERT INTO bare SELECT * FROM incoming ON CONFLICT (id) DO NOTHING")


def _jsonb_bytes(flights: pl.DataFrame) -> float:
    """Bytes a row of a table that keeps the features as jsonb, with the index on the id that matching needs."""
    from django.db import connection, transaction

    rows = flights.head(20_000)
    names = [*NUMERIC, *WORDS]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain (at timestamptz, id text PRIMARY KEY, p double precision, features jsonb)")
        with cursor.copy("COPY plain FROM STDIN") as copy:
            for at, key, p, features in zip(
                rows["timestamp"],
                rows["association_id"],
                rows["prediction"],
                rows.select(names).to_dicts(),
                strict=True,
            ):
                copy.write_row((at, key, p, orjson.dumps(features).decode()))
    size = _total_size("plain") / rows.height
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE plain")
    return size
