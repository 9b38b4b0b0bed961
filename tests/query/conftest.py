"""A Spark session for tests that call the query's parts directly."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from streaming.query.session import open_session
from streaming.settings import load


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    settings = load(overrides=[("spark.master", "local[2]", "test")], environment={}).settings
    session = open_session(settings)
    yield session
    session.stop()
