"""What a query says of what made it fail."""

import pytest

from streaming.query.run import explain

PLAN = """
=== Streaming Query ===
Identifier: [id = 5e80, runId = df71]
Current Available Offsets: {}

Logical Plan:
~WriteToMicroBatchDataSourceV1 ForeachBatchSink, 5e80, [checkpointLocation=cp], Append
+- ~StreamingDataSourceV2ScanRelation[key#7, value#8] KafkaTable
"""


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        (
            (
                "[STREAM_FAILED] Query [id = 5e80] terminated with exception: "
                "org.apache.kafka.common.errors.UnknownTopicOrPartitionException: "
                f"This server does not host this topic-partition. SQLSTATE: XXKST{PLAN}"
            ),
            "the topic is not there, or not yet; leitong produce creates one",
        ),
        (f"the broker hung up{PLAN}", "the broker hung up"),
        (
            (
                'An exception was raised by the Python Proxy.\n  File "x.py", line 1\n'
                f"streaming.errors.StoreError: HBase is away: it said so\n{PLAN}"
            ),
            "HBase is away: it said so",
        ),
        (
            f"failed\nCaused by: java.lang.OutOfMemoryError: heap\n\tat a.b(C.java:1){PLAN}",
            "Caused by: java.lang.OutOfMemoryError: heap",
        ),
        ("", "ValueError"),
    ],
)
def test_the_cause_is_named_and_not_the_plan(told: str, cause: str) -> None:
    assert explain(ValueError(told)) == cause
