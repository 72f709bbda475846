"""Arrays and bytes to and from PostgreSQL, as they were."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from deployments.rollups.copying import copy_in, copy_out, copy_payloads_in, literal

pytestmark = pytest.mark.django_db
KINDS = {"small": "smallint", "middle": "integer", "large": "bigint", "broken": "double precision"}


def test_columns_come_back_in_the_order_of_the_query() -> None:
    numbers = {"small": [-5, 0, 32_767], "middle": [2**31 - 1, -7, 0], "large": [-(2**63), 2**63 - 1, 3]}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE several (small smallint, middle integer, large bigint) ON COMMIT DROP")
        copy_in(cursor, "several", {name: (KINDS[name], np.array(own)) for name, own in numbers.items()})
        query = "SELECT small, middle, large, small / 4.0 FROM several ORDER BY large"
        found = copy_out(cursor, query, KINDS)
    assert found["large"].tolist() == sorted(numbers["large"])
    assert found["small"].tolist() == [-5, 32_767, 0]
    assert found["middle"].tolist() == [2**31 - 1, 0, -7]
    assert found["broken"].tolist() == [-1.25, 8191.75, 0.0]


def test_a_query_without_rows_gives_empty_arrays() -> None:
    with connection.cursor() as cursor:
        found = copy_out(cursor, "SELECT 1, 2.5 WHERE false", {"large": "bigint", "broken": "double precision"})
    assert (found["large"].tolist(), found["broken"].tolist()) == ([], [])


@hypothesis_settings(max_examples=20, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 60))
def test_bytes_of_any_length_are_stored_beside_their_keys(payloads: list[bytes], repeats: int) -> None:
    """More rows than are sent at once, and empty bytes."""
    payloads = payloads * repeats
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS held")
        cursor.execute("CREATE TEMP TABLE held (place integer, payload bytea) ON COMMIT DROP")
        copy_payloads_in(cursor, "held", {"place": ("integer", np.arange(len(payloads)))}, payloads)
        cursor.execute("SELECT payload FROM held ORDER BY place")
        assert [bytes(row[0]) for row in cursor.fetchall()] == payloads


@pytest.mark.parametrize("numbers", [[], [5], [-1, 2**31 - 1]])
def test_an_array_is_read_as_it_was_written(numbers: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::integer[]", [literal(numbers)])
        assert cursor.fetchone()[0] == numbers
