"""The flights, read once for all tests of the demo."""

import polars as pl
import pytest

from demo import data


@pytest.fixture(scope="session")
def flights() -> pl.DataFrame:
    return data.load()
