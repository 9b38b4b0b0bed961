"""A Spark session for tests that call the query's parts directly."""

from collections.abc import Iterator
from pathlib import Path

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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """PySpark leaves it to the garbage collector to close the sockets that it collects over."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
