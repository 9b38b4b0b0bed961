"""Read topics with Spark's Kafka source, each under its own settings, in one session.

Takes a JSON array of ``{"source", "kafka"}`` and gives one of ``{"records", "refused",
"seconds", "plan"}``; Spark logs its events into the working directory.
"""

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from streaming.query.refusals import refusal
from streaming.query.session import open_session
from streaming.query.source import read_source
from streaming.settings import Settings
from streaming.stack.jars import spark_kafka_jars
from streaming.urls import LogUrl


def main() -> None:
    events = {
        "master": "local[1]",
        "eventLog.enabled": "true",
        "eventLog.dir": Path.cwd().as_uri(),
        "eventLog.compress": "false",
    }
    session = open_session(Settings.model_validate({"spark": events}), spark_kafka_jars())
    answers = []
    for asked in json.load(sys.stdin):
        settings = Settings.model_validate(
            {"query": {"source": asked["source"]}, "kafka": asked["kafka"]}
        )
        began = time.monotonic()
        answer: dict[str, Any] = {"records": None, "refused": None, "plan": ""}
        try:
            frame = read_source(session, settings)
            answer["records"] = frame.count()
            told = io.StringIO()
            with contextlib.redirect_stdout(told):
                frame.explain(extended=True)
            answer["plan"] = told.getvalue()
        except (PySparkException, Py4JError) as error:
            answer["refused"] = refusal(error, LogUrl.parse(asked["source"])) or str(error)
        answers.append(answer | {"seconds": time.monotonic() - began})
    session.stop()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
