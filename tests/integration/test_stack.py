"""The local stack against itself: real servers, killed and started again."""

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import happybase
import pyspark
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from streaming.errors import StoreError
from streaming.stack.jars import resolve, spark_kafka_jars
from streaming.stack.java import java_command
from streaming.stack.kafka import Kafka
from streaming.stack.processes import load
from streaming.stack.settings import InnerPorts, Options, Ports, ServiceName, StackError
from streaming.stack.stack import LocalStack
from streaming.store.contract import Mutation, TableSpec
from streaming.store.hbase_layout import DEFAULT_REGIONS
from streaming.store.tables import TABLES
from streaming.store.urls import open_store

SERVICES: tuple[ServiceName, ...] = ("kafka", "hbase", "thrift", "admin")
BIG = b"\x00" * (15 << 20)


def pid_of(stack: LocalStack, name: ServiceName) -> int | None:
    process = load(stack.directory / "run" / f"{name}.json")
    return process.pid if process else None


def new_topic(stack: LocalStack) -> str:
    topic = f"topic-{uuid.uuid4().hex}"
    with closing(KafkaAdminClient(bootstrap_servers=stack.kafka)) as admin:
        admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    return topic


def produce(stack: LocalStack, topic: str, values: list[bytes]) -> None:
    producer = KafkaProducer(
        bootstrap_servers=stack.kafka,
        acks="all",
        enable_idempotence=True,
        max_request_size=16 << 20,
    )
    with closing(producer):
        for sent in [producer.send(topic, value) for value in values]:
            sent.get(timeout=60)


def consume(stack: LocalStack, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        bootstrap_servers=stack.kafka,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        consumer_timeout_ms=30_000,
        max_partition_fetch_bytes=16 << 20,
    )
    values: list[bytes] = []
    with closing(consumer):
        consumer.assign([TopicPartition(topic, 0)])
        for message in consumer:
            values.append(message.value)
            if len(values) == count:
                break
    return values


@contextmanager
def new_table(stack: LocalStack) -> Iterator[str]:
    name = f"table_{uuid.uuid4().hex}"
    with connected(stack) as connection:
        connection.create_table(name, {"c": {}})
    yield name
    with connected(stack) as connection:
        connection.delete_table(name, disable=True)


@contextmanager
def connected(stack: LocalStack, **how: str) -> Iterator[happybase.Connection]:
    connection = happybase.Connection("127.0.0.1", stack.ports.thrift, timeout=60_000, **how)
    with closing(connection):
        yield connection


def put(stack: LocalStack, table: str, rows: dict[bytes, bytes]) -> None:
    with connected(stack) as connection:
        for row, value in rows.items():
            connection.table(table).put(row, {b"c:v": value})


def rows_of(stack: LocalStack, table: str) -> dict[bytes, bytes]:
    with connected(stack) as connection:
        return {row: cells[b"c:v"] for row, cells in connection.table(table).scan()}


def regions_made(stack: LocalStack, spec: TableSpec) -> int:
    """Make a table as a store does that is told the Thrift port only; count its regions."""
    prefix = f"t{uuid.uuid4().hex}_"
    store = open_store(f"hbase://{stack.hbase}/stack", prefix)
    with closing(store):
        store.ensure_tables([spec])
        with connected(stack) as connection:
            count = len(connection.table(f"stack_{prefix}{spec.name}").regions())
        store.drop_tables([spec])
    return count


def listeners(pid: int) -> set[str]:
    """The addresses, in the kernel's hexadecimal, that a process listens on."""
    sockets = {str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                found.add(fields[1].partition(":")[0])
    return found


def test_messages_up_to_16_mib_come_back_in_order(stack: LocalStack) -> None:
    topic = new_topic(stack)
    values = [b"first", BIG, b"last"]
    produce(stack, topic, values)
    assert consume(stack, topic, 3) == values


def test_a_topic_is_not_made_by_mentioning_it(stack: LocalStack) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=stack.kafka)) as admin:
        admin.describe_topics(["nobody-made-this"])
        assert "nobody-made-this" not in admin.list_topics()


def test_rows_come_back(stack: LocalStack) -> None:
    rows = {b"row-%d" % number: b"value-%d" % number for number in range(20)}
    with new_table(stack) as table:
        put(stack, table, rows)
        assert rows_of(stack, table) == rows


def test_servers_listen_on_loopback_only(stack: LocalStack) -> None:
    for name in SERVICES:
        pid = pid_of(stack, name)
        assert pid is not None
        assert listeners(pid) == {"0100007F"}


def test_up_leaves_what_runs_alone(stack: LocalStack) -> None:
    before = [pid_of(stack, name) for name in SERVICES]
    statuses = LocalStack(stack.directory).up()
    assert [status.pid for status in statuses] == before
    assert {(status.state, status.seconds) for status in statuses} == {("running", None)}


def test_running_servers_refuse_to_be_moved(stack: LocalStack) -> None:
    with pytest.raises(StackError, match="leitong stack down"):
        LocalStack(stack.directory, LocalStack.free_ports(), stack.options).up()
    with pytest.raises(StackError, match="leitong stack down"):
        LocalStack(stack.directory, stack.ports, Options(hbase_heap="2g")).up()


def test_a_port_in_use_is_named_before_anything_starts(stack: LocalStack, tmp_path: Path) -> None:
    free = LocalStack.free_ports()
    other = LocalStack(tmp_path / "other", Ports(free.kafka, stack.ports.thrift, free.zookeeper))
    with pytest.raises(StackError, match=rf"thrift: port {stack.ports.thrift} .*--thrift-port"):
        other.up()
    assert {status.state for status in other.status()} == {"stopped"}


def test_a_killed_thrift_server_starts_again(stack: LocalStack) -> None:
    with new_table(stack) as table:
        put(stack, table, {b"row": b"value"})
        before = pid_of(stack, "thrift")
        assert stack.kill("thrift")
        assert [(status.name, status.state) for status in stack.status()] == [
            ("kafka", "running"),
            ("hbase", "running"),
            ("thrift", "stopped"),
            ("admin", "running"),
        ]
        assert not stack.kill("thrift")
        assert stack.start("thrift").state == "running"
        assert pid_of(stack, "thrift") != before
        assert rows_of(stack, table) == {b"row": b"value"}


def test_a_killed_broker_keeps_what_it_acknowledged(stack: LocalStack) -> None:
    topic = new_topic(stack)
    values = [b"%d" % number for number in range(500)]
    produce(stack, topic, values)
    stack.kill("kafka")
    stack.start("kafka")
    assert consume(stack, topic, 500) == values
    produce(stack, topic, [b"more"])
    assert consume(stack, topic, 501)[-1] == b"more"


def test_a_killed_hbase_keeps_what_it_acknowledged(stack: LocalStack) -> None:
    rows = {b"row-%d" % number: b"value-%d" % number for number in range(500)}
    with new_table(stack) as table:
        put(stack, table, rows)
        stack.kill("hbase")
        stack.start("hbase")
        assert rows_of(stack, table) == rows
    assert [status.state for status in stack.status()] == ["running"] * len(SERVICES)


def test_tables_are_made_with_regions_through_the_admin_server(stack: LocalStack) -> None:
    spec = TableSpec("split")
    assert regions_made(stack, spec) == DEFAULT_REGIONS
    before = pid_of(stack, "admin")
    assert stack.kill("admin")
    with pytest.raises(StoreError, match=rf"answers at {stack.admin}"):
        regions_made(stack, spec)
    assert stack.start("admin").state == "running"
    assert pid_of(stack, "admin") != before
    assert regions_made(stack, spec) == DEFAULT_REGIONS


def test_a_stack_goes_down_without_a_trace_and_comes_up_with_its_data(tmp_path: Path) -> None:
    # These servers live for seconds: their start costs more than their speed gains.
    framed = Options(
        java_options=("-XX:TieredStopAtLevel=1",), thrift_framed=True, thrift_compact=True
    )
    how = {"transport": "framed", "protocol": "compact"}
    stack = LocalStack(tmp_path / "a directory & its <data>", LocalStack.free_ports(), framed)
    try:
        stack.up()
        topic = new_topic(stack)
        produce(stack, topic, [b"kept"])
        with connected(stack, **how) as connection:
            connection.create_table("kept", {"c": {}})
            connection.table("kept").put(b"row", {b"c:v": b"value"})
        pids = [pid_of(stack, name) for name in SERVICES]

        stopped = stack.down()
        assert [status.detail for status in stopped] == [""] * len(SERVICES)
        assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
        assert stack.down() == []

        again = LocalStack(stack.directory)
        again.up()
        assert consume(again, topic, 1) == [b"kept"]
        with connected(again, **how) as connection:
            assert connection.table("kept").row(b"row") == {b"c:v": b"value"}
    finally:
        stack.down(erase=True)
    assert not stack.directory.exists()


def test_an_index_with_something_in_every_region_fits_into_a_small_heap(tmp_path: Path) -> None:
    small = Options(hbase_heap="320m", java_options=("-XX:TieredStopAtLevel=1",))
    stack = LocalStack(tmp_path / "small", LocalStack.free_ports(), small)
    everywhere = [bytes((salt,)) + b"row" for salt in range(256)]
    try:
        stack.up(kafka=False)
        store = open_store(f"hbase://{stack.hbase}/small?admin={stack.admin}")
        store.ensure_tables(TABLES)
        for table in TABLES:
            store.mutate(table.name, [Mutation(row, {b"q": b"v"}) for row in everywhere])
        for table in TABLES:
            assert len(store.rows(table.name, everywhere)) == len(everywhere)
        store.close()
    finally:
        stack.down(erase=True)


def test_a_broker_whose_identity_begins_with_a_dash_can_be_formatted(tmp_path: Path) -> None:
    (tmp_path / "cluster-id").write_text("-rUYwAgvT7qPj1R2sV3tWw")
    kafka = Kafka(tmp_path, Ports(), InnerPorts(controller=1), Options())
    kafka.prepare(java_command(), resolve("kafka"))
    formatted = (tmp_path / "data" / "meta.properties").read_text()
    assert "cluster.id=-rUYwAgvT7qPj1R2sV3tWw" in formatted.splitlines()


def test_spark_is_given_nothing_it_has() -> None:
    theirs = {path.name.rpartition("-")[0] for path in Path(pyspark.__file__).parent.rglob("*.jar")}
    ours = {path.name.rpartition("-")[0] for path in spark_kafka_jars()}
    assert "spark-sql-kafka-0-10_2.13" in ours
    assert ours & theirs == set()
